//! The rules: commands, state, facts, decisions. Pure: no clock, no randomness, no file, no network, no signing key.
//!
//! The writer and the judge share this crate: what one decided, the other decides again. [`execute::execute`] is the
//! writer's door, [`adjudicate::adjudicate`] the judge's, and [`state::State`] is what both fold from the records.

pub mod adjudicate;
pub mod command;
pub mod decimal;
pub mod engine;
pub mod execute;
pub mod limits;
pub mod permission;
pub mod personal;
pub mod policy;
pub mod posture;
pub mod producer;
pub mod settings;
pub mod signer;
pub mod signing;
pub mod state;
