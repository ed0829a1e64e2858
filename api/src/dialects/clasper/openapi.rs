//! The OpenAPI 3.1 document of this surface: made from the handlers, committed, served.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

/// What the document says besides its paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Probity: the Clasper surface",
        description = "Adapters ask for decisions before they act and report what they did; operators approve and keep the \
            policies. Every answer carries `x-trace-id`. Adapters present a token they sign themselves (HS256, shared secret), \
            operators the shared key.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    modifiers(&Credentials)
)]
struct Document;

/// The two ways to say who asks.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, header) in [("adapter", "X-Adapter-Token"), ("operator", "X-Ops-Api-Key")] {
            let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(header)));
            components.add_security_scheme(name, scheme);
        }
    }
}

/// The document as it is committed.
#[must_use]
pub fn document() -> String {
    let routes = OpenApiRouter::with_openapi(Document::openapi()).merge(super::routes());
    routes.split_for_parts().1.to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::document;

    #[test]
    fn the_committed_document_is_this_one() {
        let path = format!("{}/../schemas/openapi/clasper.json", env!("CARGO_MANIFEST_DIR"));
        if std::env::var("PROBITY_OPENAPI").as_deref() == Ok("write") {
            std::fs::write(&path, document()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(committed == document(), "{path} is stale: PROBITY_OPENAPI=write cargo test -p probity-api openapi");
    }
}
