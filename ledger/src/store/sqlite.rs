//! The store in one SQLite file: one process, one writing connection, all logs. Not for several nodes.
//!
//! Every append goes through the shared committer (`sqlite/committer.rs`), so that the appends of many logs cost one flush to the
//! disk. Readers have connections of their own and never wait for the writer. The write-ahead log is flushed with every
//! commit (`synchronous=FULL`); copying it back into the file happens beside the writer.

mod append;
mod attachments;
mod committer;
mod connect;
mod cosignatures;
mod disclosures;
mod insert;
mod read;
mod timestamps;
mod turns;
mod write;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use self::committer::Committer;
use super::{
    Append, AppendError, FileLock, Head, IdempotencyRow, KeptCosignature, KeptTimestamp, LogNumber,
    Mode, Owner, PersonToken, SealedDisclosure, Span, Store, StoreError, StoredRecord,
    SubjectEntry,
};

/// The writing connection; empty once the store is closed.
type Writer = Arc<Mutex<Option<SqliteConnection>>>;

/// A SQLite file that keeps logs.
pub struct SqliteStore {
    durability: String,
    readers: SqlitePool,
    writing: Option<Writing>,
}

/// What only a store that may write has.
struct Writing {
    writer: Writer,
    committer: Committer,
    lock: Mutex<Option<FileLock>>,
}

impl SqliteStore {
    /// Opens a database file. To write, it is made if need be, its schema is brought up to date, and the lock file beside
    /// it (`PATH.lock`) is held until the store is closed; to read, neither is needed and another process may be writing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process writes, and whatever the database says.
    pub async fn open(path: &Path, mode: Mode) -> Result<Self, StoreError> {
        let writing = match mode {
            Mode::Read => None,
            Mode::Write => {
                let mut name = path.as_os_str().to_owned();
                name.push(".lock");
                let lock = FileLock::take(Path::new(&name))?;
                let writer: Writer = Arc::new(Mutex::new(Some(connect::writer(path).await?)));
                let committer =
                    Committer::start(Arc::clone(&writer), connect::checkpointer(path).await?);
                Some(Writing {
                    writer,
                    committer,
                    lock: Mutex::new(Some(lock)),
                })
            }
        };
        let readers = connect::readers(path);
        connect::check_version(&readers).await?;
        let durability = match &writing {
            Some(writing) => connect::durability(&mut *writing.lend().await?).await?,
            None => "sqlite, opened only to read".to_owned(),
        };
        Ok(Self {
            durability,
            readers,
            writing,
        })
    }

