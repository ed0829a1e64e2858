//! For tests: a store that fails on demand, each write in both ways a write can fail. Not part of the product; it is
//! public because the tests that need it stand outside this crate.

mod attachments;

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;

use super::{
    Append, AppendError, Head, IdempotencyRow, KeptCosignature, KeptTimestamp, LogNumber, Owner,
    PersonToken, SealedDisclosure, Span, Store, StoreError, StoredRecord, SubjectEntry,
};

/// What happens to an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendFault {
    /// Nothing: it reaches the store.
    None,
    /// It does not reach the store, and is reported as not done.
    NotDone,
    /// It reaches the store, and is reported as unknown.
    DoneButUnknown,
    /// It does not reach the store, and is reported as unknown.
    NotDoneButUnknown,
}

/// Calls that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `head` and `heads`.
    Head,
    /// `read` and `leaves`.
    Read,
    /// `leaves`.
    Leaves,
    /// `subject_heads`, `subjects`, `aliases` and `idempotency`.
    Lookup,
    /// `claim`.
    Claim,
    /// `renew`.
    Renew,
    /// `put_snapshot`, `put_tiles`, `put_cosignature` and `put_timestamp`.
    Put,
}

/// A store that fails on demand and otherwise is the one inside.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    appends: Mutex<VecDeque<AppendFault>>,
    uploads: Mutex<VecDeque<AppendFault>>,
    failing: Mutex<Vec<Call>>,
}

impl FaultyStore {
    /// A store that does not fail yet.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            appends: Mutex::default(),
            uploads: Mutex::default(),
            failing: Mutex::default(),
        }
    }

    /// What happens to the appends from the next one on; those after the last one named reach the store.
    pub fn fail_appends(&self, faults: impl IntoIterator<Item = AppendFault>) {
        *unpoisoned(&self.appends) = faults.into_iter().collect();
    }

    /// The `nth` append from now, 1 being the next one, fails like this.
    pub fn fail_append(&self, nth: usize, fault: AppendFault) {
        let before = std::iter::repeat_n(AppendFault::None, nth.saturating_sub(1));
        self.fail_appends(before.chain([fault]));
    }

    /// From now on exactly these calls fail.
    pub fn fail_calls(&self, calls: &[Call]) {
        *unpoisoned(&self.failing) = calls.to_vec();
    }

    fn check(&self, call: Call) -> Result<(), StoreError> {
        if unpoisoned(&self.failing).contains(&call) {
            Err(failure())
        } else {
            Ok(())
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a lost connection looks like.
fn failure() -> StoreError {
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::ConnectionReset,
        "a fault made for a test",
    ))
    .into()
}

#[async_trait]
impl Store for FaultyStore {
    fn durability(&self) -> String {
        self.inner.durability()
    }

