//! The OpenAPI 3.1 document of this surface: made from the handlers, committed, served.

use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

/// What callers send.
const REQUESTS: [&str; 11] = [
    "AdapterBody",
    "Ask",
    "AuditReport",
    "CostReport",
    "ExecutionRequest",
    "MetricsReport",
    "PolicySwitch",
    "ReportHead",
    "ResolutionBody",
    "TraceReport",
    "ViolationReport",
];

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
        for (name, header) in [
            ("adapter", "X-Adapter-Token"),
            ("operator", "X-Ops-Api-Key"),
        ] {
            let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(header)));
            components.add_security_scheme(name, scheme);
        }
    }
}

/// The document as it is committed.
#[must_use]
pub fn document() -> String {
    let routes = OpenApiRouter::with_openapi(Document::openapi()).merge(super::routes());
    let mut document = serde_json::to_value(routes.split_for_parts().1).unwrap_or_default();
    for name in REQUESTS {
        never_null(&mut document["components"]["schemas"][name]);
    }
    left_out(&mut document["components"]["schemas"]["ExecutionReply"]);
    serde_json::to_string_pretty(&document)
        .map(|text| text + "\n")
        .unwrap_or_default()
}

/// Members that are written among others or not at all: the generator says that then the whole were null.
fn left_out(schema: &mut Value) {
    for part in schema["allOf"].as_array_mut().into_iter().flatten() {
        if let Some(kinds) = part.get_mut("oneOf").map(Value::take) {
            *part = json!({ "anyOf": [kinds[0], { "type": "object" }] });
        }
    }
}

/// In a request a field is left out, never null.
fn never_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(kinds @ Value::Array(_)) = members.get_mut("type") {
                *kinds = stated_kind(kinds.take());
            }
            members.values_mut().for_each(never_null);
        }
        Value::Array(items) => items.iter_mut().for_each(never_null),
        _ => {}
    }
}

/// A list of kinds without null; the kind itself where only one is left.
fn stated_kind(kinds: Value) -> Value {
    let kinds = kinds.as_array().into_iter().flatten();
    let mut stated: Vec<Value> = kinds.filter(|kind| *kind != "null").cloned().collect();
    match stated.pop() {
        Some(only) if stated.is_empty() => only,
        last => Value::Array(stated.into_iter().chain(last).collect()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{REQUESTS, document};
    use serde_json::Value;

    #[test]
    fn every_operation_says_who_may_call_it_and_what_is_sent() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        for operation in document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|path| path.as_object().unwrap().values())
        {
            assert!(operation["security"][0].is_object(), "{operation}");
        }
        for name in REQUESTS {
            let schema = &document["components"]["schemas"][name];
            assert!(
                schema.is_object() && !schema.to_string().contains("null"),
                "{name}: {schema}"
            );
        }
    }

    #[test]
    fn the_committed_document_is_this_one() {
        let path = format!(
            "{}/../schemas/openapi/clasper.json",
            env!("CARGO_MANIFEST_DIR")
        );
        if std::env::var("PROBITY_OPENAPI").as_deref() == Ok("write") {
            std::fs::write(&path, document()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(
            committed == document(),
            "{path} is stale: PROBITY_OPENAPI=write cargo test -p probity-api openapi"
        );
    }
}
