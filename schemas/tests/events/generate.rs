//! Values by JSON Schema: the part of the language that our own schemas use, and a panic for any other.
//!
//! What a struct leaves out when it writes is left out here too: an absent option, an empty list and `false` where the
//! field is not required.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Number, Value};

use probity_schemas::hash::Hash;
use probity_schemas::limits::INTEGER_MAX;
use probity_schemas::time::Time;

/// Which of the fields that may be absent are present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Presence {
    All,
    None,
    Any,
}

/// Values of an event's body.
pub(crate) fn event_values(schema: &Value, presence: Presence) -> BoxedStrategy<Value> {
    by_schema(schema, schema, presence)
}

fn by_schema(root: &Value, node: &Value, presence: Presence) -> BoxedStrategy<Value> {
    if let Some(name) = node["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").unwrap();
        return match name {
            "Time" => time(),
            "Hash" => hash(),
            "Body" => any_json(),
            _ => by_schema(root, &root["$defs"][name], presence),
        };
    }
    if let Some(word) = node.get("const") {
        return Just(word.clone()).boxed();
    }
    if let Some(words) = node["enum"].as_array() {
        return prop::sample::select(words.clone()).boxed();
    }
    if let Some(choices) = node["oneOf"].as_array().or(node["anyOf"].as_array()) {
        let choices: Vec<_> = choices
            .iter()
            .filter(|choice| choice["type"] != "null")
            .map(|choice| by_schema(root, choice, presence))
            .collect();
        return proptest::strategy::Union::new(choices).boxed();
    }
    match type_of(node) {
        "boolean" => any::<bool>().prop_map(Value::Bool).boxed(),
        "integer" => integer(node),
        "string" => text().prop_map(Value::String).boxed(),
        "array" => vec(by_schema(root, &node["items"], presence), 1..4)
            .prop_map(Value::Array)
            .boxed(),
        "object" if node["additionalProperties"].is_object() => {
            let values = by_schema(root, &node["additionalProperties"], presence);
            btree_map("[a-z0-9._-]{1,12}", values, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
                .boxed()
        }
        "object" => object(root, node, presence),
        other => panic!("no values of type {other}: {node}"),
    }
}

/// The one type of a node, `null` apart.
fn type_of(node: &Value) -> &str {
    match &node["type"] {
        Value::String(name) => name,
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null")
            .unwrap(),
        _ => panic!("a schema without a type: {node}"),
    }
}

fn object(root: &Value, node: &Value, presence: Presence) -> BoxedStrategy<Value> {
    assert_eq!(
        node["additionalProperties"], false,
        "an open object: {node}"
    );
    let required = node["required"].as_array().cloned().unwrap_or_default();
    let mut fields: BoxedStrategy<Map<String, Value>> = Just(Map::new()).boxed();
    for (name, field) in node["properties"].as_object().unwrap() {
        let needed = required.iter().any(|other| other == name.as_str());
        let field = by_schema(root, field, presence);
        let field = match presence {
            _ if needed => field.prop_map(Some).boxed(),
            Presence::All => written(field).prop_map(Some).boxed(),
            Presence::None => Just(None).boxed(),
            Presence::Any => prop::option::of(written(field)).boxed(),
        };
        let name = name.clone();
        fields = (fields, field)
            .prop_map(move |(mut fields, value)| {
                if let Some(value) = value {
                    fields.insert(name.clone(), value);
                }
                fields
            })
            .boxed();
    }
    fields.prop_map(Value::Object).boxed()
}

/// The values of a field that may be absent, without those for which it is.
fn written(values: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    values
        .prop_map(|value| match value {
            Value::Bool(false) => Value::Bool(true),
            Value::Null => Value::from("null"),
            other => other,
        })
        .boxed()
}

/// Whole numbers of the field's width, within what every reader keeps.
fn integer(node: &Value) -> BoxedStrategy<Value> {
    let safe = INTEGER_MAX.cast_signed();
    let (least, most) = match node["format"].as_str().unwrap() {
        "uint8" => (0, i64::from(u8::MAX)),
        "uint32" => (0, i64::from(u32::MAX)),
        "uint64" => (0, safe),
        "int32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        "int64" => (-safe, safe),
        other => panic!("no integers of format {other}"),
    };
    prop_oneof![Just(least), Just(most), Just(0), least..=most]
        .prop_map(Value::from)
        .boxed()
}

fn time() -> BoxedStrategy<Value> {
    let (least, most) = (Time::MIN.micros(), Time::MAX.micros());
    prop_oneof![Just(least), Just(most), least..=most]
        .prop_map(|micros| Value::from(Time::from_micros(micros).to_string()))
        .boxed()
}

fn hash() -> BoxedStrategy<Value> {
    any::<[u8; 32]>()
        .prop_map(|bytes| Value::from(Hash(bytes).to_string()))
        .boxed()
}

/// Texts with what needs an escape, what must not have one, and both sides of the surrogate range, where the order of
/// UTF-16 is not that of UTF-8.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[ -~]{0,12}",
        1 => any::<String>(),
        1 => prop::collection::vec(prop::sample::select(vec!["\u{0}", "\u{1f}", "\n", "\"", "\\", "/", "\u{7f}", "\u{2028}", "\u{ffff}", "\u{e000}", "\u{10000}", "ü"]), 0..6).prop_map(|parts| parts.concat()),
    ]
    .boxed()
}

/// Any JSON that a body can hold.
fn any_json() -> BoxedStrategy<Value> {
    let safe = INTEGER_MAX.cast_signed();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-safe..=safe).prop_map(Value::from),
        fraction(),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::Array),
            btree_map(text(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Doubles, but for those whose canonical form is an integer that not every reader keeps.
fn fraction() -> BoxedStrategy<Value> {
    any::<u64>()
        .prop_filter_map("not a number that JSON can hold", |bits| {
            let number = f64::from_bits(bits);
            let plain = number.abs() > 9_007_199_254_740_991.0 && number.abs() < 1e21;
            Number::from_f64(number)
                .filter(|_| !plain)
                .map(Value::Number)
        })
        .boxed()
}