    async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.check(Call::Head)?;
        self.inner.heads().await
    }

    async fn head(&self, tenant: &Tenant) -> Result<Option<Head>, StoreError> {
        self.check(Call::Head)?;
        self.inner.head(tenant).await
    }

    async fn create(&self, tenant: &Tenant) -> Result<Head, StoreError> {
        self.inner.create(tenant).await
    }

    async fn append(&self, append: Append) -> Result<(), AppendError> {
        let fault = unpoisoned(&self.appends)
            .pop_front()
            .unwrap_or(AppendFault::None);
        match fault {
            AppendFault::None => self.inner.append(append).await,
            AppendFault::NotDone => Err(AppendError::NotDone(failure())),
            AppendFault::NotDoneButUnknown => Err(AppendError::Unknown(failure())),
            AppendFault::DoneButUnknown => {
                self.inner.append(append).await?;
                Err(AppendError::Unknown(failure()))
            }
        }
    }

    async fn read(
        &self,
        log: LogNumber,
        span: Span<'_>,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        self.check(Call::Read)?;
        self.inner.read(log, span, limit, bytes_max).await
    }

    async fn leaves(
        &self,
        log: LogNumber,
        first: u64,
        count: u32,
    ) -> Result<Vec<Hash>, StoreError> {
        self.check(Call::Read)?;
        self.check(Call::Leaves)?;
        self.inner.leaves(log, first, count).await
    }

    async fn subject_heads(
        &self,
        log: LogNumber,
        subjects: &[String],
    ) -> Result<Vec<Option<(u64, Hash)>>, StoreError> {
        self.check(Call::Lookup)?;
        self.inner.subject_heads(log, subjects).await
    }

    async fn subjects(
        &self,
        log: LogNumber,
        records: Range<u64>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<SubjectEntry>, StoreError> {
        self.check(Call::Lookup)?;
        self.inner.subjects(log, records, after, limit).await
    }

    async fn aliases(
        &self,
        log: LogNumber,
        aliases: &[String],
    ) -> Result<Vec<Option<String>>, StoreError> {
        self.check(Call::Lookup)?;
        self.inner.aliases(log, aliases).await
    }

    async fn idempotency(
        &self,
        log: LogNumber,
        keys: &[String],
    ) -> Result<Vec<Option<IdempotencyRow>>, StoreError> {
        self.check(Call::Lookup)?;
        self.inner.idempotency(log, keys).await
    }

    async fn forget_idempotency(&self, before_micros: i64) -> Result<u64, StoreError> {
        self.inner.forget_idempotency(before_micros).await
    }

    async fn disclosures(
        &self,
        log: LogNumber,
        after: Option<(u64, u32)>,
        end: u64,
        limit: u32,
    ) -> Result<Vec<SealedDisclosure>, StoreError> {
        self.check(Call::Read)?;
        self.inner.disclosures(log, after, end, limit).await
    }

    async fn disclosures_of(&self, log: LogNumber, person: PersonToken) -> Result<u64, StoreError> {
        self.check(Call::Lookup)?;
        self.inner.disclosures_of(log, person).await
    }

    async fn erased(&self, after: PersonToken, limit: u32) -> Result<Vec<PersonToken>, StoreError> {
        self.check(Call::Read)?;
        self.inner.erased(after, limit).await
    }

    async fn put_cosignature(
        &self,
        log: LogNumber,
        kept: &KeptCosignature,
    ) -> Result<(), StoreError> {
        self.check(Call::Put)?;
        self.inner.put_cosignature(log, kept).await
    }

    async fn newest_cosignatures(
        &self,
        log: LogNumber,
        origin: &str,
        limit: u32,
    ) -> Result<Vec<KeptCosignature>, StoreError> {
        self.inner.newest_cosignatures(log, origin, limit).await
    }

    async fn put_timestamp(&self, log: LogNumber, kept: &KeptTimestamp) -> Result<(), StoreError> {
        self.check(Call::Put)?;
        self.inner.put_timestamp(log, kept).await
    }

    async fn timestamps_before(
        &self,
        log: LogNumber,
        origin: &str,
        size: u64,
        limit: u32,
    ) -> Result<Vec<KeptTimestamp>, StoreError> {
        self.inner.timestamps_before(log, origin, size, limit).await
    }

    async fn kept_checkpoints(
        &self,
        log: LogNumber,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        self.inner.kept_checkpoints(log, after, limit).await
    }

    async fn put_snapshot(
        &self,
        log: LogNumber,
        size: u64,
        content: &[u8],
    ) -> Result<(), StoreError> {
        self.check(Call::Put)?;
        self.inner.put_snapshot(log, size, content).await
    }

    async fn snapshot(&self, log: LogNumber) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.snapshot(log).await
    }

    async fn put_tiles(
        &self,
        log: LogNumber,
        tiles: &[(u8, u64, Vec<u8>)],
    ) -> Result<(), StoreError> {
        self.check(Call::Put)?;
        self.inner.put_tiles(log, tiles).await
    }

    async fn tiles(
        &self,
        log: LogNumber,
        wanted: &[(u8, u64)],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.inner.tiles(log, wanted).await
    }

    async fn tile_count(&self, log: LogNumber, level: u8) -> Result<u64, StoreError> {
        self.inner.tile_count(log, level).await
    }

    async fn renew(&self, node: &str, address: &str, seconds: u32) -> Result<bool, StoreError> {
        self.check(Call::Renew)?;
        self.inner.renew(node, address, seconds).await
    }

    async fn rejoin(&self, node: &str, address: &str, seconds: u32) -> Result<(), StoreError> {
        self.inner.rejoin(node, address, seconds).await
    }

    async fn claim(&self, tenant: &Tenant, node: &str) -> Result<Option<Head>, StoreError> {
        self.check(Call::Claim)?;
        self.inner.claim(tenant, node).await
    }

    async fn release(&self, node: &str) -> Result<(), StoreError> {
        self.inner.release(node).await
    }

    async fn owner(&self, tenant: &Tenant) -> Result<Option<Owner>, StoreError> {
        self.inner.owner(tenant).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
