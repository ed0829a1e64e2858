//! One log as its writer holds it: where it ends, what its records add up to, what was touched lately.
//!
//! Everything here but the store, the signer and the clock is derived and can be dropped: [`Log::reload`] makes it again by the same
//! code that opens a log.

use crate::admit::Lookups;
use crate::clock::{Clock, Timekeeper};
use crate::error::SubmitError;
use crate::history::load_signed;
use crate::lease::Lease;
use crate::ledger::Published;
use crate::limits::{REPLAY_BYTES, SNAPSHOT_RECORDS};
use crate::load::Loaded;
use crate::reader::checked;
use crate::receipt::Committed;
use crate::recent::Recent;
use crate::seal::{SealedRecord, SubjectHead, Tip};
use crate::signer::Signer;
use crate::snapshot;
use crate::store::{Append, AppendError, Head, Span, Store, StoreError};
use probity_governance::state::State;
use probity_schemas::subject::Tenant;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

/// A log and its writer's mind.
pub(crate) struct Log {
    pub tenant: Tenant,
    pub store: Arc<dyn Store>,
    /// The key in force.
    pub signer: Arc<dyn Signer>,
    /// The key that is to take its place, while the record that says so is made durable.
    pub next_signer: Option<Arc<dyn Signer>>,
    /// Where the keys are.
    pub keys: PathBuf,
    pub clock: Arc<dyn Clock>,
    pub lease: Lease,
    /// The row as the store has it.
    pub head: Head,
    pub state: State,
    pub tip: Tip,
    pub time: Timekeeper,
    pub recent: Recent,
    /// The last commit's outcome is not known and the store does not answer; nothing is decided until it does.
    pub poisoned: bool,
    pub snapshot_size: u64,
    pub published: watch::Sender<Arc<Published>>,
    /// Ticks after every commit of this process.
    pub changes: watch::Sender<u64>,
}

impl Log {
    /// The batch is durable: the row is the new one, and readers may know.
    pub(crate) fn keep(&mut self, append: Option<Append>, records: &[SealedRecord]) -> bool {
        let Some(append) = append else { return true };
        metrics::counter!("probity_ledger_records_total").increment(records.len() as u64);
        metrics::counter!("probity_ledger_commits_total").increment(1);
        self.head = append.next;
        self.change_signer(records);
        let size = self.head.range.size();
        for subject in self.recent.trim(size) {
            if let Some(id) = crate::admit::decision_id(&subject) {
                self.state.evict(&id);
            }
        }
        self.publish();
        true
    }

    /// Lets readers see the state and the checkpoint as of the last commit.
    pub(crate) fn publish(&self) {
        let published = Published::of(&self.head, &self.state);
        self.published.send_replace(Arc::new(published));
        self.changes
            .send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    /// The append failed, or may have: what is true is asked of the store. Whether the batch is there after all.
    pub(crate) async fn recover(&mut self, error: AppendError, append: &Append) -> bool {
        tracing::warn!(log.tenant = %self.tenant, error = &error as &dyn std::error::Error, "an append did not go through");
        metrics::counter!("probity_ledger_failed_commits_total").increment(1);
        self.poisoned = true;
        if let Err(error) = self.reload().await {
            tracing::error!(log.tenant = %self.tenant, error = &error as &dyn std::error::Error, "the log could not be reloaded");
            return false;
        }
        let first = append.expected.range.size();
        let Some(expected) = append.records.last() else {
            return false;
        };
        let last = first + append.records.len() as u64 - 1;
        match self.store.leaves(self.head.log, last, 1).await {
            Ok(leaves) => leaves.first() == Some(&expected.leaf),
            Err(error) => {
                tracing::error!(log.tenant = %self.tenant, error = &error as &dyn std::error::Error, "the batch could not be looked for");
                self.poison();
                false
            }
        }
    }

    /// Makes everything derived again from the store, with a new epoch, so that no append of before can still arrive.
    pub(crate) async fn reload(&mut self) -> Result<(), SubmitError> {
        let gone = SubmitError::NoOwner {
            retry_after_seconds: 1,
        };
        if !self.lease.holds() {
            return Err(gone);
        }
        let claimed = self.store.claim(&self.tenant, &self.lease.node()).await?;
        let head = claimed.ok_or(gone)?;
        let (signer, loaded) = load_signed(&*self.store, &self.keys, &head).await?;
        self.signer = signer;
        self.next_signer = None;
        self.take(head, loaded);
        self.poisoned = false;
        self.publish();
        Ok(())
    }

    fn take(&mut self, head: Head, loaded: Loaded) {
        self.recent = Recent::since(head.range.size());
        self.head = head;
        self.state = loaded.state;
        self.tip = loaded.tip;
        self.time.go_on_after(loaded.time);
    }

    /// Nothing more is decided until the log was loaded again.
    pub(crate) const fn poison(&mut self) {
        self.poisoned = true;
    }

    /// The newest record of a subject: lately touched, looked up before, or looked up now.
    pub(crate) async fn subject_head(
        &self,
        subject: &str,
        seen: &Lookups,
    ) -> Result<SubjectHead, StoreError> {
        if let Some(head) = self.recent.subject(subject) {
            return Ok(Some(head));
        }
        if let Some(head) = seen.subjects.get(subject) {
            return Ok(*head);
        }
        let found = self
            .store
            .subject_heads(self.head.log, &[subject.to_owned()])
            .await?;
        Ok(found.into_iter().next().flatten())
    }

    /// `count` records from `first` on, as they are stored.
    pub(crate) async fn read_exactly(
        &self,
        first: u64,
        count: u64,
    ) -> Result<Vec<Committed>, SubmitError> {
        let mut records = Vec::new();
        while (records.len() as u64) < count {
            let next = first + records.len() as u64;
            let limit = u32::try_from(count - records.len() as u64).unwrap_or(u32::MAX);
            let span = Span::From(next);
            let page = checked(&*self.store, self.head.log, span, limit, REPLAY_BYTES).await?;
            if page.is_empty() {
                return Err(SubmitError::Broken {
                    why: format!("record {next} is missing"),
                });
            }
            records.extend(page.into_iter().map(Committed::from));
        }
        Ok(records)
    }

    /// Keeps a snapshot when the last one is long ago, or in any case when `now` is asked.
    pub(crate) async fn snapshot(&mut self, now: bool) {
        let size = self.head.range.size();
        let due =
            size >= self.snapshot_size + SNAPSHOT_RECORDS || (now && size > self.snapshot_size);
        if !due || self.poisoned {
            return;
        }
        let kept = match snapshot::encode(&self.state, &self.tip, &*self.signer) {
            Ok(content) => self
                .store
                .put_snapshot(self.head.log, size, &content)
                .await
                .map_err(SubmitError::from),
            Err(error) => Err(SubmitError::Broken {
                why: error.to_string(),
            }),
        };
        match kept {
            Ok(()) => self.snapshot_size = size,
            Err(error) => {
                tracing::warn!(log.tenant = %self.tenant, error = &error as &dyn std::error::Error, "no snapshot was kept");
            }
        }
    }
}
