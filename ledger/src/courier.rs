//! How others are asked for what a log cannot say of itself: witnesses for cosignatures, authorities for time-stamps.
//!
//! No network here: whoever opens the ledger brings it.

use async_trait::async_trait;
use std::fmt;
use thiserror::Error;

/// Carries a request to somebody and its answer back.
#[async_trait]
pub trait Courier: fmt::Debug + Send + Sync + 'static {
    /// Posts to an address of the operator's own configuration, waits a bounded time, follows nothing, and reads a bounded answer.
    async fn post(&self, letter: Letter) -> Result<Answer, CourierError>;
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where to.
    pub url: String,
    /// The media type of the body.
    pub media_type: &'static str,
    /// What is asked.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CourierError {
    /// Nobody there, or nobody who speaks.
    #[error("it cannot be reached: {why}")]
    Unreachable {
        /// What the network says.
        why: String,
    },
    /// It takes too long.
    #[error("it does not answer in time")]
    Silent,
    /// It answers at greater length than anybody who is asked for this, or not in text where text is due.
    #[error("it answers what nobody would who is asked for this")]
    Strange,
}
