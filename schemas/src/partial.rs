//! The lines of `proofs.jsonl`: what shows that records are in the log's tree, and that a subject's records are all there.
//!
//! FORMAT.md, section 7, has the rules. Making the proofs is the ledger's business, judging them the judge's.

use crate::hash::Hash;
use serde::{Deserialize, Serialize};

/// A record is in the tree of the bundle's checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordProof {
    /// The record's leaf hash.
    pub leaf: Hash,
    /// The inclusion proof, from the leaf to the root.
    pub path: Vec<Hash>,
    /// The record's sequence.
    pub sequence: u64,
}

/// What one run of a seal holds of a subject: its entry, or the entries between which it would stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunProof {
    /// Entries of the run.
    pub count: u64,
    /// The subject's own, or one or two neighbours.
    pub entries: Vec<ProvedEntry>,
    /// The run's root.
    pub root: Hash,
    /// Which of the seal's runs, from 0.
    pub run: u64,
    /// The sequence of the `subjects.sealed`.
    pub seal: u64,
    /// The subject.
    pub subject: String,
}

/// An entry of a run, and that it is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvedEntry {
    /// Its place in the run, from 0.
    pub index: u64,
    /// Leaf hash of the record.
    pub leaf: Hash,
    /// The inclusion proof in the run.
    pub path: Vec<Hash>,
    /// The record's revision.
    pub revision: u64,
    /// The record's subject.
    pub subject: String,
}

/// A record is the last one in the tree of the bundle's older checkpoint of its next size: it hands the signer's key on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverProof {
    /// The record's sequence.
    pub handover: u64,
    /// The inclusion proof, from the leaf to the root.
    pub path: Vec<Hash>,
}

/// A line of `proofs.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofLine {
    /// Of a record.
    Record(RecordProof),
    /// Of a subject.
    Run(RunProof),
    /// Of a change of the signer's key.
    Handover(HandoverProof),
}

/// Why a line is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a line of proofs.jsonl: {reason}")]
pub struct ProofLineError {
    /// What the decoder says.
    pub reason: String,
}

impl ProofLine {
    /// Reads a line, without its line feed.
    ///
    /// # Errors
    /// [`ProofLineError`].
    pub fn parse(line: &[u8]) -> Result<Self, ProofLineError> {
        let unreadable = |reason: String| ProofLineError { reason };
        crate::canonical::check(line).map_err(|error| unreadable(error.to_string()))?;
        let read = if line.starts_with(br#"{"leaf":"#) {
            serde_json::from_slice(line).map(Self::Record)
        } else if line.starts_with(br#"{"handover":"#) {
            serde_json::from_slice(line).map(Self::Handover)
        } else {
            serde_json::from_slice(line).map(Self::Run)
        };
        read.map_err(|error| unreadable(error.to_string()))
    }
}
