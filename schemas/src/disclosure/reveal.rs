//! The other way: where in a value digests stand for something, and putting what disclosures hold into its place.
//!
//! Works on parsed values, for whoever looks into them. Not here: whether a disclosure belongs to a record.

use super::{Digest, Disclosure, ELEMENT, MEMBERS};
use crate::body::Body;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Whether a value holds a digest, at any depth.
#[must_use]
pub fn holds_digest(value: &Value) -> bool {
    match value {
        Value::Object(members) => lacks_members(members) || members.values().any(holds_digest),
        Value::Array(elements) => elements
            .iter()
            .any(|element| element_digest(element).is_some() || holds_digest(element)),
        _ => false,
    }
}

/// Whether members of an object are withheld: it may have had one of any name that it has not.
#[must_use]
pub fn lacks_members(members: &Map<String, Value>) -> bool {
    member_digests(members).next().is_some()
}

/// Whether a digest stands for a member of the body itself.
#[must_use]
pub fn is_member_digest(body: &Body, digest: &Digest) -> bool {
    let value = serde_json::from_str::<Value>(body.as_str()).ok();
    let members = value.as_ref().and_then(Value::as_object);
    members.is_some_and(|members| member_digests(members).any(|one| one == *digest))
}

/// Puts what these disclosures hold in the places of their digests. Other digests stay.
pub fn reveal(value: &mut Value, disclosures: &HashMap<Digest, &Disclosure>) {
    match value {
        Value::Object(members) => {
            members
                .values_mut()
                .for_each(|member| reveal(member, disclosures));
            reveal_members(members, disclosures);
        }
        Value::Array(elements) => {
            for element in elements {
                let shown = element_digest(element).and_then(|digest| disclosures.get(&digest));
                match shown.and_then(|shown| content(shown)) {
                    Some(content) => *element = content,
                    None => reveal(element, disclosures),
                }
            }
        }
        _ => {}
    }
}

fn reveal_members(members: &mut Map<String, Value>, disclosures: &HashMap<Digest, &Disclosure>) {
    let (shown, left): (Vec<_>, Vec<_>) = member_digests(members)
        .map(|digest| (digest, disclosures.get(&digest).copied()))
        .partition(|(_, shown)| shown.is_some());
    if shown.is_empty() {
        return;
    }
    if left.is_empty() {
        members.remove(MEMBERS);
    } else {
        let left = left.iter().map(|(digest, _)| digest.to_string().into());
        members.insert(MEMBERS.to_owned(), Value::Array(left.collect()));
    }
    for disclosure in shown.into_iter().filter_map(|(_, shown)| shown) {
        if let (Some(name), Some(content)) = (disclosure.name(), content(disclosure)) {
            members.entry(name).or_insert(content);
        }
    }
}

fn content(disclosure: &Disclosure) -> Option<Value> {
    serde_json::from_str(disclosure.value().as_str()).ok()
}

/// The digests that stand for members; none where the list holds anything but texts.
fn member_digests(members: &Map<String, Value>) -> impl Iterator<Item = Digest> + '_ {
    let listed = members.get(MEMBERS).and_then(Value::as_array);
    let listed = listed.filter(|listed| listed.iter().all(Value::is_string));
    let texts = listed.into_iter().flatten().filter_map(Value::as_str);
    texts.filter_map(Digest::parse)
}

fn element_digest(element: &Value) -> Option<Digest> {
    let members = element.as_object().filter(|members| members.len() == 1)?;
    Digest::parse(members.get(ELEMENT)?.as_str()?)
}
