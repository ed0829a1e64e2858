//! All surfaces and all layers, as one service.

use crate::app::App;
use crate::native::openapi;
use crate::{dialects, layers};
use axum::Router;
use axum::middleware::from_fn_with_state;

/// Everything that is served.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .merge(openapi::router())
        .merge(dialects::router())
        .fallback(layers::answer_unknown_path)
        .method_not_allowed_fallback(layers::answer_unknown_method)
        .layer(from_fn_with_state(app.clone(), layers::surround))
        .with_state(app)
}
