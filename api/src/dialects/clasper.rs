//! The surface of Clasper: adapters that ask before they act and report afterwards, and operators who approve and keep the
//! policies. Its clients work unchanged; where its promises were better than its deeds, the promise is kept.
//!
//! One file a group of endpoints: wire types, translation, handlers. `envelope` has error bodies and the reading of requests,
//! `credentials` who asks, `call` what all handlers do alike. Served here is the thread from asking to outcome; what else the
//! original has is not.

mod adapters;
mod call;
mod case;
mod credentials;
mod decisions;
mod envelope;
mod execution;
mod fields;
mod ingest;
mod intake;
mod number;
mod openapi;
mod policies;
mod probe;
mod telemetry_keys;

pub use openapi::document;

use crate::app::App;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use credentials::GoodTokens;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// Where the document of this surface is served.
const DOCUMENT_PATH: &str = "/openapi/clasper.json";

/// Paths below which nobody else answers.
const OWN_PATHS: [&str; 3] = ["/adapters/{*rest}", "/api/{*rest}", "/ops/api/{*rest}"];

/// Every route of this surface, with its document.
pub(crate) fn router() -> Router<App> {
    let text = document();
    let own = routes().split_for_parts().0;
    let own = OWN_PATHS.into_iter().fold(own, |router, path| {
        router.route(path, any(envelope::route_not_found))
    });
    own.method_not_allowed_fallback(envelope::route_not_found)
        .route(
            DOCUMENT_PATH,
            get(move || async move { ([(CONTENT_TYPE, "application/json")], text) }),
        )
        .layer(from_fn_with_state(
            Arc::<GoodTokens>::default(),
            envelope::surround,
        ))
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(adapters::routes())
        .merge(telemetry_keys::routes())
        .merge(execution::routes())
        .merge(decisions::routes())
        .merge(decisions::approvals::routes())
        .merge(policies::routes())
        .merge(ingest::routes())
        .merge(probe::routes())
}

#[cfg(test)]
mod stories;
