//! Canonical JSON told as tables, and held against an independent canonicaliser on generated values.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;

use super::{CanonicalFault as Fault, canonicalize, check};
use crate::seeds::seeded;

#[test]
fn canonical_lines_pass() {
    for line in [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9007199254740991",
        "-9007199254740991",
        "0.5",
        "-12.25",
        "0.000001",
        "1e-7",
        "1.5e-10",
        "1e+21",
        "1.7976931348623157e+308",
        "5e-324",
        "333333333.3333333",
        r#""""#,
        r#""a/b""#,
        r#""\"\\\b\f\n\r\t""#,
        r#""\u0000\u001f\u000b""#,
        "\"\u{7f}\u{2028}\u{10ffff}\"",
        "[]",
        "{}",
        "[1,[2],{}]",
        r#"{"a":1,"b":[{"c":null}]}"#,
        r#"{"":0,"A":1,"a":2,"aa":3,"b":4}"#,
        r#"{"\n":0,"\"":1,"a\\":2,"ab":3}"#,
        r#"{"\b":0,"\t":1,"\n":2,"\u000b":3,"\f":4,"\r":5}"#,
        "{\"\u{20ac}\":1,\"\u{1f600}\":2,\"\u{fb33}\":3}",
    ] {
        assert_eq!(check(line.as_bytes()), Ok(()), "{line}");
        assert_eq!(canonicalize(line.as_bytes()).as_deref(), Ok(line));
    }
}

