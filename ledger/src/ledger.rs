//! The ledger as the rest of the program sees it: open, submit, read, close.
//!
//! One handle per log this node writes; a log is taken when the first command for it arrives, and given up with the lease or
//! at the end. A log owned elsewhere is read from the store.

use crate::admit::{InFlightKeys, admit};
use crate::aliases::Aliases;
use crate::clock::{Agreement, Clock, SystemClock};
use crate::config::Config;
use crate::error::SubmitError;
use crate::guard::Guard;
use crate::lease::Lease;
use crate::limits::{QUEUE_RETRY_SECONDS, UPLOADS_MAX};
use crate::open::{self, OpenError, Opened};
use crate::persons::Persons;
pub use crate::published::Published;
use crate::reader::Reader;
use crate::receipt::{Receipt, Submission};
use crate::replica::Replicas;
use crate::store::{FileLock, LogNumber, Mode, Owner, Store, StoreError};
use crate::tile_roots::TileRoots;
use crate::{housekeeping, proof};
use probity_governance::command::Operation;
use probity_governance::state::Directory;
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot, watch};
use zeroize::Zeroizing;

/// A log that this node writes.
pub(crate) struct Handle {
    pub log: LogNumber,
    pub queue: mpsc::Sender<crate::admit::Admitted>,
    pub published: watch::Receiver<Arc<Published>>,
    pub in_flight: InFlightKeys,
    pub aliases: Aliases,
    pub fingerprint_key: Zeroizing<[u8; 32]>,
    pub term: u64,
    pub task: std::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

pub(crate) struct Inner {
    pub config: Config,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub agreed: Agreement,
    pub lease: Lease,
    pub guard: Guard,
    pub persons: Arc<Persons>,
    /// In order, so that what is done for one after the other is done alike in each run of the simulation.
    pub handles: RwLock<BTreeMap<Tenant, Arc<Handle>>>,
    pub opening: tokio::sync::Mutex<()>,
    pub replicas: Replicas,
    pub tile_roots: TileRoots,
    pub changes: watch::Sender<u64>,
    pub closing: watch::Sender<bool>,
    pub uploads: Arc<tokio::sync::Semaphore>,
    /// Where the ledger was opened: its writers run there, whoever's command begins one.
    pub runtime: tokio::runtime::Handle,
    pub tasks: std::sync::Mutex<Vec<tokio::task::JoinHandle<()>>>,
    /// Two processes with one node id would both believe that they own its logs.
    pub data_lock: std::sync::Mutex<Option<FileLock>>,
}

impl Inner {
    /// The tenants whose logs this node writes.
    pub(crate) fn owned(&self) -> Vec<Tenant> {
        let handles = self.handles.read().unwrap_or_else(PoisonError::into_inner);
        handles.keys().cloned().collect()
    }
}

/// The ledger. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Ledger(pub(crate) Arc<Inner>);

impl Ledger {
    /// Opens the store, begins the node's lease, and starts housekeeping.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let store = crate::store::open(&config.database, Mode::Write).await?;
        std::fs::create_dir_all(&config.data)?;
        let lock = FileLock::take(&config.data.join("lock"))?;
        Self::begin(store, Arc::new(SystemClock), config, Some(lock)).await
    }