    /// The writing connection, for as long as the guard lives.
    async fn writer(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, StoreError> {
        self.writing
            .as_ref()
            .ok_or(StoreError::ReadOnly)?
            .lend()
            .await
    }
}

impl Writing {
    async fn lend(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, StoreError> {
        MutexGuard::try_map(self.writer.lock().await, Option::as_mut)
            .map_err(|_| StoreError::Closed)
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn durability(&self) -> String {
        self.durability.clone()
    }

    async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        read::heads(&self.readers).await
    }

    async fn head(&self, tenant: &Tenant) -> Result<Option<Head>, StoreError> {
        read::head(&self.readers, tenant).await
    }

    async fn create(&self, tenant: &Tenant) -> Result<Head, StoreError> {
        write::create(&mut *self.writer().await?, tenant).await
    }

    async fn append(&self, append: Append) -> Result<(), AppendError> {
        let writing = self
            .writing
            .as_ref()
            .ok_or(AppendError::NotDone(StoreError::ReadOnly))?;
        writing.committer.append(append).await
    }

    async fn read(
        &self,
        log: LogNumber,
        span: Span<'_>,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        read::records(&self.readers, log, span, limit, bytes_max).await
    }

    async fn leaves(
        &self,
        log: LogNumber,
        first: u64,
        count: u32,
    ) -> Result<Vec<Hash>, StoreError> {
        read::leaves(&self.readers, log, first, count).await
    }

    async fn subject_heads(
        &self,
        log: LogNumber,
        subjects: &[String],
    ) -> Result<Vec<Option<(u64, Hash)>>, StoreError> {
        read::subject_heads(&self.readers, log, subjects).await
    }

    async fn subjects(
        &self,
        log: LogNumber,
        records: Range<u64>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<SubjectEntry>, StoreError> {
        read::subjects(&self.readers, log, records, after, limit).await
    }

    async fn aliases(
        &self,
        log: LogNumber,
        aliases: &[String],
    ) -> Result<Vec<Option<String>>, StoreError> {
        read::aliases(&self.readers, log, aliases).await
    }

    async fn idempotency(
        &self,
        log: LogNumber,
        keys: &[String],
    ) -> Result<Vec<Option<IdempotencyRow>>, StoreError> {
        read::idempotency(&self.readers, log, keys).await
    }

    async fn forget_idempotency(&self, before_micros: i64) -> Result<u64, StoreError> {
        write::forget_idempotency(&mut *self.writer().await?, before_micros).await
    }

    async fn disclosures(
        &self,
        log: LogNumber,
        after: Option<(u64, u32)>,
        end: u64,
        limit: u32,
    ) -> Result<Vec<SealedDisclosure>, StoreError> {
        disclosures::page(&self.readers, log, after, end, limit).await
    }

    async fn disclosures_of(&self, log: LogNumber, person: PersonToken) -> Result<u64, StoreError> {
        disclosures::count(&self.readers, log, person).await
    }

    async fn erased(&self, after: PersonToken, limit: u32) -> Result<Vec<PersonToken>, StoreError> {
        disclosures::erased(&self.readers, after, limit).await
    }

    async fn put_cosignature(
        &self,
        log: LogNumber,
        kept: &KeptCosignature,
    ) -> Result<(), StoreError> {
        cosignatures::put(&mut *self.writer().await?, log, kept).await
    }

    async fn newest_cosignatures(
        &self,
        log: LogNumber,
        origin: &str,
        limit: u32,
    ) -> Result<Vec<KeptCosignature>, StoreError> {
        cosignatures::newest(&self.readers, log, origin, limit).await
    }

    async fn put_timestamp(&self, log: LogNumber, kept: &KeptTimestamp) -> Result<(), StoreError> {
        timestamps::put(&mut *self.writer().await?, log, kept).await
    }

    async fn timestamps_before(
        &self,
        log: LogNumber,
        origin: &str,
        size: u64,
        limit: u32,
    ) -> Result<Vec<KeptTimestamp>, StoreError> {
        timestamps::before(&self.readers, log, origin, size, limit).await
    }

    async fn kept_checkpoints(
        &self,
        log: LogNumber,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        cosignatures::checkpoints(&self.readers, log, after, limit).await
    }

    async fn put_snapshot(
        &self,
        log: LogNumber,
        size: u64,
        content: &[u8],
    ) -> Result<(), StoreError> {
        write::put_snapshot(&mut *self.writer().await?, log, size, content).await
    }

    async fn snapshot(&self, log: LogNumber) -> Result<Option<Vec<u8>>, StoreError> {
        read::snapshot(&self.readers, log).await
    }

    async fn put_tiles(
        &self,
        log: LogNumber,
        tiles: &[(u8, u64, Vec<u8>)],
    ) -> Result<(), StoreError> {
        write::put_tiles(&mut *self.writer().await?, log, tiles).await
    }

    async fn tiles(
        &self,
        log: LogNumber,
        wanted: &[(u8, u64)],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        read::tiles(&self.readers, log, wanted).await
    }

    async fn tile_count(&self, log: LogNumber, level: u8) -> Result<u64, StoreError> {
        read::tile_count(&self.readers, log, level).await
    }

    /// Always `true`: the lock file is the lease, and it cannot run out.
    async fn renew(&self, _node: &str, _address: &str, _seconds: u32) -> Result<bool, StoreError> {
        self.writer().await.map(|_| true)
    }

    async fn rejoin(&self, node: &str, address: &str, _seconds: u32) -> Result<(), StoreError> {
        write::rejoin(&mut *self.writer().await?, node, address).await
    }

    /// Never `None` for a log that is there: whoever holds the lock file owns every log in the file.
    async fn claim(&self, tenant: &Tenant, node: &str) -> Result<Option<Head>, StoreError> {
        write::claim(&mut *self.writer().await?, tenant, node).await
    }

    async fn release(&self, node: &str) -> Result<(), StoreError> {
        write::release(&mut *self.writer().await?, node).await
    }

    async fn owner(&self, tenant: &Tenant) -> Result<Option<Owner>, StoreError> {
        read::owner(&self.readers, tenant).await
    }

    async fn close(&self) {
        let Some(writing) = &self.writing else {
            return self.readers.close().await;
        };
        writing.committer.stop().await;
        self.readers.close().await;
        if let Some(connection) = writing.writer.lock().await.take() {
            connect::close(connection).await;
        }
        writing.lock.lock().await.take();
    }
}
