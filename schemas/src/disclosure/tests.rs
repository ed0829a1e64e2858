//! Values in, digests found; nothing of a value left behind; and the examples of RFC 9901.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{
    Digest, Disclosure, DisclosureError, DisclosureLine, MarkError, Place, digests, holds_digest,
    reveal, withhold,
};
use crate::body::Body;
use crate::seeds::seeded;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;

fn body(value: &Value) -> Body {
    Body::from_foreign(value.to_string().as_bytes()).unwrap()
}

/// Salts that differ, and nothing more: a test, not a log.
fn salts() -> impl FnMut(usize, &Body) -> [u8; 32] {
    let mut count = 0_u8;
    move |_, _| {
        count = count.wrapping_add(1);
        [count; 32]
    }
}

fn refusal(value: &Value, pointers: &[&str]) -> MarkError {
    withhold(&body(value), pointers, &mut salts()).unwrap_err()
}

/// RFC 9901, sections 4.2.1 to 4.2.3 and A.1: text, digest, name, value.
#[test]
fn the_examples_of_the_standard() {
    for (encoded, digest, name, value) in [
        (
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
            Some("family_name"),
            json!("Möbius"),
        ),
        (
            "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0",
            "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs",
            None,
            json!("FR"),
        ),
    ] {
        let disclosure = Disclosure::parse(encoded).unwrap();
        assert_eq!(disclosure.digest().to_string(), digest);
        assert_eq!(Digest::parse(digest), Some(disclosure.digest()));
        assert_eq!(disclosure.name(), name);
        assert_eq!(*disclosure.value(), body(&value));
    }
}

#[test]
fn lines_ascend_by_record_and_then_by_text() {
    let line = |sequence, text: &str| DisclosureLine {
        disclosure: text.to_owned(),
        sequence,
    };
    let ascending = [line(2, "a"), line(2, "b"), line(10, "B"), line(10, "a")];
    assert!(ascending.is_sorted());
}

