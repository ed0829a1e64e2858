//! C2SP tlog-proof: the receipt of one record. Index, inclusion proof and signed checkpoint in one text, enough to
//! verify offline that a record is in the log. The keys come from the verifier, never from the receipt.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, CheckpointError, decimal};
use crate::hash::Hash;
use crate::limits::PROOF_HASHES_MAX;
use crate::note::{Note, NoteError};
use crate::tree::{self, ProofError};
use crate::vkey::VerifierKey;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The proof that a record is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// The record's sequence.
    pub index: u64,
    /// The inclusion proof, from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint to whose root it leads.
    pub checkpoint: Note,
}

/// Why a receipt is malformed, or does not prove its record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Not the lines of a tlog-proof.
    #[error("a receipt is \"{FIRST_LINE}\", an index, hashes, an empty line and a checkpoint")]
    Shape,
    /// An index that is not a plain decimal number.
    #[error("the index is not a decimal number without leading zeros")]
    Index,
    /// A line of the proof that is not a hash.
    #[error("line {line} of the proof is not a hash")]
    Hash {
        /// Which line of the proof, from 1.
        line: usize,
    },
    /// More hashes than any proof has.
    #[error("more than {PROOF_HASHES_MAX} hashes")]
    TooManyHashes,
    /// The note is malformed.
    #[error("the receipt's note: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is malformed or not trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The proof does not lead to the checkpoint's root.
    #[error("the inclusion proof: {0}")]
    Proof(#[from] ProofError),
}

impl TlogProof {
    /// Reads a receipt. An `extra` line is allowed, as nothing vouches for it, it is passed over.
    ///
    /// # Errors
    /// The way in which it is malformed.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(TlogProofError::Shape)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(TlogProofError::Shape);
        }
        if let Some(extra) = lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            STANDARD.decode(extra).map_err(|_| TlogProofError::Shape)?;
            lines.next();
        }
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .ok_or(TlogProofError::Shape)?;
        let index = decimal(index).ok_or(TlogProofError::Index)?;
        let mut hashes = Vec::new();
        for (line, number) in lines.zip(1..) {
            if number > PROOF_HASHES_MAX {
                return Err(TlogProofError::TooManyHashes);
            }
            hashes.push(
                line.parse()
                    .map_err(|_| TlogProofError::Hash { line: number })?,
            );
        }
        Ok(Self {
            index,
            hashes,
            checkpoint: Note::parse(checkpoint)?,
        })
    }

    /// The receipt as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// Checks that the record with this leaf hash is in the log, under a checkpoint signed by the log's own key, one
    /// of `keys`; answers that checkpoint.
    ///
    /// # Errors
    /// The reason why the receipt does not show it.
    pub fn verify(&self, leaf: &Hash, keys: &[VerifierKey]) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, keys)?;
        tree::verify_inclusion(
            self.index,
            checkpoint.size,
            leaf,
            &self.hashes,
            &checkpoint.root,
        )?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nindex {}", self.index)?;
        self.hashes
            .iter()
            .try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
