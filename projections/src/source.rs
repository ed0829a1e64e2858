//! The door to the log: which logs there are, what their records say, and a tick when there are more. The ledger's reader
//! stands behind it; in tests so does a log in memory. Nothing here can append.

use async_trait::async_trait;
use probity_ledger::Reader;
use probity_ledger::reader::LogHead;
use probity_ledger::store::{LogNumber, Span, StoreError, StoredRecord};
use tokio::sync::watch;

/// What a follower needs of the ledger.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// Every log that has a record.
    async fn logs(&self) -> Result<Vec<LogHead>, StoreError>;

    /// Records from a position on, in order: at most `limit`, at most about `bytes_max` of lines, at least one when there
    /// is one.
    async fn read(
        &self,
        log: LogNumber,
        from: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError>;

    /// Ticks after every commit of this process. Other processes' commits are found by asking.
    fn changes(&self) -> watch::Receiver<u64>;
}

#[async_trait]
impl Source for Reader {
    async fn logs(&self) -> Result<Vec<LogHead>, StoreError> {
        Self::logs(self).await
    }

    async fn read(
        &self,
        log: LogNumber,
        from: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        Self::read(self, log, Span::From(from), limit, bytes_max).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        Self::changes(self)
    }
}
