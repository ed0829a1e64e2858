//! All surfaces and all layers, as one service.

use crate::app::App;
use crate::native::openapi;
use crate::{dialects, forward, layers};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;

/// Everything that is served. Layers run from the last to the first.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .merge(openapi::router())
        .merge(dialects::router())
        .fallback(layers::answer_unknown_path)
        .method_not_allowed_fallback(layers::answer_unknown_method)
        .layer(DefaultBodyLimit::max(app.config.body_bytes_max))
        .layer(from_fn_with_state(app.clone(), forward::forward_writes))
        .layer(CatchPanicLayer::custom(layers::answer_panic))
        .layer(from_fn_with_state(app.clone(), layers::limit_time))
        .layer(from_fn(layers::name_request))
        .with_state(app)
}
