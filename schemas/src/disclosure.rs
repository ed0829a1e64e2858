//! Personal values that a record does not hold: in their place stands a salted digest, in the form of SD-JWT (RFC 9901), and
//! the disclosure that opens it is kept beside the log, where it can be destroyed. Which values those are, who may see a
//! disclosure and how it is kept is the business of others; a digest alone says nothing of the value.

mod place;
mod pointer;
mod reveal;

pub use place::{Digests, MarkError, Place, Withheld, digests, mentions_digests, withhold};
pub use reveal::{holds_digest, is_member_digest, lacks_members, reveal};

use crate::body::Body;
use crate::event::Event;
use crate::hash::{Hash, sha256};
use crate::limits::{DISCLOSURE_BYTES_MAX, DISCLOSURE_SALT_CHARACTERS_MIN};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The member of an object that holds the digests of its withheld members.
pub const MEMBERS: &str = "_sd";

/// The one member of an object that stands for a withheld element of an array.
pub const ELEMENT: &str = "...";

/// What opens one digest: a salt, the name that the value had in its object, and the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    encoded: String,
    name: Option<String>,
    value: Body,
}

/// SHA-256 of a disclosure's text. As text it is base64url without padding, and only that spelling is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash)]
pub struct Digest(Hash);

/// Why a text is not a disclosure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// Longer than a disclosure may be.
    #[error("a disclosure has at most {DISCLOSURE_BYTES_MAX} bytes")]
    TooLong,
    /// Not base64url without padding.
    #[error("not base64url without padding")]
    Base64,
    /// Not an array of a salt, perhaps a name, and a value.
    #[error("not a JSON array of a salt, perhaps a name, and a value")]
    Shape,
    /// A salt that can be guessed.
    #[error("the salt has fewer than {DISCLOSURE_SALT_CHARACTERS_MIN} characters")]
    Salt,
    /// A name that stands for digests.
    #[error("_sd and ... are no names of values")]
    Reserved,
}

/// A line of `disclosures.jsonl`: a disclosure, and the record in which its digest stands.
/// Lines ascend by record, then by text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureLine {
    /// The disclosure.
    pub disclosure: String,
    /// The record's position in the log.
    pub sequence: u64,
}

impl Ord for DisclosureLine {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_record = self.sequence.cmp(&other.sequence);
        by_record.then_with(|| self.disclosure.cmp(&other.disclosure))
    }
}

impl PartialOrd for DisclosureLine {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Disclosure {
    /// Makes the disclosure of a value: with its name where it is a member of an object, without where it is an element of an
    /// array. The salt must be fresh.
    ///
    /// # Errors
    /// [`DisclosureError::TooLong`], or [`DisclosureError::Reserved`] for a name that stands for digests.
    pub fn new(salt: &[u8; 32], name: Option<&str>, value: &Body) -> Result<Self, DisclosureError> {
        let salt = URL_SAFE_NO_PAD.encode(salt);
        let json = match name {
            Some(name) => serde_json::to_string(&(salt, name, value)),
            None => serde_json::to_string(&(salt, value)),
        };
        Self::parse(&URL_SAFE_NO_PAD.encode(json.map_err(|_| DisclosureError::Shape)?))
    }

    /// Reads a disclosure, of whatever maker: its JSON may be spelled in any way, for the digest is over the text as it is.
    ///
    /// # Errors
    /// [`DisclosureError`] names the rule.
    pub fn parse(encoded: &str) -> Result<Self, DisclosureError> {
        if encoded.len() > DISCLOSURE_BYTES_MAX {
            return Err(DisclosureError::TooLong);
        }
        let json = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| DisclosureError::Base64)?;
        let shape = |_| DisclosureError::Shape;
        let parts: Vec<&serde_json::value::RawValue> =
            serde_json::from_slice(&json).map_err(|_| DisclosureError::Shape)?;
        let (salt, name, value) = match parts.as_slice() {
            [salt, value] => (salt, None, value),
            [salt, name, value] => (salt, Some(name), value),
            _ => return Err(DisclosureError::Shape),
        };
        let salt: String = serde_json::from_str(salt.get()).map_err(|_| DisclosureError::Shape)?;
        let name: Option<String> = name
            .map(|name| serde_json::from_str(name.get()))
            .transpose()
            .map_err(|_| DisclosureError::Shape)?;
        let value = Body::from_foreign(value.get().as_bytes()).map_err(shape)?;
        if salt.chars().count() < DISCLOSURE_SALT_CHARACTERS_MIN {
            return Err(DisclosureError::Salt);
        }
        if matches!(name.as_deref(), Some(MEMBERS | ELEMENT)) {
            return Err(DisclosureError::Reserved);
        }
        Ok(Self {
            encoded: encoded.to_owned(),
            name,
            value,
        })
    }

    /// The disclosure's text: base64url of the array.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.encoded
    }

    /// The name that the value had in its object; none for an element of an array.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The value, in canonical form.
    #[must_use]
    pub const fn value(&self) -> &Body {
        &self.value
    }

    /// Where its digest may stand.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self.name {
            Some(_) => Place::Member,
            None => Place::Element,
        }
    }

    /// What stands for the value in the record.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(sha256(&[self.encoded.as_bytes()]))
    }
}

impl Digest {
    /// Reads a digest; none for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(|bytes| Self(Hash(bytes)))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.0))
    }
}

/// The digests that stand in an event, in order: in the parts of it that somebody else wrote.
#[must_use]
pub fn event_digests(event: &Event) -> Digests {
    let bodies = match event {
        Event::ObservationRecorded(observation) => [Some(&observation.body), None],
        Event::AuditIngested(audit) => [audit.body.as_ref(), None],
        Event::ViolationIngested(violation) => [violation.body.as_ref(), None],
        Event::OutcomeRecorded(outcome) => [outcome.body.as_ref(), None],
        Event::DecisionMade(made) => {
            let request = &made.facts.request;
            [request.context.as_ref(), request.metadata.as_ref()]
        }
        _ => return Digests::new(),
    };
    bodies.into_iter().flatten().flat_map(digests).collect()
}

#[cfg(test)]
mod tests;