#[test]
fn what_is_no_disclosure() {
    use DisclosureError as E;
    use base64::Engine as _;
    let encode = |json: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
    let salt = "0123456789012345678901";
    for (encoded, expected) in [
        ("WyJ=".to_owned(), E::Base64),
        ("W+".to_owned(), E::Base64),
        (String::new(), E::Shape),
        (encode("{}"), E::Shape),
        (encode(r#"["only"]"#), E::Shape),
        (encode(&format!(r#"["{salt}",1,2]"#)), E::Shape),
        (encode(&format!(r#"["{salt}","a",1,2]"#)), E::Shape),
        (
            encode(&format!(r#"["{salt}","a",{{"b":1,"b":1}}]"#)),
            E::Shape,
        ),
        (encode(&format!(r#"["{}","a",1]"#, &salt[1..])), E::Salt),
        (encode(&format!(r#"["{salt}","_sd",1]"#)), E::Reserved),
        (encode(&format!(r#"["{salt}","...",1]"#)), E::Reserved),
        ("A".repeat(96 * 1024 + 1), E::TooLong),
    ] {
        assert_eq!(Disclosure::parse(&encoded), Err(expected), "{encoded:.40}");
    }
}

#[test]
fn members_and_elements_leave_digests_in_their_places() {
    let before = json!({"customer": {"name": "Ada", "tier": 3}, "to": ["a@x", "b@x"], "n": 0.1});
    let pointers = ["/to/1", "/customer/name"];
    let withheld = withhold(&body(&before), &pointers, &mut salts()).unwrap();
    let after: Value = serde_json::from_str(withheld.body.as_str()).unwrap();
    let [mail, name] = &withheld.disclosures[..] else {
        panic!("two")
    };
    assert_eq!((mail.name(), mail.value().as_str()), (None, "\"b@x\""));
    assert_eq!(
        (name.name(), name.value().as_str()),
        (Some("name"), "\"Ada\"")
    );
    assert_eq!(
        after,
        json!({"customer": {"_sd": [name.digest().to_string()], "tier": 3},
            "to": ["a@x", {"...": mail.digest().to_string()}], "n": 0.1})
    );
    let found = digests(&withheld.body);
    assert_eq!(found.len(), 2);
    assert!(found.contains(&(mail.digest(), Place::Element)));
    assert!(found.contains(&(name.digest(), Place::Member)));
}

#[test]
fn pointers_that_cannot_be_followed() {
    let value = json!({"a": {"b": [1, 2]}, "c/d": 1, "~": 2});
    for pointer in ["/x", "/a/b/2", "/a/b/-", "/a/b/01", "/a/b/0/c", "/c/d"] {
        assert!(
            matches!(refusal(&value, &[pointer]), MarkError::NoValue { pointer: p } if p == pointer),
            "{pointer}"
        );
    }
    for pointer in ["a", "/~", "/~2", "/a~"] {
        assert!(
            matches!(refusal(&value, &[pointer]), MarkError::BadPointer { .. }),
            "{pointer}"
        );
    }
    for pointers in [["/a", "/a"], ["/a", "/a/b"], ["/a/b", "/a"]] {
        assert!(
            matches!(refusal(&value, &pointers), MarkError::Overlap { .. }),
            "{pointers:?}"
        );
    }
    assert_eq!(refusal(&value, &[""]), MarkError::WholeBody);
    assert_eq!(refusal(&value, &["/a"; 257]), MarkError::TooMany);
    assert!(withhold(&body(&value), &["/c~1d", "/~0"], &mut salts()).is_ok());
}

#[test]
fn a_body_that_speaks_of_digests_itself_takes_none_of_ours() {
    for value in [
        json!({"a": 1, "_sd": []}),
        json!({"a": 1, "b": [{"...": "x"}]}),
    ] {
        assert_eq!(refusal(&value, &["/a"]), MarkError::Reserved);
        assert_eq!(digests(&body(&value)), Vec::new(), "and it has none");
        let untouched = withhold(&body(&value), &[], &mut salts()).unwrap();
        assert_eq!(untouched.body, body(&value));
    }
    let quoted = json!({"a": "say \"_sd\":1"});
    assert!(withhold(&body(&quoted), &["/a"], &mut salts()).is_ok());
}

/// Any JSON, with a leaf for each of `secrets` somewhere in it.
fn tree(secret: &'static str) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zäß~/\"\\\\]{0,4}".prop_map(Value::from),
        Just(Value::from(secret)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c~/ä]{1,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Pointers to every value that equals the secret.
fn pointers_to(value: &Value, secret: &str, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text == secret => found.push(at.to_owned()),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            let step = name.replace('~', "~0").replace('/', "~1");
            pointers_to(value, secret, &format!("{at}/{step}"), found);
        }),
        Value::Array(elements) => elements.iter().enumerate().for_each(|(index, value)| {
            pointers_to(value, secret, &format!("{at}/{index}"), found);
        }),
        _ => {}
    }
}

const SECRET: &str = "+49 151 23456789";

proptest! {
    #![proptest_config(seeded(256, 0x7e11_0001))]

    #[test]
    fn a_value_taken_out_leaves_its_digest_and_nothing_else(inner in tree(SECRET)) {
        let value = json!({ "body": inner });
        let mut pointers = Vec::new();
        pointers_to(&value, SECRET, "", &mut pointers);
        let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
        let withheld = withhold(&body(&value), &pointers, &mut salts()).unwrap();
        prop_assert!(!withheld.body.as_str().contains(SECRET));
        prop_assert_eq!(withheld.disclosures.len(), pointers.len());
        let mut found = digests(&withheld.body);
        let mut made: Vec<_> = withheld.disclosures.iter().map(|one| (one.digest(), one.place())).collect();
        found.sort();
        made.sort();
        prop_assert_eq!(found, made);
        for one in &withheld.disclosures {
            prop_assert_eq!(one.value().as_str(), format!("\"{SECRET}\""));
            prop_assert_eq!(&Disclosure::parse(one.as_str()).unwrap(), one);
        }
        // All of it shown, it is what it was; with one left out, a digest is left and the value is not there.
        let all: HashMap<_, _> = withheld.disclosures.iter().map(|one| (one.digest(), one)).collect();
        let mut shown: Value = serde_json::from_str(withheld.body.as_str()).unwrap();
        prop_assert_eq!(holds_digest(&shown), !pointers.is_empty());
        reveal(&mut shown, &all);
        prop_assert_eq!(&shown, &value);
        if let Some(missing) = withheld.disclosures.first() {
            let mut some = all;
            some.remove(&missing.digest());
            let mut shown: Value = serde_json::from_str(withheld.body.as_str()).unwrap();
            reveal(&mut shown, &some);
            prop_assert!(holds_digest(&shown));
            prop_assert_eq!(shown.to_string().matches(SECRET).count(), pointers.len() - 1);
        }
    }
}
