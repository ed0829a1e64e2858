//! The record: one line of canonical JSON that is also a CloudEvents 1.0 event in structured mode.
//!
//! [`Envelope`] is the shape, for reading and for writing; its fields stand in key order, so that writing it gives
//! canonical bytes without a canonicaliser. [`Record`] is a line that was read and checked. What needs more than the one
//! line (links, order, revisions) is in [`crate::chain`].

use crate::canonical;
use crate::error::FormatError;
use crate::event::Event;
use crate::hash::{Hash, leaf_hash};
use crate::limits::RECORD_BYTES_MAX;
use crate::subject::{is_actor, is_subject};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use uuid::Uuid;

/// The CloudEvents version every record states.
pub const SPEC_VERSION: &str = "1.0";

/// Digits of `sequence`, zero-padded so that it sorts as text.
pub const SEQUENCE_DIGITS: usize = 16;

/// The attributes of a record as they stand in the line. `D` is the body: a value to write, raw text when reading.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the attributes are documented in FORMAT.md and DESIGN, section 3")]
pub struct Envelope<'a, D> {
    #[serde(borrow)]
    pub actor: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<Cow<'a, str>>,
    pub data: D,
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    pub previous: Hash,
    #[serde(borrow)]
    pub revision: Cow<'a, str>,
    #[serde(borrow)]
    pub sequence: Cow<'a, str>,
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    #[serde(borrow)]
    pub specversion: Cow<'a, str>,
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjectprevious: Option<Hash>,
    #[serde(borrow)]
    pub surface: Cow<'a, str>,
    pub time: Time,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    pub type_name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<Cow<'a, str>>,
}

/// A line that is a record in itself.
#[derive(Debug)]
pub struct Record<'a> {
    /// SHA-256(0x00 ‖ line).
    pub leaf: Hash,
    /// UUIDv7.
    pub id: Uuid,
    /// Position in the log.
    pub sequence: u64,
    /// Position in the subject's stream.
    pub revision: u64,
    /// The attributes, the body still as text.
    pub envelope: Envelope<'a, &'a RawValue>,
}

impl<'a> Record<'a> {
    /// Reads a line (without its line feed), body apart.
    ///
    /// # Errors
    /// The [`FormatError`] that names what is wrong with the line in itself.
    pub fn parse(line: &'a [u8]) -> Result<Self, FormatError> {
        if line.len() > RECORD_BYTES_MAX {
            return Err(FormatError::TooLong { bytes: line.len() });
        }
        canonical::check(line)?;
        Self::parse_canonical(line)
    }

    /// Reads a line that is known to be canonical, as one of our own store is.
    ///
    /// # Errors
    /// As [`Record::parse`], but for the canonical form.
    pub fn parse_canonical(line: &'a [u8]) -> Result<Self, FormatError> {
        let envelope: Envelope<'a, &'a RawValue> = serde_json::from_slice(line).map_err(FormatError::shape)?;
        let id = parse_id(&envelope.id)?;
        let sequence = parse_sequence(&envelope.sequence)?;
        let revision = parse_decimal(&envelope.revision)
            .ok_or_else(|| FormatError::BadRevision { text: envelope.revision.clone().into_owned() })?;
        if envelope.specversion != SPEC_VERSION {
            return Err(FormatError::BadSpecVersion { text: envelope.specversion.into_owned() });
        }
        if !is_subject(&envelope.subject) {
            return Err(FormatError::BadSubject { text: envelope.subject.into_owned() });
        }
        if !is_actor(&envelope.actor) {
            return Err(FormatError::BadActor { text: envelope.actor.into_owned() });
        }
        if envelope.subjectprevious.is_some() != (revision > 0) {
            return Err(FormatError::SubjectLinkPresence { revision });
        }
        Ok(Self { leaf: leaf_hash(line), id, sequence, revision, envelope })
    }

    /// Reads the body by the struct of its type.
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn event(&self) -> Result<Event, FormatError> {
        Event::parse(&self.envelope.type_name, self.envelope.data.get())
    }
}

impl<D: Serialize> Envelope<'_, D> {
    /// Writes the line: canonical bytes, no line feed.
    ///
    /// # Errors
    /// [`FormatError::TooLong`] past the limit of a record, [`FormatError::Shape`] when the body does not serialize.
    pub fn to_line(&self) -> Result<Vec<u8>, FormatError> {
        let line = serde_json::to_vec(self).map_err(FormatError::shape)?;
        if line.len() > RECORD_BYTES_MAX { Err(FormatError::TooLong { bytes: line.len() }) } else { Ok(line) }
    }
}

/// The text of a sequence inside a record.
#[must_use]
pub fn sequence_text(sequence: u64) -> String {
    format!("{sequence:0SEQUENCE_DIGITS$}")
}

fn parse_sequence(text: &str) -> Result<u64, FormatError> {
    let digits = text.len() == SEQUENCE_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number.ok_or_else(|| FormatError::BadSequence { text: text.to_owned() })
}

/// A decimal number without a leading zero, at most 2^53−1.
fn parse_decimal(text: &str) -> Option<u64> {
    let shaped = text == "0" || (text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0'));
    text.parse().ok().filter(|number: &u64| shaped && *number < 1 << 53)
}

fn parse_id(text: &str) -> Result<Uuid, FormatError> {
    let bad = || FormatError::BadId { text: text.to_owned() };
    let id = Uuid::try_parse(text).map_err(|_| bad())?;
    let mut buffer = Uuid::encode_buffer();
    let same = id.hyphenated().encode_lower(&mut buffer) == text;
    if same && id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122 { Ok(id) } else { Err(bad()) }
}
