//! The OpenAPI 3.1 document of the native surface: made from the handlers, committed, served.

use crate::app::App;
use crate::{health, native};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::Router;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

/// What the document says besides its paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Probity",
        description = "The governance ledger for AI agents: its native API. Every tenant has one append-only, hash-chained, \
            signed log; anyone who holds its verifier key can check what is read here without trusting the server.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    modifiers(&Keys),
    security(("bearer" = []), ("header" = []))
)]
struct Document;

/// The two ways to present a key.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = ApiKey::Header(ApiKeyValue::new("x-api-key"));
        components.add_security_scheme("header", SecurityScheme::ApiKey(header));
    }
}

/// The native routes, and the document that describes them.
fn parts() -> (Router<App>, utoipa::openapi::OpenApi) {
    let routes = OpenApiRouter::with_openapi(Document::openapi()).merge(health::routes()).merge(native::routes());
    routes.split_for_parts()
}

/// The native routes, with the document at `/openapi.json`. It is open: it says nothing that the source does not.
pub(crate) fn router() -> Router<App> {
    let (router, document) = parts();
    let text = render(&document);
    router.route("/openapi.json", get(move || async move { ([(CONTENT_TYPE, "application/json")], text).into_response() }))
}

/// The document as it is committed.
#[must_use]
pub fn document() -> String {
    render(&parts().1)
}

fn render(document: &utoipa::openapi::OpenApi) -> String {
    document.to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}
