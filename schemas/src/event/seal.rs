//! What the writer seals of itself, period by period: which subjects were written, and what its register comes to.
//!
//! Neither says anything new of the log: whoever has the whole of it computes both again. They are for those who have a
//! part of it. What a run is, and when two become one, is in [`crate::run`].

use crate::hash::Hash;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `subjects.sealed.v1`: the newest revision of every subject, in sorted runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectsSealed {
    /// The runs, the oldest first. Together they cover the records from 0 to `size`.
    pub runs: Vec<SealedRun>,
    /// How many records are covered: all from 0 on, and none after the one before this record.
    pub size: u64,
}

/// A run: the newest revision of each subject among the records from `first` to where the next run begins.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct SealedRun {
    /// Its entries: distinct subjects.
    pub count: u64,
    /// The first record it covers.
    pub first: u64,
    /// How many seals it spans: a power of two.
    pub length: u64,
    /// The root of the tree over its entries, sorted by their bytes.
    pub root: Hash,
}

/// `state.sealed.v1`: what the writer's register comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateSealed {
    /// SHA-256 of the register after the first `size` records.
    pub digest: Hash,
    /// How many records it rests on: all before this one.
    pub size: u64,
}
