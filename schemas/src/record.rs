//! The record: one line of canonical JSON that is also a CloudEvents 1.0 event in structured mode.
//!
//! [`Envelope`] is the shape, for reading and for writing; its fields stand in key order, so that writing it gives
//! canonical bytes without a canonicaliser. [`Record`] is a line that was read and checked. What needs more than the one
//! line (links, order, revisions) is in [`crate::chain`].

mod line;

use crate::canonical;
use crate::error::FormatError;
use crate::event::Event;
use crate::hash::{Hash, leaf_hash};
use crate::limits::{INTEGER_MAX, LABEL_BYTES_MAX, RECORD_BYTES_MAX, SEQUENCE_DIGITS};
use crate::subject::{cut, is_actor, is_subject, is_tenant};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use uuid::Uuid;

/// The CloudEvents version every record states.
pub const SPEC_VERSION: &str = "1.0";

/// The attributes of a record as they stand in the line. `D` is the body: a value to write, raw text when reading.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the attributes are documented in FORMAT.md and DESIGN, section 3"
)]
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
    /// The attributes, the body still as JSON text.
    pub envelope: Envelope<'a, &'a str>,
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
        match line::read(line) {
            Some(envelope) => Self::of(line, envelope),
            None => {
                canonical::check(line)?;
                Self::of(line, thorough(line)?)
            }
        }
    }

    /// Reads a line that is known to be canonical, as one of our own store is.
    ///
    /// # Errors
    /// As [`Record::parse`], but for the canonical form.
    pub fn parse_canonical(line: &'a [u8]) -> Result<Self, FormatError> {
        match line::read(line) {
            Some(envelope) => Self::of(line, envelope),
            None => Self::of(line, thorough(line)?),
        }
    }

    /// What the attributes of a canonical line say, each checked.
    fn of(line: &[u8], envelope: Envelope<'a, &'a str>) -> Result<Self, FormatError> {
        let id = parse_id(&envelope.id)?;
        let sequence = parse_sequence(&envelope.sequence)?;
        let revision = parse_decimal(&envelope.revision).ok_or(FormatError::BadRevision)?;
        if envelope.specversion != SPEC_VERSION {
            return Err(FormatError::BadSpecVersion);
        }
        if envelope.subjectprevious.is_some() != (revision > 0) {
            return Err(FormatError::BadSubjectPrevious { sequence });
        }
        check_names(&envelope)?;
        Ok(Self {
            leaf: leaf_hash(line),
            id,
            sequence,
            revision,
            envelope,
        })
    }

    /// Reads the body by the struct of its type.
    ///
    /// # Errors
    /// As [`Event::parse`].
    pub fn event(&self) -> Result<Event, FormatError> {
        Event::parse(&self.envelope.type_name, self.envelope.data)
    }
}

impl<'a, D> Envelope<'a, D> {
    /// The same attributes with another form of the body.
    fn with<E>(self, form: impl FnOnce(D) -> E) -> Envelope<'a, E> {
        Envelope {
            actor: self.actor,
            causationid: self.causationid,
            correlationid: self.correlationid,
            data: form(self.data),
            id: self.id,
            previous: self.previous,
            revision: self.revision,
            sequence: self.sequence,
            source: self.source,
            specversion: self.specversion,
            subject: self.subject,
            subjectprevious: self.subjectprevious,
            surface: self.surface,
            time: self.time,
            traceparent: self.traceparent,
            type_name: self.type_name,
            workspace: self.workspace,
        }
    }
}

impl<D: Serialize> Envelope<'_, D> {
    /// Writes the line: canonical bytes, no line feed.
    ///
    /// # Errors
    /// [`FormatError::TooLong`] past the limit of a record, [`FormatError::Shape`] when the body does not serialize.
    pub fn to_line(&self) -> Result<Vec<u8>, FormatError> {
        let line = serde_json::to_vec(self).map_err(shape)?;
        if line.len() > RECORD_BYTES_MAX {
            Err(FormatError::TooLong { bytes: line.len() })
        } else {
            Ok(line)
        }
    }
}

/// The attributes of any canonical line, or what is wrong with them.
fn thorough(line: &[u8]) -> Result<Envelope<'_, &str>, FormatError> {
    let read: Envelope<'_, &RawValue> =
        serde_json::from_slice(line).map_err(|error| unfit(line, error))?;
    Ok(read.with(RawValue::get))
}

/// Checks the attributes that name something.
fn check_names<D>(envelope: &Envelope<'_, D>) -> Result<(), FormatError> {
    if !is_origin(&envelope.source) {
        return Err(FormatError::BadOrigin);
    }
    if !is_subject(&envelope.subject) {
        return Err(FormatError::BadSubject);
    }
    if !is_actor(&envelope.actor) {
        return Err(FormatError::BadActor);
    }
    if !is_label(&envelope.surface) {
        return Err(FormatError::BadSurface);
    }
    for (attribute, value) in [
        ("causationid", &envelope.causationid),
        ("correlationid", &envelope.correlationid),
        ("traceparent", &envelope.traceparent),
    ] {
        if value.as_ref().is_some_and(|value| !is_label(value)) {
            return Err(FormatError::BadExtension { attribute });
        }
    }
    match envelope.workspace.as_deref() {
        Some(name) if !is_tenant(name) => Err(FormatError::BadTenant),
        _ => Ok(()),
    }
}

/// An origin: a name, a slash and a tenant, then perhaps a slash and a generation from 2 on.
fn is_origin(text: &str) -> bool {
    let Some((name, owner)) = cut(text, b'/') else {
        return false;
    };
    let (owner, generation) = match cut(owner, b'/') {
        Some((owner, generation)) => (owner, Some(generation)),
        None => (owner, None),
    };
    let is_generation = |text| parse_decimal(text).is_some_and(|number| number > 1);
    crate::vkey::is_name(name) && is_tenant(owner) && generation.is_none_or(is_generation)
}

/// A short printable text: not empty, no control character.
#[must_use]
pub fn is_label(text: &str) -> bool {
    let printable = |text: &str| {
        let plain = |byte| matches!(byte, b' '..=b'~');
        text.bytes().all(plain) || !text.chars().any(char::is_control)
    };
    !text.is_empty() && text.len() <= LABEL_BYTES_MAX && printable(text)
}

/// Why a line does not fit the envelope: its time, the one attribute that is read while decoding, or else its shape.
fn unfit(line: &[u8], error: serde_json::Error) -> FormatError {
    #[derive(Deserialize)]
    struct OnlyTime<'a> {
        #[serde(borrow)]
        time: Cow<'a, str>,
    }
    match serde_json::from_slice::<OnlyTime<'_>>(line) {
        Ok(only) if Time::parse(&only.time).is_err() => FormatError::BadTime,
        _ => shape(error),
    }
}

fn shape(error: serde_json::Error) -> FormatError {
    FormatError::Shape {
        reason: error.to_string(),
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
    number.ok_or(FormatError::BadSequence)
}

/// A decimal number without a leading zero, at most 2^53−1.
fn parse_decimal(text: &str) -> Option<u64> {
    let shaped =
        text == "0" || (text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0'));
    text.parse()
        .ok()
        .filter(|number: &u64| shaped && *number <= INTEGER_MAX)
}

fn parse_id(text: &str) -> Result<Uuid, FormatError> {
    let bad = || FormatError::BadId;
    let id = Uuid::try_parse(text).map_err(|_| bad())?;
    let mut buffer = Uuid::encode_buffer();
    let same = id.hyphenated().encode_lower(&mut buffer) == text;
    if same && id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122 {
        Ok(id)
    } else {
        Err(bad())
    }
}
