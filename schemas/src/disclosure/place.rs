//! Digests in a body: putting them in the place of values, and finding them again. Works on the text of each value, never on
//! a number, so that what stays in the body stays as it was.

use super::pointer::{Mark, Marks, index};
use super::{Digest, Disclosure, DisclosureError, ELEMENT, MEMBERS};
use crate::body::Body;
use crate::limits::{POINTER_BYTES_MAX, POINTERS_MAX};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Where in its parent a withheld value stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// It was a member of an object.
    Member,
    /// It was an element of an array.
    Element,
}

/// The digests that stand in a body, in the order of the text.
pub type Digests = Vec<(Digest, Place)>;

/// A body from which values were taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The body with digests in their places.
    pub body: Body,
    /// What opens them, in the order of the pointers.
    pub disclosures: Vec<Disclosure>,
}

/// Why values cannot be taken out of a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// Not a JSON Pointer (RFC 6901), or too long.
    #[error("{pointer:?} is not a JSON Pointer of at most {POINTER_BYTES_MAX} bytes")]
    BadPointer {
        /// The pointer.
        pointer: String,
    },
    /// The pointer names the whole body, which has no place to leave a digest in.
    #[error("the whole body cannot be personal: name its members")]
    WholeBody,
    /// The pointer leads nowhere.
    #[error("{pointer} leads to no value")]
    NoValue {
        /// The pointer.
        pointer: String,
    },
    /// Two pointers lead to the same value, or one to a part of what the other leads to.
    #[error("{pointer} lies in what another pointer names, or holds it")]
    Overlap {
        /// The pointer.
        pointer: String,
    },
    /// More pointers than one body may have.
    #[error("more than {POINTERS_MAX} personal values")]
    TooMany,
    /// The body has members named `_sd` or `...` already.
    #[error("a body with personal values has no members named _sd or ...")]
    Reserved,
    /// A value that no disclosure can hold.
    #[error("{pointer}: {why}")]
    Disclosure {
        /// The pointer.
        pointer: String,
        /// Why.
        why: DisclosureError,
    },
    /// The body with digests in it is no canonical JSON: it cannot be, unless it is nested too deep.
    #[error("the body is nested too deep for digests")]
    TooDeep,
}

/// Takes the values that the pointers (RFC 6901) name out of a body. `salt` gives, for the value of the pointer
/// with this index, bytes that nobody can guess.
///
/// # Errors
/// [`MarkError`] names the pointer; nothing is taken out then.
pub fn withhold(
    body: &Body,
    pointers: &[&str],
    salt: &mut dyn FnMut(usize, &Body) -> [u8; 32],
) -> Result<Withheld, MarkError> {
    if pointers.len() > POINTERS_MAX {
        return Err(MarkError::TooMany);
    }
    if !pointers.is_empty() && mentions_reserved(body.as_str()) && has_reserved(body.as_str()) {
        return Err(MarkError::Reserved);
    }
    let mut marks = Marks::default();
    for (index, pointer) in pointers.iter().enumerate() {
        marks.add(index, pointer)?;
    }
    let mut taker = Taker {
        pointers,
        salt,
        taken: BTreeMap::new(),
    };
    let text = taker.take(body.as_str(), &marks)?;
    Ok(Withheld {
        body: Body::from_foreign(text.as_bytes()).map_err(|_| MarkError::TooDeep)?,
        disclosures: taker.taken.into_values().collect(),
    })
}

/// The digests that stand in a body. What only looks like one is none.
#[must_use]
pub fn digests(body: &Body) -> Digests {
    let mut found = Vec::new();
    if mentions_reserved(body.as_str()) {
        collect(body.as_str(), &mut found);
    }
    found
}

/// Takes values out, top-down.
struct Taker<'a> {
    pointers: &'a [&'a str],
    salt: &'a mut dyn FnMut(usize, &Body) -> [u8; 32],
    taken: BTreeMap<usize, Disclosure>,
}

