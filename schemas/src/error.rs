//! Every way in which a record line can be malformed, alone or in its place in the log. One variant a rule, so that
//! a judge names the rule and the golden vectors hold a specimen of each. Not here: what is wrong with a decision
//! (the rules' business) and what is wrong with a proof, a note or a bundle (beside those types).

use crate::canonical::CanonicalError;
use crate::limits::RECORD_BYTES_MAX;

/// A record line that breaks the format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Longer than a record may be.
    #[error("{bytes} bytes are more than a record's {RECORD_BYTES_MAX}")]
    TooLong {
        /// Bytes of the line.
        bytes: usize,
    },
    /// Not canonical JSON.
    #[error("not canonical: {0}")]
    NotCanonical(#[from] CanonicalError),
    /// An attribute is missing, unknown or of the wrong JSON type.
    #[error("not a record: {reason}")]
    Shape {
        /// What the decoder says.
        reason: String,
    },
    /// `specversion` is not `1.0`.
    #[error("specversion is not 1.0")]
    BadSpecVersion,
    /// `type` is not the name of an event type that this format version knows.
    #[error("unknown type {found}")]
    BadType {
        /// The type found.
        found: String,
    },
    /// `data` does not fit its type.
    #[error("data is not a {event}: {reason}")]
    BadData {
        /// The record's type.
        event: String,
        /// What the decoder says.
        reason: String,
    },
    /// `id` is not a lower-case UUIDv7.
    #[error("id is not a UUIDv7 in lower case")]
    BadId,
    /// `time` is not `YYYY-MM-DDTHH:MM:SS.ffffffZ`, or no such time exists.
    #[error("time is not YYYY-MM-DDTHH:MM:SS.ffffffZ")]
    BadTime,
    /// `sequence` is not 16 digits.
    #[error("sequence is not 16 digits")]
    BadSequence,
    /// `revision` is not a plain decimal number.
    #[error("revision is not a decimal number without leading zeros")]
    BadRevision,
    /// `source` is not an origin: a name, a slash and a tenant.
    #[error("source is not an origin of the form name/tenant")]
    BadOrigin,
    /// The tenant (or workspace) is not `[a-z0-9][a-z0-9._-]{0,62}`.
    #[error("a tenant or workspace is 1 to 63 of a-z 0-9 . _ -, beginning with a letter or digit")]
    BadTenant,
    /// `subject` is not `thing/id`.
    #[error("subject is not of the form thing/id")]
    BadSubject,
    /// `actor` is not `system`, or `adapter`, `agent` or `user` with an id.
    #[error("actor is neither system nor adapter:, agent: or user: with an id")]
    BadActor,
    /// `surface` is not a label.
    #[error("surface is not a label")]
    BadSurface,
    /// `correlationid`, `causationid` or `traceparent` is empty, too long or malformed.
    #[error("{attribute} is malformed")]
    BadExtension {
        /// Name of the attribute.
        attribute: &'static str,
    },
    /// Record 0 is not `log.opened`, or a later one is.
    #[error("log.opened is record 0 and no other")]
    BadOpening,
    /// `source` differs from the log's.
    #[error("source is another log's")]
    OtherOrigin,
    /// `sequence` does not follow the record before.
    #[error("sequence is {found}, not {expected}")]
    SequenceGap {
        /// The position it has.
        expected: u64,
        /// The position it claims.
        found: u64,
    },
    /// `id` is not above the id of the record before.
    #[error("record {sequence}: id is not above the id before")]
    IdNotIncreasing {
        /// The record.
        sequence: u64,
    },
    /// `time` is before the time of the record before.
    #[error("record {sequence}: time goes back")]
    TimeGoesBack {
        /// The record.
        sequence: u64,
    },
    /// `previous` is not the leaf hash of the record before.
    #[error("record {sequence}: previous is not the leaf hash of the record before")]
    BadPrevious {
        /// The record.
        sequence: u64,
    },
    /// `revision` does not follow the subject's record before.
    #[error("record {sequence}: revision does not follow the subject's record before")]
    RevisionGap {
        /// The record.
        sequence: u64,
    },
    /// `subjectprevious` is not the leaf hash of the subject's record before, or stands at revision 0.
    #[error(
        "record {sequence}: subjectprevious is not the leaf hash of the subject's record before"
    )]
    BadSubjectPrevious {
        /// The record.
        sequence: u64,
    },
}
