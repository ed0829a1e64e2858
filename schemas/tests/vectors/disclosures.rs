//! Vectors of disclosures: texts with their digests, bodies before and after, and what is refused.

use crate::{Input, assert_complete, golden_json, rules};
use probity_schemas::body::Body;
use probity_schemas::disclosure::{Disclosure, DisclosureError, withhold};
use serde_json::{Value, json};

rules!(
    RULES,
    rule,
    DisclosureError,
    [TooLong, Base64, Shape, Salt, Reserved]
);

/// Made by us, and two of RFC 9901.
const DISCLOSURES: [&str; 4] = [
    "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
    "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0",
    "WyJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFIiwibmFtZSIsIkFkYSJd",
    "WyJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFQkFRRUJBUUVCQVFFIix7ImEiOlsxLG51bGxdfV0",
];

/// A body, and the pointers to its personal values.
const BODIES: [(&str, &[&str]); 3] = [
    (
        r#"{"customer":{"name":"Ada","tier":3},"to":["a@example.org","b@example.org"]}"#,
        &["/customer/name", "/to/1"],
    ),
    (r#"{"a/b":{"~":[[1,2]]},"n":0.1}"#, &["/a~1b/~0/0/1", "/n"]),
    (r#"{"x":{"y":1,"z":2}}"#, &["/x/z", "/x/y"]),
];

fn refused() -> Vec<Value> {
    use base64::Engine as _;
    let encode = |json: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
    let salt = "0123456789012345678901";
    let texts = [
        "WyJ=".to_owned(),
        "W+".to_owned(),
        String::new(),
        encode("{}"),
        encode(r#"["only"]"#),
        encode(&format!(r#"["{salt}",1,2]"#)),
        encode(&format!(r#"["{salt}","a",1,2]"#)),
        encode(&format!(r#"["{salt}","a",{{"b":1,"b":1}}]"#)),
        encode(r#"["012345678901234567890","a",1]"#),
        encode(&format!(r#"["{salt}","_sd",1]"#)),
        encode(&format!(r#"["{salt}","...",1]"#)),
    ];
    let long = Input::Filled {
        before: String::new(),
        repeat: 'A',
        count: 98_305,
        after: String::new(),
    };
    let texts = texts.map(Input::Text).into_iter().chain([long]);
    let refused = texts.map(|input| {
        let text = String::from_utf8(input.bytes()).unwrap();
        let error = Disclosure::parse(&text).unwrap_err();
        json!({ "input": input.json(), "rule": rule(&error) })
    });
    refused.collect()
}

#[test]
fn disclosures() {
    let good = DISCLOSURES.map(|text| {
        let one = Disclosure::parse(text).unwrap();
        json!({ "disclosure": text, "digest": one.digest().to_string(), "name": one.name(),
            "value": one.value().as_str() })
    });
    let bodies = BODIES.map(|(text, pointers)| {
        let body = Body::from_canonical(text.to_owned()).unwrap();
        let mut salt = 0;
        let withheld = withhold(&body, pointers, &mut |_, _| {
            salt += 1;
            [salt; 32]
        });
        let withheld = withheld.unwrap();
        let disclosures: Vec<&str> = withheld.disclosures.iter().map(Disclosure::as_str).collect();
        json!({ "body": text, "pointers": pointers, "withheld": withheld.body.as_str(), "disclosures": disclosures })
    });
    let refused = refused();
    assert_complete(RULES, &refused);
    let vectors = json!({ "disclosures": good, "refused": refused, "withheld": bodies });
    golden_json("disclosures.json", &vectors);
}