#[test]
fn lines_that_are_not_canonical_are_refused_at_the_byte() {
    #[rustfmt::skip]
    let table = [
        ("", 0, Fault::UnexpectedEnd),
        ("[1", 2, Fault::UnexpectedEnd),
        (r#"{"a""#, 4, Fault::UnexpectedEnd),
        (r#""a"#, 2, Fault::UnexpectedEnd),
        (r#""\"#, 2, Fault::UnexpectedEnd),
        (r#""\u00"#, 5, Fault::UnexpectedEnd),
        ("tru", 3, Fault::UnexpectedEnd),
        ("trUe", 2, Fault::UnexpectedByte),
        ("[1,]", 3, Fault::UnexpectedByte),
        (r#"{"a":1,}"#, 7, Fault::UnexpectedByte),
        ("{1:2}", 1, Fault::UnexpectedByte),
        ("\u{feff}1", 0, Fault::UnexpectedByte),
        ("NaN", 0, Fault::UnexpectedByte),
        ("[1 ]", 2, Fault::WhiteSpace),
        (" 1", 0, Fault::WhiteSpace),
        ("{ }", 1, Fault::WhiteSpace),
        ("1\n", 1, Fault::TrailingBytes),
        ("{}{}", 2, Fault::TrailingBytes),
        ("1,2", 1, Fault::TrailingBytes),
        (r#"{"b":1,"a":2}"#, 7, Fault::KeyOrder),
        (r#"{"a":1,"a":2}"#, 7, Fault::DuplicateKey),
        (r#"{"aa":1,"a":2}"#, 8, Fault::KeyOrder),
        ("{\"\u{fb33}\":1,\"\u{1f600}\":2}", 9, Fault::KeyOrder),
        (r#"{"\"":1,"\n":2}"#, 8, Fault::KeyOrder),
        (r#"{"\n":1,"\n":2}"#, 8, Fault::DuplicateKey),
        ("\"\u{1}\"", 1, Fault::ControlCharacter),
        ("\"a\nb\"", 2, Fault::ControlCharacter),
        (r#""\a""#, 1, Fault::UnknownEscape),
        (r#""\u00zz""#, 1, Fault::UnknownEscape),
        (r#""\/""#, 1, Fault::LongEscape),
        (r#""\u0041""#, 1, Fault::LongEscape),
        (r#""\u000a""#, 1, Fault::LongEscape),
        (r#""\u001F""#, 1, Fault::LongEscape),
        (r#""\ud800""#, 1, Fault::LongEscape),
    ];
    for (line, offset, fault) in table {
        let error = check(line.as_bytes()).unwrap_err();
        assert_eq!((error.offset, error.fault), (offset, fault), "{line}");
    }
    assert_eq!(check(b"\"\xff\"").unwrap_err(), Fault::NotUtf8.at(1));
    assert_eq!(
        check(b"\"\xed\xa0\x80\"").unwrap_err(),
        Fault::NotUtf8.at(1)
    );
}

#[test]
fn numbers_that_ecmascript_would_not_print_are_refused() {
    for line in [
        "-0",
        "01",
        "1.0",
        "1.50",
        "1.",
        "1e5",
        "1E+21",
        "1e21",
        "1e+5",
        "1e+20",
        "1e-6",
        "10e+21",
        "1.0e+21",
        "1e+021",
        "0e+21",
        "0.0000001",
        "0.0",
        "0.123456789012345678",
        "1.2345678901234567e+2",
        "1.23456789012345678e+22",
        "1e",
        "1e+",
        "--1",
        "-",
        "1-1",
        "0x1",
    ] {
        assert!(
            matches!(
                check(line.as_bytes()).unwrap_err().fault,
                Fault::NumberForm | Fault::TrailingBytes
            ),
            "{line}"
        );
    }
    for line in [
        "9007199254740992",
        "-9007199254740992",
        "100000000000000000000",
        "1e+309",
        "1e-325",
        "99999999999999999999999",
        "1e+99999999999",
    ] {
        assert_eq!(
            check(line.as_bytes()).unwrap_err().fault,
            Fault::NumberRange,
            "{line}"
        );
    }
}

#[test]
fn depth_ends_at_the_limit_for_reader_and_writer() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}0{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(check(nested(64).as_bytes()), Ok(()));
        assert_eq!(canonicalize(nested(64).as_bytes()), Ok(nested(64)));
        let too_deep = Fault::TooDeep.at(64 * open.len());
        assert_eq!(check(nested(65).as_bytes()), Err(too_deep));
        assert_eq!(canonicalize(nested(65).as_bytes()), Err(too_deep));
    }
}

#[test]
fn foreign_json_becomes_canonical() {
    #[rustfmt::skip]
    let table = [
        (" { \"b\" : 1 , \"a\" : [ 1 , 2 ] }\r\n\t", r#"{"a":[1,2],"b":1}"#),
        (r#"{"b":{"z":0,"y":{}},"a":[]}"#, r#"{"a":[],"b":{"y":{},"z":0}}"#),
        (r#""\u0041\/\u000a\ud83d\ude00\u001F\u007f""#, "\"A/\\n\u{1f600}\\u001f\u{7f}\""),
        ("[1.0,-0,-0.0,0e99999999999999999999,1E3,100e-2,0.1e1]", "[1,0,0,0,1000,1,1]"),
        ("[-1573466415551412.2]", "[-1573466415551412.2]"),
        ("[1e21,1E-7,0.0000001,123.4500,1e-6,12345e-3]", "[1e+21,1e-7,1e-7,123.45,0.000001,12.345]"),
        ("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\u{20ac}\":3}", "{\"\u{20ac}\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"),
    ];
    for (foreign, canonical) in table {
        assert_eq!(canonicalize(foreign.as_bytes()).as_deref(), Ok(canonical));
    }
}

#[test]
fn foreign_json_that_two_readers_could_understand_differently_is_refused() {
    #[rustfmt::skip]
    let table = [
        (r#"{"a":1,"b":2,"a":3}"#, 13, Fault::DuplicateKey),
        (r#"{"a":1,"\u0061":3}"#, 7, Fault::DuplicateKey),
        (r#"["\ud800"]"#, 2, Fault::LoneSurrogate),
        (r#"["\ud800\ud800"]"#, 2, Fault::LoneSurrogate),
        (r#"["\udc00"]"#, 2, Fault::LoneSurrogate),
        ("[9007199254740993]", 1, Fault::NumberRange),
        ("[18446744073709551615]", 1, Fault::NumberRange),
        ("[1e20]", 1, Fault::NumberRange),
        ("[1e400]", 1, Fault::NumberRange),
        ("[1e-400]", 1, Fault::NumberRange),
        ("[333333333.33333329]", 1, Fault::NumberInexact),
        ("[9007199254740993.0]", 1, Fault::NumberInexact),
        ("[0.1000000000000000055511151231257827]", 1, Fault::NumberInexact),
        ("[01]", 1, Fault::NumberForm),
        ("[1.]", 1, Fault::NumberForm),
        ("\"a\tb\"", 2, Fault::ControlCharacter),
        (r#""\x""#, 1, Fault::UnknownEscape),
        (r#""\u12"#, 5, Fault::UnexpectedEnd),
        ("[1,]", 3, Fault::UnexpectedByte),
        ("{\"a\" 1}", 5, Fault::UnexpectedByte),
        ("{} x", 3, Fault::TrailingBytes),
        ("[1", 2, Fault::UnexpectedEnd),
        ("", 0, Fault::UnexpectedEnd),
        ("\u{feff}{}", 0, Fault::UnexpectedByte),
        ("\u{a0}1", 0, Fault::UnexpectedByte),
        ("\"\\u12\u{e9}4\"", 1, Fault::UnknownEscape),
        ("\"\\\u{e9}\"", 1, Fault::UnknownEscape),
    ];
    for (foreign, offset, fault) in table {
        let error = canonicalize(foreign.as_bytes()).unwrap_err();
        assert_eq!((error.offset, error.fault), (offset, fault), "{foreign}");
    }
    assert_eq!(canonicalize(b"\"\xc3\"").unwrap_err(), Fault::NotUtf8.at(1));
    let long = vec![b' '; crate::limits::FOREIGN_JSON_BYTES_MAX + 1];
    assert_eq!(canonicalize(&long).unwrap_err().fault, Fault::TooLong);
}

/// Any JSON value, with numbers that the format allows and strings from all of Unicode.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x1f\"\\\\/é\u{e000}\u{ffff}\u{10000}]{0,6}".prop_map(Value::from),
    ];
    let key = || {
        prop_oneof![
            any::<String>(),
            "[\\x00-\\x1f\"\\\\a\u{d7ff}\u{e000}\u{fffd}\u{10000}]{0,3}"
        ]
    };
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(key(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Whether the value holds a double from 2^53 to 10^21, which prints as an integer beyond the safe range.
fn has_large_integer(value: &Value) -> bool {
    match value {
        Value::Number(number) => number
            .as_f64()
            .is_some_and(|n| n.abs() > 9_007_199_254_740_991.0 && n.abs() < 1e21),
        Value::Array(items) => items.iter().any(has_large_integer),
        Value::Object(members) => members.values().any(has_large_integer),
        _ => false,
    }
}

proptest! {
    #![proptest_config(seeded(256, 0x9b0b_ca40))]

    #[test]
    fn our_canonical_form_is_the_oracles(value in any_value()) {
        let foreign = serde_json::to_string_pretty(&value).unwrap();
        let ours = canonicalize(foreign.as_bytes());
        if has_large_integer(&value) {
            prop_assert_eq!(ours.unwrap_err().fault, Fault::NumberRange);
        } else {
            let oracle = serde_json_canonicalizer::to_string(&value).unwrap();
            prop_assert_eq!(ours.as_deref(), Ok(oracle.as_str()));
            prop_assert_eq!(check(oracle.as_bytes()), Ok(()));
        }
    }

    #[test]
    fn doubles_print_as_the_oracle_prints_them(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite() && !has_large_integer(&Value::from(value)));
        let oracle = serde_json_canonicalizer::to_string(&value).unwrap();
        prop_assert_eq!(canonicalize(format!("{value:e}").as_bytes()), Ok(oracle));
    }

    /// Between 2^44 and 2^53 many doubles lie just between two shortest decimals, and the even one must be taken.
    #[test]
    fn ties_print_as_the_oracle_prints_them(bits in 0x42b0_0000_0000_0000_u64..0x4340_0000_0000_0000, negative in any::<bool>()) {
        let value = f64::from_bits(bits | u64::from(negative) << 63);
        let oracle = serde_json_canonicalizer::to_string(&value).unwrap();
        prop_assert_eq!(canonicalize(oracle.as_bytes()), Ok(oracle));
    }

    #[test]
    fn what_the_reader_accepts_the_writer_leaves_alone(value in any_value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut line = serde_json_canonicalizer::to_vec(&value).unwrap();
        let at = at.index(line.len());
        line[at] = byte;
        if check(&line).is_ok() {
            let text = String::from_utf8(line).unwrap();
            // A fraction that is not the shortest is the one thing that the reader leaves to the writer.
            match canonicalize(text.as_bytes()) {
                Ok(again) => prop_assert!(again == text || serde_json::from_str::<Value>(&text).unwrap() == serde_json::from_str::<Value>(&again).unwrap()),
                Err(error) => prop_assert_eq!(error.fault, Fault::NumberInexact),
            }
        }
    }

    #[test]
    fn no_bytes_make_either_side_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if canonicalize(&bytes).is_err() {
            prop_assert!(check(&bytes).is_err());
        }
    }
}
