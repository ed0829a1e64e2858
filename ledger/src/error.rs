//! Why a command was not recorded, or may not have been. Verdicts are not errors: a refusal is a record.

use crate::clock::ClockError;
use crate::persons::PersonError;
use crate::store::StoreError;
use probity_governance::execute::Rejected;
use probity_governance::personal::PersonMissing;
use probity_schemas::disclosure::MarkError;
use probity_schemas::limits::LABEL_BYTES_MAX;
use thiserror::Error;

/// Why a command has no receipt.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// The command cannot be decided as it is asked.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The tenant has no log.
    #[error("there is no such log")]
    NoLog,
    /// The writer has enough to do. Nothing was recorded.
    #[error("the writer's queue is full: try again in {retry_after_seconds} s")]
    QueueFull {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// Nothing was recorded, through no fault of the caller: the same request may be sent again.
    #[error("it was not recorded: send it again")]
    NotRecorded,
    /// The store does not say whether it was recorded. Send it again with the same idempotency key.
    #[error("whether it was recorded is not known: send it again with the same idempotency key")]
    OutcomeUnknown,
    /// Another node owns the log.
    #[error("another node owns this log")]
    OwnedElsewhere {
        /// Where that node takes requests.
        address: String,
    },
    /// Nobody owns the log at this moment.
    #[error("no node owns this log right now: try again in {retry_after_seconds} s")]
    NoOwner {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// The idempotency key was used with another body.
    #[error("the idempotency key was used with another body")]
    IdempotencyMismatch,
    /// A request with this idempotency key is on its way.
    #[error("a request with this idempotency key is on its way")]
    IdempotencyInFlight,
    /// The idempotency key is empty or too long.
    #[error("an idempotency key has 1 to 255 bytes")]
    IdempotencyKeyLength,
    /// The clock cannot be right.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// This node may read the log and not sign it.
    #[error("this log is read-only here: {why}")]
    ReadOnly {
        /// Why.
        why: String,
    },
    /// A record would be longer than a record may be.
    #[error("a record would have {bytes} bytes, more than 65535")]
    RecordTooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// An attachment is longer than one may be here.
    #[error("an attachment has {bytes} bytes, more than 1048576")]
    AttachmentTooLong {
        /// How long it is.
        bytes: usize,
    },
    /// A record would name an attachment that is not there.
    #[error("attachment {blake3} is not here: upload it first")]
    AttachmentMissing {
        /// Its name.
        blake3: String,
    },
    /// A record would state another length than the attachment has.
    #[error("attachment {blake3} has {kept} bytes, not {named}")]
    AttachmentLength {
        /// Its name.
        blake3: String,
        /// The length it has.
        kept: u64,
        /// The length that would be stated.
        named: u64,
    },
    /// A name that the caller chose holds U+0000.
    #[error("an id holds U+0000")]
    NulInName,
    /// Too many attachments.
    #[error("more attachments than one command may bring")]
    TooManyAttachments,
    /// What would be recorded is no record: a fault of ours.
    #[error("a record could not be made")]
    Unsealable(#[source] crate::seal::SealError),
    /// A broken invariant stopped the writer. Nothing was recorded.
    #[error("the writer stopped: {why}")]
    Broken {
        /// What was found.
        why: String,
    },
    /// Personal values cannot be taken out of a body as it is asked.
    #[error("{}personal: {why}", at(*line))]
    Personal {
        /// Which observation of a batch, from 1.
        line: Option<usize>,
        /// Why.
        why: MarkError,
    },
    /// A setting makes values of a body personal, and the body does not say whose they are.
    #[error("{}personal: {why}", at(*line))]
    PersonMissing {
        /// Which observation of a batch, from 1.
        line: Option<usize>,
        /// Why.
        why: PersonMissing,
    },
    /// A person's id is empty, too long or holds U+0000.
    #[error("{}personal: a person's id has 1 to {LABEL_BYTES_MAX} bytes and no U+0000", at(*line))]
    PersonName {
        /// Which observation of a batch, from 1.
        line: Option<usize>,
    },
    /// The risk score reads it, so it must stand in the record.
    #[error("personal: the risk score reads {pointer}, which therefore cannot be withheld")]
    PersonalRisk {
        /// The pointer.
        pointer: String,
    },
    /// What a producer signed is kept as it was signed, so nothing can be taken out of it.
    #[error(
        "personal: the setting {setting} withholds values of this report, and a report that its producer signed is kept whole"
    )]
    PersonalSigned {
        /// The setting.
        setting: String,
    },
    /// The persons' keys failed. Where a person was to be erased, it may be recorded and the key not yet destroyed: ask again.
    #[error("the persons' keys could not be used: ask again")]
    Persons(#[from] PersonError),
    /// The ledger is stopping.
    #[error("the ledger is stopping")]
    Stopped,
    /// The store failed before anything was decided.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Where in a batch, for people.
fn at(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!("line {line}: "))
}
