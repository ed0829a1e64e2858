//! The format of Probity's log, and the means to check it: canonical JSON, hashes, tree proofs, signed notes,
//! checkpoints and receipts. Nothing here signs, reads files, opens sockets or asks a clock, so that an auditor can
//! take this crate alone. `FORMAT.md` beside it is the normative text.

pub mod actor_key;
pub mod add_checkpoint;
pub mod body;
pub mod bundle;
pub mod canonical;
pub mod chain;
pub mod checkpoint;
pub mod cosignature;
pub mod disclosure;
pub mod envelope;
pub mod error;
pub mod event;
pub mod hash;
pub mod limits;
pub mod note;
pub mod partial;
pub mod policy;
pub mod proof;
pub mod record;
pub mod run;
#[cfg(test)]
#[path = "../tests/events/seeds.rs"]
mod seeds;
pub mod signature;
pub mod subject;
pub mod tile;
pub mod time;
pub mod timestamp;
pub mod tree;
pub mod trust;
pub mod vkey;
pub mod vocabulary;
