//! The rules: commands, state, facts, decisions. Pure: no clock, no randomness, no file, no network, no signing key.
//!
//! The writer and the judge share this crate: what one decided, the other decides again.

pub mod command;