    /// Opens over a store and a clock that are given: for tests that inject faults.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn on(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        config: Config,
    ) -> Result<Self, OpenError> {
        Self::begin(store, clock, config, None).await
    }

    async fn begin(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        config: Config,
        lock: Option<FileLock>,
    ) -> Result<Self, OpenError> {
        let node = open::node_id(&config.data)?;
        let lease = Lease::begin(&*store, Arc::clone(&clock), node, config.address.clone()).await?;
        let ledger = Self(Arc::new(Inner {
            guard: Guard::beside(&config.keys),
            persons: Arc::new(Persons::new(&config.database, &config.keys)),
            store,
            clock,
            agreed: Agreement::default(),
            lease,
            handles: RwLock::default(),
            opening: tokio::sync::Mutex::new(()),
            replicas: Replicas::default(),
            tile_roots: TileRoots::default(),
            changes: watch::channel(0).0,
            closing: watch::channel(false).0,
            uploads: Arc::new(tokio::sync::Semaphore::new(UPLOADS_MAX)),
            runtime: tokio::runtime::Handle::current(),
            tasks: std::sync::Mutex::default(),
            data_lock: std::sync::Mutex::new(lock),
            config,
        }));
        let inner = &ledger.0;
        crate::upload::sweep(inner, Some(&inner.lease.node())).await;
        housekeeping::start(&ledger);
        Ok(ledger)
    }

    /// Records a command, durably, and answers it.
    ///
    /// # Errors
    /// [`SubmitError`]; each variant says whether the command may be sent again.
    pub async fn submit(
        &self,
        tenant: &Tenant,
        mut submission: Submission,
    ) -> Result<Receipt, SubmitError> {
        let handle = self.handle(tenant).await?;
        let place = match handle.queue.try_reserve() {
            Ok(place) => place,
            Err(mpsc::error::TrySendError::Full(())) => {
                metrics::counter!("probity_ledger_queue_refusals_total").increment(1);
                return Err(SubmitError::QueueFull {
                    retry_after_seconds: QUEUE_RETRY_SECONDS,
                });
            }
            Err(mpsc::error::TrySendError::Closed(())) => return Err(SubmitError::NotRecorded),
        };
        let erases = matches!(submission.command.operation, Operation::Erase(_));
        let directory = Arc::clone(&handle.published.borrow().directory);
        let settings = &directory.settings;
        let beside = self.prepare(tenant, settings, &mut submission).await?;
        let door = handle.door(&*self.0.store);
        let (answer, receipt) = oneshot::channel();
        let admitted = admit(&door, submission, beside, answer)
            .await
            .map_err(|(_, error)| error)?;
        place.send(admitted);
        let receipt = receipt.await.unwrap_or(Err(SubmitError::OutcomeUnknown))?;
        if erases {
            self.finish_erasure(&receipt).await?;
        }
        Ok(receipt)
    }

    /// The time by the ledger's clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// Makes a tenant's log, if it has none. Idempotent.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn create_log(&self, tenant: &Tenant) -> Result<(), SubmitError> {
        self.0.store.create(tenant).await?;
        self.handle(tenant).await.map(drop)
    }

    /// The log's state as of its last commit; `None` when there is no such log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn state(&self, tenant: &Tenant) -> Result<Option<Arc<Published>>, StoreError> {
        if let Some(handle) = self.live(tenant) {
            return Ok(Some(Arc::clone(&handle.published.borrow())));
        }
        self.0.replicas.get(&self.0, tenant).await
    }

    /// Settings, policies, adapters and credentials in force; `None` when there is no such log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn directory(&self, tenant: &Tenant) -> Result<Option<Arc<Directory>>, StoreError> {
        Ok(self
            .state(tenant)
            .await?
            .map(|state| Arc::clone(&state.directory)))
    }

    /// Reads without asking the writer.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.0.store), self.0.changes.subscribe())
    }

    /// The newest checkpoint, a signed note; `None` when there is no such log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn checkpoint(&self, tenant: &Tenant) -> Result<Option<String>, StoreError> {
        let head = self.0.store.head(tenant).await?;
        Ok(head
            .filter(|head| head.range.size() > 0)
            .map(|head| head.checkpoint))
    }

    /// The receipt of a record as a C2SP tlog-proof; `None` when there is no such record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inclusion(
        &self,
        tenant: &Tenant,
        sequence: u64,
    ) -> Result<Option<String>, StoreError> {
        match self.0.store.head(tenant).await? {
            Some(head) => proof::receipt(&*self.0.store, &self.0.tile_roots, &head, sequence).await,
            None => Ok(None),
        }
    }

    /// The log's verifier key that is in force; `None` when there is no such log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn verifier_key(&self, tenant: &Tenant) -> Result<Option<String>, StoreError> {
        let directory = self.directory(tenant).await?;
        Ok(directory.and_then(|directory| directory.signer().map(str::to_owned)))
    }

    /// Who owns a log.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn owner(&self, tenant: &Tenant) -> Result<Option<Owner>, StoreError> {
        self.0.store.owner(tenant).await
    }

    /// Whether other nodes may own logs of the same store.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.config.database.is_shared()
    }

    /// The durability in force, for people.
    #[must_use]
    pub fn durability(&self) -> String {
        self.0.store.durability()
    }

    /// Makes the guard durable as of the newest checkpoints: called before one of them goes out in a bundle.
    pub async fn keep_guard(&self) {
        housekeeping::keep_guard(&self.0).await;
    }

    /// Tells other nodes where this one listens, once that is known.
    pub fn set_address(&self, address: String) {
        self.0.lease.set_address(address);
    }

    /// Takes no more commands, finishes those that wait, keeps snapshots, gives the logs up.
    pub async fn close(&self) {
        self.0.closing.send_replace(true);
        let handles = std::mem::take(
            &mut *self
                .0
                .handles
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for handle in handles.into_values() {
            finish(handle).await;
        }
        for task in self
            .0
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            task.abort();
        }
        housekeeping::keep_guard(&self.0).await;
        if let Err(error) = self.0.store.release(&self.0.lease.node()).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the lease was not given up"
            );
        }
        self.0.store.close().await;
        self.0
            .data_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// The handle of a log this node writes; takes the log when nobody does.
    pub(crate) async fn handle(&self, tenant: &Tenant) -> Result<Arc<Handle>, SubmitError> {
        if let Some(handle) = self.live(tenant) {
            return Ok(handle);
        }
        let _one_at_a_time = self.0.opening.lock().await;
        if let Some(handle) = self.live(tenant) {
            return Ok(handle);
        }
        if let Some(why) = self.refusal(tenant) {
            return Err(SubmitError::ReadOnly { why });
        }
        if *self.0.closing.borrow() {
            return Err(SubmitError::Stopped);
        }
        let stale = self
            .0
            .handles
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(tenant);
        if let Some(stale) = stale {
            finish(stale).await;
        }
        let Opened { handle } = open::open_log(&self.0, tenant).await?;
        let handle = Arc::new(handle);
        self.0
            .handles
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tenant.clone(), Arc::clone(&handle));
        Ok(handle)
    }

    fn refusal(&self, tenant: &Tenant) -> Option<String> {
        self.0.config.witnesses.as_ref()?.refusal(tenant)
    }

    pub(crate) fn live(&self, tenant: &Tenant) -> Option<Arc<Handle>> {
        if self.refusal(tenant).is_some() {
            return None;
        }
        let handles = self
            .0
            .handles
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let handle = handles.get(tenant)?;
        let alive =
            !handle.queue.is_closed() && handle.term == self.0.lease.term() && self.0.lease.holds();
        alive.then(|| Arc::clone(handle))
    }
}

/// Lets a writer finish what waits.
async fn finish(handle: Arc<Handle>) {
    let task = handle
        .task
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    // The queue is closed when those who wait for an answer have it.
    drop(handle);
    if let Some(task) = task {
        let _ = task.await;
    }
}
