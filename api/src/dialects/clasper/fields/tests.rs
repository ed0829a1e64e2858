//! What is said of fields at fault.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Faults, Fields, amount, count, flag, id, object, text, texts, time, word};
use probity_schemas::body::Body;
use probity_schemas::vocabulary::RiskClass;

fn open(json: &str) -> Fields {
    Fields::open(Some(&Body::from_foreign(json.as_bytes()).unwrap())).unwrap()
}

/// What is said of the field `x` of an object.
fn said<T>(json: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Vec<String> {
    let mut fields = open(json);
    let _ = fields.optional("x", read);
    fields
        .close(())
        .err()
        .unwrap_or_default()
        .fields
        .remove("x")
        .unwrap_or_default()
}

#[test]
fn every_field_at_fault_is_named_at_once() {
    let mut fields = open(r#"{"a":1,"b":"two","d":{"e":3},"f":null}"#);
    let _: String = fields.required("a", text);
    let _: u64 = fields.required("b", count);
    let _: String = fields.required("c", text);
    let _ = fields.nested("d", |inner| inner.optional("e", flag));
    let _ = fields.optional("f", text);
    let faults = fields.close(()).unwrap_err();
    let table = [
        ("a", "Expected string, received number"),
        ("b", "Expected number, received string"),
        ("c", "Required"),
        ("d", "Expected boolean, received number"),
        ("f", "Expected string, received null"),
    ];
    for (field, message) in table {
        assert_eq!(faults.fields[field], [message], "{field}");
    }
    assert_eq!(faults.fields.len(), table.len());
}

#[test]
fn each_reader_says_what_it_expected() {
    assert_eq!(
        said(r#"{"x":1.5}"#, count),
        ["Expected integer, received float"]
    );
    assert_eq!(
        said(r#"{"x":-1}"#, count),
        ["Number must be greater than or equal to 0"]
    );
    assert_eq!(
        said(r#"{"x":"1"}"#, amount(6)),
        ["Expected number, received string"]
    );
    assert_eq!(
        said(r#"{"x":["a",1]}"#, texts),
        ["Expected string, received number"]
    );
    assert_eq!(said(r#"{"x":"yesterday"}"#, time), ["Invalid datetime"]);
    assert_eq!(
        said(r#"{"x":"a\nb"}"#, id),
        ["String must not contain control characters"]
    );
    assert_eq!(
        said(r#"{"x":""}"#, id),
        ["String must contain at least 1 character(s)"]
    );
    assert_eq!(
        said(r#"{"x":[]}"#, object),
        ["Expected object, received array"]
    );
    assert_eq!(
        said(r#"{"x":"huge"}"#, word(RiskClass::ALL, RiskClass::parse)),
        ["Invalid enum value. Expected 'low' | 'medium' | 'high' | 'critical', received 'huge'"]
    );
}

#[test]
fn only_an_object_is_read() {
    let list = Body::from_foreign(b"[1]").unwrap();
    assert_eq!(Fields::open(None).unwrap_err(), Faults::of_form("Required"));
    assert_eq!(
        Fields::open(Some(&list)).unwrap_err(),
        Faults::of_form("Expected object, received array")
    );
}
