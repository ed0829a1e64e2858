//! What goes into the ledger and what comes back: a submission, and its receipt.

use crate::seal::SealedRecord;
use crate::store::{Attachment, StoredRecord};
use bytes::Bytes;
use probity_governance::command::{Command, Reply};
use probity_schemas::error::FormatError;
use probity_schemas::event::Event;
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::subject::{Subject, Tenant};
use std::sync::Arc;

/// A command, and what comes with it.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The command.
    pub command: Command,
    /// The caller's idempotency key.
    pub idempotency: Option<Idempotency>,
    /// Content that the command's records name.
    pub attachments: Vec<Attachment>,
}

/// A caller's idempotency key.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The key.
    pub key: String,
    /// What it stands for: the request's body.
    pub body: Bytes,
}

/// What was durably recorded for a command.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The tenant.
    pub tenant: Tenant,
    /// The records, in order; none when nothing needed recording.
    pub records: Vec<Committed>,
    /// What is answered besides.
    pub reply: Reply,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    pub replayed: bool,
    /// The size of the log that covers them.
    pub size: u64,
    /// The checkpoint over that size, a signed note.
    pub checkpoint: Arc<str>,
}

impl Receipt {
    /// The sequence of the first record.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.records.first().map(|record| record.sequence)
    }

    /// The sequence of the last record.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.records.last().map(|record| record.sequence)
    }
}

/// A record that is durable.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its position.
    pub sequence: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its line, without the line feed.
    pub line: Arc<[u8]>,
    /// What the line says, where it was made just now.
    told: Option<Arc<Told>>,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is about.
    pub subject: Subject,
    /// What happened.
    pub event: Event,
}

impl Committed {
    pub(crate) fn of(sealed: &SealedRecord) -> Self {
        Self {
            sequence: sealed.sequence,
            leaf: sealed.row.leaf,
            line: Arc::clone(&sealed.row.line),
            told: Some(Arc::clone(&sealed.told)),
        }
    }

    /// The record.
    ///
    /// # Errors
    /// [`FormatError`] for a line that is none.
    pub fn record(&self) -> Result<Record<'_>, FormatError> {
        Record::parse_canonical(&self.line)
    }

    /// Its body, as its line has it.
    ///
    /// # Errors
    /// [`FormatError`] for a line that is no record.
    pub fn event(&self) -> Result<Event, FormatError> {
        self.record()?.event()
    }

    /// Its subject and its body; the line is read only where it was not made just now.
    ///
    /// # Errors
    /// [`FormatError`] for a line that is no record.
    pub fn told(&self) -> Result<Arc<Told>, FormatError> {
        if let Some(told) = &self.told {
            return Ok(Arc::clone(told));
        }
        let record = self.record()?;
        Ok(Arc::new(Told {
            subject: Subject::parse(&record.envelope.subject)?,
            event: record.event()?,
        }))
    }
}

/// Two are the same if their lines are.
impl PartialEq for Committed {
    fn eq(&self, other: &Self) -> bool {
        (self.sequence, self.leaf, &self.line) == (other.sequence, other.leaf, &other.line)
    }
}

impl Eq for Committed {}

impl From<StoredRecord> for Committed {
    fn from(stored: StoredRecord) -> Self {
        Self {
            sequence: stored.sequence,
            leaf: stored.leaf,
            line: stored.line,
            told: None,
        }
    }
}
