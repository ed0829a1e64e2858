//! Verifier keys, signed notes, checkpoints and receipts as an auditor meets them: what is read, what is trusted, and
//! what is refused. Another implementation of signed notes is the oracle for the good ones.

#![expect(clippy::unwrap_used, reason = "tests")]

mod keys;
mod receipts;
#[path = "../events/seeds.rs"]
mod seeds;
mod signatures;
mod signer;
mod witnesses;
