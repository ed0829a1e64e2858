//! From drafts to records: canonical bytes, links, leaf, tree, signed checkpoint.
//!
//! Not durable yet: what is sealed here exists only once the store has kept it, and is dropped if it does not.

use crate::ids::{EntropyError, Ids};
use crate::receipt::Told;
use crate::signer::{Signer, sign_checkpoint};
use crate::store::{Head, NewAlias, NewRecord};
use probity_governance::command::{Command, Draft};
use probity_schemas::canonical;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::error::FormatError;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::NoteError;
use probity_schemas::record::{Envelope, SPEC_VERSION, sequence_text};
use probity_schemas::time::Time;
use probity_schemas::tree::CompactRange;
use std::borrow::Cow;
use std::sync::Arc;
use thiserror::Error;
use uuid::Uuid;

/// Where a log ends: all that the next record links to.
#[derive(Debug)]
pub(crate) struct Tip {
    /// The log's origin; changes when the log is restored.
    pub origin: String,
    /// The tree so far.
    pub range: CompactRange,
    /// Bytes of all lines so far, line feeds included.
    pub bytes: u64,
    /// The leaf hash of the last record; the empty hash before the first.
    pub leaf: Hash,
    /// Gives ids above the last.
    pub ids: Ids,
}

impl Tip {
    /// Before record 0 of a log with this origin.
    #[must_use]
    pub(crate) fn start(origin: String) -> Self {
        Self {
            origin,
            range: CompactRange::new(),
            bytes: 0,
            leaf: Hash::EMPTY,
            ids: Ids::after(Uuid::nil()),
        }
    }
}

/// A tip to come back to.
#[derive(Debug)]
pub(crate) struct Mark {
    range: CompactRange,
    bytes: u64,
    leaf: Hash,
}

impl Tip {
    /// Remembers where the tip is.
    #[must_use]
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            range: self.range.clone(),
            bytes: self.bytes,
            leaf: self.leaf,
        }
    }

    /// Goes back there; ids that were given stay given.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        (self.range, self.bytes, self.leaf) = (mark.range, mark.bytes, mark.leaf);
    }
}

/// A record that is sealed and not yet durable.
#[derive(Debug)]
pub(crate) struct SealedRecord {
    /// Its position.
    pub sequence: u64,
    /// What it says.
    pub told: Arc<Told>,
    /// What the store keeps of it.
    pub row: NewRecord,
    /// Second names that come with it.
    pub aliases: Vec<NewAlias>,
}

/// Why a draft did not become a record.
#[derive(Debug, Error)]
pub enum SealError {
    /// The draft is no record.
    #[error("it does not fit a record")]
    Format(#[from] FormatError),
    /// No fresh id.
    #[error("no id could be made")]
    Entropy(#[from] EntropyError),
}

/// The newest record of a draft's subject: its revision and leaf hash.
pub(crate) type SubjectHead = Option<(u64, Hash)>;

/// Seals one draft at the tip and moves the tip on.
///
/// # Errors
/// [`SealError`]; the tip is as it was, but for ids that are skipped.
pub(crate) fn seal(
    tip: &mut Tip,
    command: &Command,
    draft: Draft,
    time: Time,
    subject_head: SubjectHead,
) -> Result<SealedRecord, SealError> {
    let sequence = tip.range.size();
    let id = tip.ids.next(time)?;
    let mut buffer = Uuid::encode_buffer();
    let revision = subject_head.map_or(0, |(revision, _)| revision + 1);
    let text = |own: Option<String>, shared: &Option<String>| {
        own.or_else(|| shared.clone()).map(Cow::Owned)
    };
    let line = Envelope {
        actor: Cow::Borrowed(command.actor.as_str()),
        causationid: text(draft.causation, &command.causation),
        correlationid: text(draft.correlation, &command.correlation),
        data: &draft.event,
        id: Cow::Borrowed(id.hyphenated().encode_lower(&mut buffer)),
        previous: tip.leaf,
        revision: Cow::Owned(revision.to_string()),
        sequence: Cow::Owned(sequence_text(sequence)),
        source: Cow::Borrowed(tip.origin.as_str()),
        specversion: Cow::Borrowed(SPEC_VERSION),
        subject: Cow::Borrowed(draft.subject.as_str()),
        subjectprevious: subject_head.map(|(_, leaf)| leaf),
        surface: Cow::Borrowed(command.surface),
        time,
        traceparent: text(draft.traceparent, &command.traceparent),
        type_name: Cow::Borrowed(draft.event.type_name()),
        workspace: command.workspace.as_deref().map(Cow::Borrowed),
    }
    .to_line()?;
    // A number of ours beyond 2^53-1 would be written, and no judge would read it.
    canonical::check(&line).map_err(FormatError::from)?;
    let leaf = leaf_hash(&line);
    tip.range.push(leaf);
    tip.leaf = leaf;
    tip.bytes += line.len() as u64 + 1;
    let subject = draft.subject.as_str().to_owned();
    let aliases = draft
        .aliases
        .iter()
        .map(|alias| NewAlias {
            alias: alias.as_str().to_owned(),
            subject: subject.clone(),
        })
        .collect();
    let row = NewRecord {
        line: line.into(),
        leaf,
        subject,
        revision,
        time_micros: time.micros(),
    };
    Ok(SealedRecord {
        sequence,
        told: Arc::new(Told {
            subject: draft.subject,
            event: draft.event,
        }),
        row,
        aliases,
    })
}

/// The log's row after a batch: the tip, and a checkpoint over it, signed.
///
/// # Errors
/// [`NoteError`] when the origin is no origin.
pub(crate) fn next_head(
    tip: &Tip,
    before: &Head,
    signers: &[&dyn Signer],
) -> Result<Head, NoteError> {
    let checkpoint = Checkpoint {
        origin: tip.origin.clone(),
        size: tip.range.size(),
        root: tip.range.root(),
    };
    Ok(Head {
        range: tip.range.clone(),
        bytes: tip.bytes,
        checkpoint: sign_checkpoint(signers, &checkpoint)?,
        ..before.clone()
    })
}
