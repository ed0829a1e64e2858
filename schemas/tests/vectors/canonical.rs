//! Lines that are canonical, foreign texts with their canonical form, and specimens of every way to be neither.

use probity_schemas::canonical::{CanonicalFault, canonicalize, check};
use probity_schemas::limits::{FOREIGN_JSON_BYTES_MAX, JSON_DEPTH_MAX};
use serde_json::{Value, json};

use crate::{Input, assert_complete, golden_json, rules};

rules!(
    FAULTS,
    fault,
    CanonicalFault,
    [
        TooLong,
        NotUtf8,
        UnexpectedEnd,
        UnexpectedByte,
        WhiteSpace,
        TrailingBytes,
        TooDeep,
        KeyOrder,
        DuplicateKey,
        ControlCharacter,
        UnknownEscape,
        LongEscape,
        LoneSurrogate,
        NumberForm,
        NumberRange,
        NumberInexact,
    ]
);

#[test]
fn canonical_vectors_are_fresh() {
    let lines: Vec<Value> = lines()
        .iter()
        .map(|line| {
            assert_eq!(check(line.as_bytes()), Ok(()), "{line}");
            Value::from(line.as_str())
        })
        .collect();
    let foreign: Vec<Value> = FOREIGN
        .iter()
        .map(|text| json!({ "text": text, "canonical": canonicalize(text.as_bytes()).unwrap() }))
        .collect();
    let malformed: Vec<Value> = malformed()
        .iter()
        .map(|input| {
            let error = check(&input.bytes()).unwrap_err();
            json!({ "input": input.json(), "offset": error.offset, "rule": fault(&error.fault) })
        })
        .collect();
    let refused: Vec<Value> = refused()
        .iter()
        .map(|input| {
            let error = canonicalize(&input.bytes()).unwrap_err();
            json!({ "input": input.json(), "offset": error.offset, "rule": fault(&error.fault) })
        })
        .collect();
    assert_complete(FAULTS, &[malformed.clone(), refused.clone()].concat());
    golden_json(
        "canonical.json",
        &json!({
            "canonical": lines, "foreign": foreign, "malformed": malformed, "refused": refused,
        }),
    );
}

fn lines() -> Vec<String> {
    let mut lines: Vec<String> = [
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
        "-1573466415551412.2",
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
        r#"{"\b":0,"\t":1,"\n":2,"\u000b":3,"\f":4,"\r":5,"\"":6,"\\":7}"#,
        "{\"\u{20ac}\":1,\"\u{1f600}\":2,\"\u{fb33}\":3}",
    ]
    .map(str::to_owned)
    .to_vec();
    lines.push(nested(JSON_DEPTH_MAX));
    lines
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

const FOREIGN: &[&str] = &[
    " { \"b\" : 1 , \"a\" : [ 1 , 2 ] }\r\n\t",
    r#"{"b":{"z":0,"y":{}},"a":[]}"#,
    r#""\u0041\/\u000a\ud83d\ude00\u001F\u007f""#,
    "[1.0,-0,-0.0,0e99999999999999999999,1E3,100e-2,0.1e1]",
    "[1e21,1E-7,0.0000001,123.4500,1e-6,12345e-3]",
    "{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\u{20ac}\":3}",
    "[9007199254740991.0,-9007199254740991]",
    "[0.1,1.1e1,4.35,5e-324]",
];

fn malformed() -> Vec<Input> {
    let mut inputs: Vec<Input> = [
        "",
        "[1",
        r#"{"a""#,
        r#""a"#,
        r#""\"#,
        r#""\u00"#,
        "tru",
        "trUe",
        "[1,]",
        r#"{"a":1,}"#,
        "{1:2}",
        "\u{feff}1",
        "NaN",
        "[1 ]",
        " 1",
        "{ }",
        r#"{"a": 1}"#,
        "1\n",
        "{}{}",
        "1,2",
        r#"{"b":1,"a":2}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"aa":1,"a":2}"#,
        "{\"\u{fb33}\":1,\"\u{1f600}\":2}",
        r#"{"\"":1,"\n":2}"#,
        r#"{"\n":1,"\n":2}"#,
        "\"\u{1}\"",
        "\"a\nb\"",
        r#""\a""#,
        r#""\u00zz""#,
        r#""\/""#,
        r#""\u0041""#,
        r#""\u000a""#,
        r#""\u001F""#,
        r#""\ud800""#,
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
        "1.23456789012345678e+22",
        "1e",
        "--1",
        "-",
        "9007199254740992",
        "-9007199254740992",
        "100000000000000000000",
        "1e+309",
        "1e-325",
    ]
    .map(Input::from)
    .to_vec();
    inputs.push(Input::from(b"\"\xff\"".as_slice()));
    inputs.push(Input::from(b"\"\xed\xa0\x80\"".as_slice()));
    inputs.push(Input::Text(nested(JSON_DEPTH_MAX + 1)));
    inputs
}

fn refused() -> Vec<Input> {
    let mut inputs: Vec<Input> = [
        "",
        "[1",
        "[1,]",
        "{} x",
        "\u{feff}{}",
        "\u{a0}1",
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"a":1,"\u0061":3}"#,
        r#"["\ud800"]"#,
        r#"["\ud800\ud800"]"#,
        r#"["\udc00"]"#,
        "[9007199254740993]",
        "[18446744073709551615]",
        "[1e20]",
        "[1e400]",
        "[1e-400]",
        "[333333333.33333329]",
        "[9007199254740993.0]",
        "[0.1000000000000000055511151231257827]",
        "[01]",
        "[1.]",
        "[.5]",
        "\"a\tb\"",
        r#""\x""#,
        r#""\u12"#,
    ]
    .map(Input::from)
    .to_vec();
    inputs.push(Input::from(b"\"\xc3\"".as_slice()));
    inputs.push(Input::Text(nested(JSON_DEPTH_MAX + 1)));
    inputs.push(Input::Filled {
        before: String::new(),
        repeat: ' ',
        count: FOREIGN_JSON_BYTES_MAX,
        after: "1".to_owned(),
    });
    inputs
}
