//! The store in a PostgreSQL database, for one node or several: schema `probity`, logs that commit side by side.
//!
//! An append is one statement and one round trip: it swaps the log's row, if that is still the one the writer saw, and inserts
//! everything else from arrays. Who may write is said by the row's epoch, and by leases on the database's own clock; no
//! advisory lock is held.

mod append;
mod attachments;
mod connect;
mod cosignatures;
mod disclosures;
mod lease;
mod read;
mod timestamps;
mod write;

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::RwLock;

use super::limits::ANSWER_SECONDS_MAX;
use super::{
    Append, AppendError, Head, IdempotencyRow, KeptCosignature, KeptTimestamp, LogNumber, Mode,
    Owner, PersonToken, SealedDisclosure, Span, Store, StoreError, StoredRecord, SubjectEntry,
};

/// A PostgreSQL database that keeps logs.
pub struct PostgresStore {
    durability: String,
    readers: PgPool,
    writers: Option<PgPool>,
    /// Held by every append while it is under way, so that a closing waits for them.
    appending: RwLock<()>,
}

impl PostgresStore {
    /// Opens a database. To write, its schema is made or brought up to date.
    ///
    /// # Errors
    /// [`StoreError::NotDurable`] when the server may lose what it said it kept, and whatever the database says.
    pub async fn open(options: PgConnectOptions, mode: Mode) -> Result<Self, StoreError> {
        let options = connect::named(options);
        let writers = match mode {
            Mode::Read => None,
            Mode::Write => {
                within(connect::migrate(&options)).await?;
                Some(connect::writers(options.clone()))
            }
        };
        let readers = connect::readers(options);
        within(connect::check_version(&readers)).await?;
        let durability = within(connect::durability(writers.as_ref().unwrap_or(&readers))).await?;
        Ok(Self {
            durability,
            readers,
            writers,
            appending: RwLock::new(()),
        })
    }

    fn writers(&self) -> Result<&PgPool, StoreError> {
        self.writers.as_ref().ok_or(StoreError::ReadOnly)
    }
}

