//! Reading logs: records, proofs. Attachments are in `attachment.rs`. Needs no ownership and no key.
//!
//! Pages are read by key; nothing is held between two pages. A line comes back only if it has the hash that it was written with, and in its
//! place: what a broken disk made of it is an error. That both were written by the log's key, the judge checks.

use crate::store::{DatabaseUrl, Head, LogNumber, Mode, Span, Store, StoreError, StoredRecord};
use probity_governance::command::Alias;
use probity_schemas::event::Event;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::record::Record;
use probity_schemas::subject::Tenant;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// A log as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHead {
    /// Its number in this store.
    pub log: LogNumber,
    /// Its id, from record 0.
    pub log_id: String,
    /// Its tenant.
    pub tenant: Tenant,
    /// How many records it has.
    pub size: u64,
    /// Bytes of all its lines, line feeds included.
    pub bytes: u64,
    /// Its newest checkpoint, a signed note.
    pub checkpoint: String,
}

/// Reads logs.
#[derive(Clone)]
pub struct Reader {
    store: Arc<dyn Store>,
    changes: watch::Receiver<u64>,
    log_ids: Arc<Mutex<HashMap<LogNumber, String>>>,
}

impl Reader {
    /// Reads beside a running server, or without one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(database: &DatabaseUrl) -> Result<Self, StoreError> {
        let store = crate::store::open(database, Mode::Read).await?;
        let (_, changes) = watch::channel(0);
        Ok(Self::new(store, changes))
    }

    pub(crate) fn new(store: Arc<dyn Store>, changes: watch::Receiver<u64>) -> Self {
        Self {
            store,
            changes,
            log_ids: Arc::default(),
        }
    }

    /// Every log that has a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn logs(&self) -> Result<Vec<LogHead>, StoreError> {
        let mut logs = Vec::new();
        for head in self.store.heads().await? {
            if head.range.size() > 0 {
                logs.push(self.describe(head).await?);
            }
        }
        Ok(logs)
    }

    /// One tenant's log, if it has a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn log(&self, tenant: &Tenant) -> Result<Option<LogHead>, StoreError> {
        match self.store.head(tenant).await? {
            Some(head) if head.range.size() > 0 => self.describe(head).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Records in order of sequence (of revision, for a subject); at most `limit`, at most about `bytes_max` of lines, at least one when
    /// there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(
        &self,
        log: LogNumber,
        span: Span<'_>,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let (Span::From(from) | Span::Subject(_, from) | Span::Since(_, from)) = span;
        // No record is where no database can count to.
        if i64::try_from(from).is_err() {
            return Ok(Vec::new());
        }
        checked(&*self.store, log, span, limit, bytes_max).await
    }

    /// Leaf hashes of `count` records from `first` on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn leaves(
        &self,
        log: LogNumber,
        first: u64,
        count: u32,
    ) -> Result<Vec<Hash>, StoreError> {
        self.store.leaves(log, first, count).await
    }

    /// What an alias leads to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn subject_of(
        &self,
        log: LogNumber,
        alias: &Alias,
    ) -> Result<Option<String>, StoreError> {
        let found = self
            .store
            .aliases(log, &[alias.as_str().to_owned()])
            .await?;
        Ok(found.into_iter().next().flatten())
    }

    /// Ticks after every commit of this process. Other processes' commits are found by looking now and then.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// The store behind it, to keep.
    pub(crate) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// The store behind it.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    async fn describe(&self, head: Head) -> Result<LogHead, StoreError> {
        let known = self
            .log_ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&head.log)
            .cloned();
        let log_id = match known {
            Some(id) => id,
            None => self.read_log_id(head.log).await?,
        };
        Ok(LogHead {
            log: head.log,
            log_id,
            size: head.range.size(),
            bytes: head.bytes,
            checkpoint: head.checkpoint,
            tenant: head.tenant,
        })
    }

    async fn read_log_id(&self, log: LogNumber) -> Result<String, StoreError> {
        let opened = opening(&*self.store, log).await?;
        self.log_ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(log, opened.log_id.clone());
        Ok(opened.log_id)
    }
}

/// Records as [`Reader::read`] gives them. An export reads past this: it shows a judge what is there.
pub(crate) async fn checked(
    store: &dyn Store,
    log: LogNumber,
    span: Span<'_>,
    limit: u32,
    bytes_max: usize,
) -> Result<Vec<StoredRecord>, StoreError> {
    let page = store.read(log, span, limit, bytes_max).await?;
    let mut place = match span {
        Span::From(first) => Some(first),
        Span::Since(..) | Span::Subject(..) => None,
    };
    for stored in &page {
        let sequence = stored.sequence;
        if let Some(missing) = place.filter(|place| *place != sequence) {
            let what = format!("record {missing} is missing");
            return Err(StoreError::Corrupt { what });
        }
        if leaf_hash(&stored.line) != stored.leaf {
            let what = format!("record {sequence} does not have the hash it was written with");
            return Err(StoreError::Corrupt { what });
        }
        place = place.map(|place| place + 1);
    }
    Ok(page)
}

/// Record 0 of a log.
pub(crate) async fn opening(
    store: &dyn Store,
    log: LogNumber,
) -> Result<probity_schemas::event::log::LogOpened, StoreError> {
    let page = store.read(log, Span::From(0), 1, 1).await?;
    let event = page
        .first()
        .and_then(|stored| Record::parse_canonical(&stored.line).ok()?.event().ok());
    match event {
        Some(Event::LogOpened(opened)) => Ok(*opened),
        _ => Err(StoreError::Corrupt {
            what: "record 0 is not log.opened".to_owned(),
        }),
    }
}
