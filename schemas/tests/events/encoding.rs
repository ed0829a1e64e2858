//! What a struct writes equals what a canonicaliser makes of the same value, for every event type.
//!
//! The writer of the ledger runs no canonicaliser: it relies on structs whose fields stand in key order. Values are
//! generated from each type's own JSON Schema, so a new type or field is covered from the day it exists, and a schema
//! that promises what the struct refuses is found as well.

use probity_schemas::canonical;
use probity_schemas::event::Event;
use proptest::strategy::Strategy;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::Value;

use super::generate::{Presence, event_values};
use super::seeds::seeded;

/// Generated values of each type and each way of choosing optional fields.
const CASES: u32 = 64;

#[test]
fn every_event_type_writes_what_a_canonicaliser_writes() {
    for (name, schema) in Event::schemas() {
        let schema = schema.to_value();
        for presence in [Presence::All, Presence::None, Presence::Any] {
            let result = runner().run(&event_values(&schema, presence), |value| {
                holds(name, &value).map_err(TestCaseError::fail)
            });
            assert!(result.is_ok(), "{name}: {}", result.unwrap_err());
        }
    }
}

fn runner() -> TestRunner {
    TestRunner::new(seeded(CASES, 0x9b0b_5c4e))
}

/// The canonicaliser's text is read by the struct, written again to the same bytes, and read back to the same event.
fn holds(name: &str, value: &Value) -> Result<(), String> {
    let canonical =
        serde_json_canonicalizer::to_string(value).map_err(|error| error.to_string())?;
    let event =
        Event::parse(name, &canonical).map_err(|error| format!("refused: {error}: {canonical}"))?;
    let written = serde_json::to_string(&event).map_err(|error| error.to_string())?;
    if written != canonical {
        return Err(format!("wrote  {written}\nwanted {canonical}"));
    }
    canonical::check(written.as_bytes()).map_err(|error| format!("{error}: {written}"))?;
    match Event::parse(name, &written) {
        Ok(again) if again == event => Ok(()),
        other => Err(format!("read back as {other:?}")),
    }
}

#[test]
fn a_field_out_of_order_would_be_seen() {
    #[derive(serde::Serialize)]
    struct Misordered {
        b: bool,
        a: bool,
    }
    let wrong = serde_json::to_string(&Misordered { b: true, a: true }).unwrap();
    let right = serde_json_canonicalizer::to_string(&serde_json::json!({ "a": true, "b": true }));
    assert_ne!(wrong, right.unwrap());
    assert!(canonical::check(wrong.as_bytes()).is_err());
}

#[test]
fn optional_fields_are_seen_present_and_absent() {
    let schema = Event::schemas()
        .into_iter()
        .find(|(name, _)| *name == "decision.made.v1")
        .map(|(_, schema)| schema.to_value())
        .unwrap();
    let fields = |presence| {
        let tree = event_values(&schema, presence)
            .new_tree(&mut runner())
            .unwrap();
        let value = proptest::strategy::ValueTree::current(&tree);
        let count = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
        (count(&value), count(&value["facts"]["request"]))
    };
    let properties = |node: &Value| node["properties"].as_object().unwrap().len();
    let required = |node: &Value| node["required"].as_array().unwrap().len();
    let request = &schema["$defs"]["Request"];
    assert_eq!(
        fields(Presence::All),
        (properties(&schema), properties(request))
    );
    assert_eq!(
        fields(Presence::None),
        (required(&schema), required(request))
    );
}
