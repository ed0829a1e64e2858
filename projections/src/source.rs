//! The door to the log: which logs there are, what their records say, and a tick when there are more.
//!
//! The ledger's reader stands behind it; so does a log in memory in tests. Nothing here can append.

use async_trait::async_trait;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::watch;

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(std::path::PathBuf),
    /// A server.
    Postgres(String),
}

impl std::str::FromStr for DatabaseUrl {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.strip_prefix("sqlite:") {
            Some(path) => Self::Sqlite(path.into()),
            None => Self::Postgres(text.to_owned()),
        })
    }
}

/// A log's number inside its store.
pub type LogNumber = i64;

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its position.
    pub sequence: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its line, without the line feed.
    pub line: Arc<[u8]>,
}

/// A log, as far as a follower needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its number in the store.
    pub number: LogNumber,
    /// Its own id, from record 0.
    pub log_id: String,
    /// Its tenant.
    pub tenant: Tenant,
    /// How many records it has.
    pub size: u64,
}

/// The log does not answer.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct SourceError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// What a follower needs of the ledger.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// Every log that has a record.
    async fn logs(&self) -> Result<Vec<Log>, SourceError>;

    /// Records from a position on, in order: at most `limit`, at most about `bytes_max` of lines, at least one when there
    /// is one.
    async fn read(
        &self,
        log: LogNumber,
        from: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, SourceError>;

    /// Ticks after every commit of this process. Other processes' commits are found by asking.
    fn changes(&self) -> watch::Receiver<u64>;
}
