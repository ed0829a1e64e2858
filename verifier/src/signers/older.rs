//! The older checkpoints of a bundle, as they stand: which of them are needed is known only once the records were read.

use crate::limits::OLDER_CHECKPOINTS_BYTES_MAX;
use crate::report::{CheckName, Findings};
use crate::rule;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::hash::Hash;
use probity_schemas::note::Note;
use probity_schemas::tree::verify_inclusion;
use std::collections::{BTreeMap, HashMap};

/// The members `checkpoints/<size>`.
#[derive(Debug, Default)]
pub(crate) struct Older {
    checkpoints: BTreeMap<u64, (Note, Checkpoint)>,
    bytes: usize,
}

impl Older {
    /// Takes one in. One that is none, or of another size than its name says, is false.
    pub(crate) fn take(&mut self, size: u64, content: &[u8], findings: &mut Findings) {
        self.bytes += content.len();
        if self.bytes > OLDER_CHECKPOINTS_BYTES_MAX {
            let why = "the older checkpoints are more than this judge keeps in memory";
            return findings.impossible(CheckName::Signers, why);
        }
        let mut fail = |detail: String| {
            let detail = format!("checkpoints/{size}: {detail}");
            findings.fail(CheckName::Signers, None, rule::SIGNERS_CHECKPOINT, detail);
        };
        let read = std::str::from_utf8(content)
            .map_err(|error| error.to_string())
            .and_then(|text| Note::parse(text).map_err(|error| error.to_string()))
            .and_then(|note| match Checkpoint::parse(note.text()) {
                Ok(checkpoint) => Ok((note, checkpoint)),
                Err(error) => Err(error.to_string()),
            });
        match read {
            Ok((_, checkpoint)) if checkpoint.size != size => {
                fail(format!("it is of size {}", checkpoint.size));
            }
            Ok(read) => {
                self.checkpoints.insert(size, read);
            }
            Err(error) => fail(error),
        }
    }

    /// The sizes at which the tree's root is wanted.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = u64> + '_ {
        self.checkpoints.keys().copied()
    }

    /// Whether a record is shown to be the last one under the checkpoint of its next size; none without that checkpoint.
    pub(crate) fn holds(&self, handover: &Handover) -> Option<bool> {
        let Handover {
            sequence,
            leaf,
            path,
        } = handover;
        let size = sequence + 1;
        let (_, checkpoint) = self.get(size)?;
        let shown = verify_inclusion(*sequence, size, leaf, path, &checkpoint.root);
        Some(shown.is_ok())
    }

    pub(super) fn get(&self, size: u64) -> Option<&(Note, Checkpoint)> {
        self.checkpoints.get(&size)
    }
}

/// Of a part of a log: a record that names a key, and what shows that it is the last of its tree.
#[derive(Clone, Debug)]
pub(crate) struct Handover {
    pub(crate) sequence: u64,
    pub(crate) leaf: Hash,
    pub(crate) path: Vec<Hash>,
}

/// What ties an older checkpoint to the records of the bundle.
pub(crate) enum Tie<'a> {
    /// A whole log: the roots of its own tree.
    Roots(&'a dyn Fn(u64) -> Option<Hash>),
    /// A part of one: by the sequence of a record, whether it is shown to be the last one of the tree of its next size.
    Handovers(&'a HashMap<u64, bool>),
}
