//! A node's lease: as long as it holds, and only then, the node appends to the logs it owns.
//!
//! The store's clock decides when a lease is over; the node stops earlier, by its own clock that goes on during suspension, counted from
//! before the renewal was sent. The epoch in the append's compare-and-swap is the second fence. On SQLite the file lock is the lease
//! and the store renews it without being asked twice.

use crate::clock::Clock;
use crate::limits::{HEARTBEAT_SECONDS, LEASE_MARGIN_SECONDS, LEASE_SECONDS};
use crate::store::{Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A node's lease, shared by all its writers.
#[derive(Clone)]
pub struct Lease(Arc<Inner>);

struct Inner {
    node: String,
    address: std::sync::Mutex<String>,
    clock: Arc<dyn Clock>,
    /// By the boot clock, microseconds.
    good_until: AtomicI64,
    /// Grows whenever the lease was lost: what was owned under an older term is not owned any more.
    term: AtomicU64,
}

impl Lease {
    /// Begins a lease.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn begin(
        store: &dyn Store,
        clock: Arc<dyn Clock>,
        node: String,
        address: String,
    ) -> Result<Self, StoreError> {
        let sent = clock.boot_micros();
        store.rejoin(&node, &address, LEASE_SECONDS).await?;
        let lease = Self(Arc::new(Inner {
            node,
            address: std::sync::Mutex::new(address),
            clock,
            good_until: AtomicI64::new(0),
            term: AtomicU64::new(0),
        }));
        lease.extend(sent);
        Ok(lease)
    }

    /// Whether the node may rely on it now.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.0.clock.boot_micros() < self.0.good_until.load(Ordering::Acquire)
    }

    /// Which lease this is: a writer that began under another one owns nothing.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.0.term.load(Ordering::Acquire)
    }

    /// The node's id.
    #[must_use]
    pub fn node(&self) -> String {
        self.0.node.clone()
    }

    /// The address that other nodes reach this one at, once it is known.
    pub fn set_address(&self, address: String) {
        *self
            .0
            .address
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = address;
    }

    /// Renews until the task is ended.
    pub async fn keep(self, store: Arc<dyn Store>) {
        let mut tick = tokio::time::interval(Duration::from_secs(HEARTBEAT_SECONDS));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.renew(&*store).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the lease was not renewed"
                );
            }
        }
    }

    async fn renew(&self, store: &dyn Store) -> Result<(), StoreError> {
        let address = self
            .0
            .address
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        let sent = self.0.clock.boot_micros();
        if store.renew(&self.0.node, &address, LEASE_SECONDS).await? {
            self.extend(sent);
            return Ok(());
        }
        tracing::warn!(node = %self.0.node, "the lease ran out: everything owned is given up");
        self.0.term.fetch_add(1, Ordering::AcqRel);
        let sent = self.0.clock.boot_micros();
        store.rejoin(&self.0.node, &address, LEASE_SECONDS).await?;
        self.extend(sent);
        Ok(())
    }

    fn extend(&self, sent: i64) {
        let good = i64::from(LEASE_SECONDS - LEASE_MARGIN_SECONDS) * 1_000_000;
        self.0
            .good_until
            .store(sent.saturating_add(good), Ordering::Release);
    }
}