/// Waits for the database, but not for ever: a connection to a host that is gone answers nothing.
async fn within<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS_MAX), answer).await {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::Silent {
            seconds: ANSWER_SECONDS_MAX,
        }),
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn durability(&self) -> String {
        self.durability.clone()
    }

    async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        within(read::heads(&self.readers)).await
    }

    async fn head(&self, tenant: &Tenant) -> Result<Option<Head>, StoreError> {
        within(read::head(&self.readers, tenant)).await
    }

    async fn create(&self, tenant: &Tenant) -> Result<Head, StoreError> {
        within(write::create(self.writers()?, tenant)).await
    }

    async fn append(&self, append: Append) -> Result<(), AppendError> {
        let writers = self.writers().map_err(AppendError::NotDone)?;
        let _under_way = self.appending.read().await;
        append::append(writers, &append).await
    }

    async fn read(
        &self,
        log: LogNumber,
        span: Span<'_>,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        within(read::records(&self.readers, log, span, limit, bytes_max)).await
    }

    async fn leaves(
        &self,
        log: LogNumber,
        first: u64,
        count: u32,
    ) -> Result<Vec<Hash>, StoreError> {
        within(read::leaves(&self.readers, log, first, count)).await
    }

    async fn subject_heads(
        &self,
        log: LogNumber,
        subjects: &[String],
    ) -> Result<Vec<Option<(u64, Hash)>>, StoreError> {
        within(read::subject_heads(&self.readers, log, subjects)).await
    }

    async fn subjects(
        &self,
        log: LogNumber,
        records: Range<u64>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<SubjectEntry>, StoreError> {
        within(read::subjects(&self.readers, log, records, after, limit)).await
    }

    async fn aliases(
        &self,
        log: LogNumber,
        aliases: &[String],
    ) -> Result<Vec<Option<String>>, StoreError> {
        within(read::aliases(&self.readers, log, aliases)).await
    }

    async fn idempotency(
        &self,
        log: LogNumber,
        keys: &[String],
    ) -> Result<Vec<Option<IdempotencyRow>>, StoreError> {
        within(read::idempotency(&self.readers, log, keys)).await
    }

    async fn forget_idempotency(&self, before_micros: i64) -> Result<u64, StoreError> {
        within(write::forget_idempotency(self.writers()?, before_micros)).await
    }

    async fn disclosures(
        &self,
        log: LogNumber,
        after: Option<(u64, u32)>,
        end: u64,
        limit: u32,
    ) -> Result<Vec<SealedDisclosure>, StoreError> {
        within(disclosures::page(&self.readers, log, after, end, limit)).await
    }

    async fn disclosures_of(&self, log: LogNumber, person: PersonToken) -> Result<u64, StoreError> {
        within(disclosures::count(&self.readers, log, person)).await
    }

    async fn erased(&self, after: PersonToken, limit: u32) -> Result<Vec<PersonToken>, StoreError> {
        within(disclosures::erased(&self.readers, after, limit)).await
    }

    async fn put_cosignature(
        &self,
        log: LogNumber,
        kept: &KeptCosignature,
    ) -> Result<(), StoreError> {
        within(cosignatures::put(self.writers()?, log, kept)).await
    }

    async fn newest_cosignatures(
        &self,
        log: LogNumber,
        origin: &str,
        limit: u32,
    ) -> Result<Vec<KeptCosignature>, StoreError> {
        within(cosignatures::newest(&self.readers, log, origin, limit)).await
    }

    async fn put_timestamp(&self, log: LogNumber, kept: &KeptTimestamp) -> Result<(), StoreError> {
        within(timestamps::put(self.writers()?, log, kept)).await
    }

    async fn timestamps_before(
        &self,
        log: LogNumber,
        origin: &str,
        size: u64,
        limit: u32,
    ) -> Result<Vec<KeptTimestamp>, StoreError> {
        within(timestamps::before(&self.readers, log, origin, size, limit)).await
    }

    async fn kept_checkpoints(
        &self,
        log: LogNumber,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        within(cosignatures::checkpoints(&self.readers, log, after, limit)).await
    }

    async fn put_snapshot(
        &self,
        log: LogNumber,
        size: u64,
        content: &[u8],
    ) -> Result<(), StoreError> {
        within(write::put_snapshot(self.writers()?, log, size, content)).await
    }

    async fn snapshot(&self, log: LogNumber) -> Result<Option<Vec<u8>>, StoreError> {
        within(read::snapshot(&self.readers, log)).await
    }

    async fn put_tiles(
        &self,
        log: LogNumber,
        tiles: &[(u8, u64, Vec<u8>)],
    ) -> Result<(), StoreError> {
        within(write::put_tiles(self.writers()?, log, tiles)).await
    }

    async fn tiles(
        &self,
        log: LogNumber,
        wanted: &[(u8, u64)],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        within(read::tiles(&self.readers, log, wanted)).await
    }

    async fn tile_count(&self, log: LogNumber, level: u8) -> Result<u64, StoreError> {
        within(read::tile_count(&self.readers, log, level)).await
    }

    async fn renew(&self, node: &str, address: &str, seconds: u32) -> Result<bool, StoreError> {
        within(lease::renew(self.writers()?, node, address, seconds)).await
    }

    async fn rejoin(&self, node: &str, address: &str, seconds: u32) -> Result<(), StoreError> {
        within(lease::rejoin(self.writers()?, node, address, seconds)).await
    }

    async fn claim(&self, tenant: &Tenant, node: &str) -> Result<Option<Head>, StoreError> {
        within(lease::claim(self.writers()?, tenant, node)).await
    }

    async fn release(&self, node: &str) -> Result<(), StoreError> {
        within(lease::release(self.writers()?, node)).await
    }

    async fn owner(&self, tenant: &Tenant) -> Result<Option<Owner>, StoreError> {
        within(lease::owner(&self.readers, tenant)).await
    }

    async fn close(&self) {
        let _none_under_way = self.appending.write().await;
        if let Some(writers) = &self.writers {
            writers.close().await;
        }
        self.readers.close().await;
    }
}
