//! The OpenAPI 3.1 document of the native surface: made from the handlers, committed, served.

use crate::app::App;
use crate::error::PROBLEM_JSON;
use crate::{health, native};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

const JSON: &str = "application/json";

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
    let routes = OpenApiRouter::with_openapi(Document::openapi())
        .merge(health::routes())
        .merge(native::routes());
    let (router, mut document) = routes.split_for_parts();
    // A router's mark for "and all that follows" is no part of a path template.
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths
        .into_iter()
        .map(|(path, item)| (path.replace("{*", "{"), item))
        .collect();
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            complete(operation);
        }
    }
    (router, document)
}

/// Says what holds for every operation, so that no handler has to: how a refusal looks, and which refusals come before its handler is asked.
fn complete(operation: &mut Operation) {
    let takes = |kind: &str| match &operation.request_body {
        Some(RefOr::T(body)) => body.content.contains_key(kind),
        _ => false,
    };
    let in_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query);
    let mut refusals: Vec<&str> = Vec::new();
    if operation.parameters.iter().flatten().any(in_query) {
        refusals.push("400");
    }
    if takes(JSON) {
        refusals.extend(["400", "413", "415"]);
    }
    if operation.responses.responses.contains_key("401") {
        refusals.extend(["429", "500", "503"]);
    }
    let responses = &mut operation.responses.responses;
    for status in refusals {
        let refusal = || {
            RefOr::T(
                ResponseBuilder::new()
                    .content(PROBLEM_JSON, problem())
                    .build(),
            )
        };
        responses.entry(status.to_owned()).or_insert_with(refusal);
    }
    for response in responses.values_mut() {
        let RefOr::T(response) = response else {
            continue;
        };
        if response.content.get(JSON) == Some(&RefOr::T(problem())) {
            response.content = [(PROBLEM_JSON.to_owned(), RefOr::T(problem()))].into();
        }
    }
}

/// The body of every refusal.
fn problem() -> Content {
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build()
}

/// The native routes, with the document at `/openapi.json`. It is open: it says nothing that the source does not.
pub(crate) fn router() -> Router<App> {
    let (router, document) = parts();
    let text = render(&document);
    router.route(
        "/openapi.json",
        get(move || async move { ([(CONTENT_TYPE, "application/json")], text).into_response() }),
    )
}

/// The document as it is committed.
#[must_use]
#[cfg(test)]
fn document() -> String {
    render(&parts().1)
}

fn render(document: &utoipa::openapi::OpenApi) -> String {
    document
        .to_pretty_json()
        .map(|text| text + "\n")
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::document;
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Run with `PROBITY_OPENAPI=write` to write the document anew.
    #[test]
    fn the_committed_document_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/openapi/native.json");
        if std::env::var("PROBITY_OPENAPI").as_deref() == Ok("write") {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, document()).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap() == document(),
            "schemas/openapi/native.json is stale: PROBITY_OPENAPI=write cargo test -p probity-api openapi"
        );
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_who_may_not() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let paths = document["paths"].as_object().unwrap();
        let operations: Vec<&Value> = paths
            .values()
            .flat_map(|path| path.as_object().unwrap().values())
            .collect();
        let names: BTreeSet<&str> = operations
            .iter()
            .map(|operation| operation["operationId"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), operations.len());
        for operation in operations {
            let open = operation.get("security").is_some();
            assert_ne!(
                open,
                operation["responses"].get("401").is_some(),
                "{operation}"
            );
        }
    }
}
