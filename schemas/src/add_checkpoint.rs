//! C2SP tlog-witness: the body of `add-checkpoint`, with which a log asks a witness for its cosignature. What a witness
//! answers, and when, is not here.

use std::fmt;

use crate::checkpoint::decimal;
use crate::hash::Hash;
use crate::limits::PROOF_HASHES_MAX;
use crate::note::{Note, NoteError};

/// The media type of the size that a witness states in a conflict.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// A log's request to a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness is believed to have cosigned last; 0 for none.
    pub old: u64,
    /// The consistency proof from that size to the checkpoint's.
    pub proof: Vec<Hash>,
    /// The checkpoint to be cosigned.
    pub checkpoint: Note,
}

/// Why a text is not such a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddCheckpointError {
    /// No line `old <size>`, or no empty line and checkpoint after the proof.
    #[error("a request is \"old\" and a size, hashes, an empty line and a checkpoint")]
    Shape,
    /// An old size that is not a plain decimal number.
    #[error("the old size is not a decimal number without leading zeros")]
    OldSize,
    /// A line of the proof that is not a hash.
    #[error("line {line} of the proof is not a hash")]
    Hash {
        /// Which line of the proof, from 1.
        line: usize,
    },
    /// More hashes than any proof has.
    #[error("more than {PROOF_HASHES_MAX} hashes")]
    TooManyHashes,
    /// The checkpoint's note is malformed.
    #[error("the checkpoint's note: {0}")]
    Note(#[from] NoteError),
}

impl AddCheckpoint {
    /// Reads a request. The checkpoint's text and its signatures are not looked at.
    ///
    /// # Errors
    /// The way in which it is malformed.
    pub fn parse(body: &str) -> Result<Self, AddCheckpointError> {
        let (head, checkpoint) = body.split_once("\n\n").ok_or(AddCheckpointError::Shape)?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .ok_or(AddCheckpointError::Shape)?;
        let old = decimal(old).ok_or(AddCheckpointError::OldSize)?;
        let mut proof = Vec::new();
        for (line, number) in lines.zip(1..) {
            if number > PROOF_HASHES_MAX {
                return Err(AddCheckpointError::TooManyHashes);
            }
            let hash = line.parse();
            proof.push(hash.map_err(|_| AddCheckpointError::Hash { line: number })?);
        }
        Ok(Self {
            old,
            proof,
            checkpoint: Note::parse(checkpoint)?,
        })
    }

    /// The request as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof
            .iter()
            .try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