impl Taker<'_> {
    fn take(&mut self, text: &str, marks: &Marks) -> Result<String, MarkError> {
        if marks.0.is_empty() {
            return Ok(text.to_owned());
        }
        match Node::read(text) {
            Node::Object(members) => self.take_members(members, marks),
            Node::Array(elements) => self.take_elements(elements, marks),
            Node::Scalar => Err(self.no_value(marks.first())),
        }
    }

    fn take_members(
        &mut self,
        members: BTreeMap<String, &RawValue>,
        marks: &Marks,
    ) -> Result<String, MarkError> {
        let mut left: BTreeMap<String, Box<RawValue>> = members
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        let mut digests = Vec::new();
        for (name, mark) in &marks.0 {
            let value = left.remove(name);
            let value = value.ok_or_else(|| self.no_value(mark.first()))?;
            match mark {
                Mark::Whole(index) => digests.push(self.disclose(*index, Some(name), &value)?),
                Mark::Within(within) => {
                    let text = self.take(value.get(), within)?;
                    left.insert(name.clone(), raw(text)?);
                }
            }
        }
        if !digests.is_empty() {
            // Sorted, so that their order says nothing of the names.
            digests.sort_unstable();
            left.insert(MEMBERS.to_owned(), raw(json(&digests)?)?);
        }
        json(&left)
    }

    fn take_elements(
        &mut self,
        elements: Vec<&RawValue>,
        marks: &Marks,
    ) -> Result<String, MarkError> {
        let mut left: Vec<Box<RawValue>> = elements.into_iter().map(ToOwned::to_owned).collect();
        for (step, mark) in &marks.0 {
            let place = index(step).and_then(|index| left.get_mut(index));
            let place = place.ok_or_else(|| self.no_value(mark.first()))?;
            let text = match mark {
                Mark::Whole(index) => json(&BTreeMap::from([(
                    ELEMENT,
                    self.disclose(*index, None, place)?,
                )]))?,
                Mark::Within(within) => self.take(place.get(), within)?,
            };
            *place = raw(text)?;
        }
        json(&left)
    }

    /// The disclosure of one value; gives its digest.
    fn disclose(
        &mut self,
        index: usize,
        name: Option<&str>,
        value: &RawValue,
    ) -> Result<String, MarkError> {
        let value = Body::from_foreign(value.get().as_bytes()).map_err(|_| MarkError::TooDeep)?;
        let salt = (self.salt)(index, &value);
        let disclosure = Disclosure::new(&salt, name, &value);
        let disclosure = disclosure.map_err(|why| MarkError::Disclosure {
            pointer: self.pointer(index),
            why,
        })?;
        let digest = disclosure.digest().to_string();
        self.taken.insert(index, disclosure);
        Ok(digest)
    }

    fn pointer(&self, index: usize) -> String {
        self.pointers
            .get(index)
            .copied()
            .unwrap_or_default()
            .to_owned()
    }

    fn no_value(&self, index: Option<usize>) -> MarkError {
        MarkError::NoValue {
            pointer: index.map_or_else(String::new, |index| self.pointer(index)),
        }
    }
}

/// A value, opened by one level.
enum Node<'a> {
    Object(BTreeMap<String, &'a RawValue>),
    Array(Vec<&'a RawValue>),
    Scalar,
}

impl<'a> Node<'a> {
    fn read(text: &'a str) -> Self {
        let node = match text.as_bytes().first() {
            Some(b'{') => serde_json::from_str(text).map(Self::Object),
            Some(b'[') => serde_json::from_str(text).map(Self::Array),
            _ => Ok(Self::Scalar),
        };
        node.unwrap_or(Self::Scalar)
    }

    fn values(&self) -> Box<dyn Iterator<Item = &'a RawValue> + '_> {
        match self {
            Self::Object(members) => Box::new(members.values().copied()),
            Self::Array(elements) => Box::new(elements.iter().copied()),
            Self::Scalar => Box::new(std::iter::empty()),
        }
    }
}

/// Whether digests may stand in a body: most hold none, and need not be opened.
#[must_use]
pub fn mentions_digests(body: &Body) -> bool {
    mentions_reserved(body.as_str())
}

/// Whether a text may hold one of the two names; most hold neither, and need not be opened.
fn mentions_reserved(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'_', b'.', bytes)
        .any(|at| bytes[at..].starts_with(b"_sd\":") || bytes[at..].starts_with(b"...\":"))
}

fn has_reserved(text: &str) -> bool {
    let node = Node::read(text);
    let here = matches!(&node, Node::Object(members) if members.contains_key(MEMBERS) || members.contains_key(ELEMENT));
    here || node.values().any(|value| has_reserved(value.get()))
}

fn collect(text: &str, found: &mut Digests) {
    let node = Node::read(text);
    match &node {
        Node::Object(members) => {
            let listed = members.get(MEMBERS).map(|list| list.get());
            let listed: Vec<String> = listed
                .and_then(|list| serde_json::from_str(list).ok())
                .unwrap_or_default();
            let members = listed.iter().filter_map(|text| Digest::parse(text));
            found.extend(members.map(|digest| (digest, Place::Member)));
        }
        Node::Array(elements) => {
            let elements = elements
                .iter()
                .filter_map(|element| element_digest(element.get()));
            found.extend(elements.map(|digest| (digest, Place::Element)));
        }
        Node::Scalar => {}
    }
    node.values().for_each(|value| collect(value.get(), found));
}

/// The digest that stands for an element, where it does.
fn element_digest(text: &str) -> Option<Digest> {
    match Node::read(text) {
        Node::Object(members) if members.len() == 1 => {
            let text: String = serde_json::from_str(members.get(ELEMENT)?.get()).ok()?;
            Digest::parse(&text)
        }
        _ => None,
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, MarkError> {
    serde_json::to_string(value).map_err(|_| MarkError::TooDeep)
}

fn raw(text: String) -> Result<Box<RawValue>, MarkError> {
    RawValue::from_string(text).map_err(|_| MarkError::TooDeep)
}
