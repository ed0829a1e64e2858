//! How far every view is, shared between the follower and those who wait for it, and shown as metrics.
//!
//! Seconds of lag are counted by this process: how long a view has not been at the head of its log. No clock is
//! compared with another.

use crate::error::NotYet;
use crate::position::Position;
use probity_schemas::subject::Tenant;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Instant;
use tokio::sync::{Notify, watch};

/// What the follower tells those who ask, and they the follower: how far every view is, and that somebody waits.
#[derive(Debug, Default)]
pub(crate) struct Board {
    progress: watch::Sender<Progress>,
    waiting: Notify,
}

/// How every view stands in every log.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    standings: HashMap<(&'static str, Tenant), Standing>,
}

/// How a view stands in a log.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) position: Position,
    /// Records of the log, when last looked at.
    pub(crate) head: u64,
    pub(crate) parked_keys: u64,
    pub(crate) stopped: Option<String>,
    behind_since: Option<Instant>,
}

/// How far a view is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// The view.
    pub view: &'static str,
    /// Records not yet applied, of all logs together.
    pub records: u64,
    /// How long it has not been at the head of some log, whole seconds.
    pub seconds: u64,
    /// Keys that are parked.
    pub parked_keys: u64,
    /// Records applied, of all logs together.
    pub position: u64,
    /// Logs in which it stopped, and why.
    pub stopped: Vec<(String, String)>,
}

impl Progress {
    /// Notes where a view stands.
    pub(crate) fn note(
        &mut self,
        view: &'static str,
        tenant: &Tenant,
        position: Position,
        head: u64,
        parked_keys: u64,
        stopped: Option<String>,
    ) {
        let place = (view, tenant.clone());
        let behind = position.size < head;
        let since = self.standings.get(&place).and_then(|old| old.behind_since);
        let standing = Standing {
            behind_since: behind.then(|| since.unwrap_or_else(Instant::now)),
            position,
            head,
            parked_keys,
            stopped,
        };
        self.standings.insert(place, standing);
    }

    /// Whether a view has come to a size: its position, or `None` when it should be waited for.
    pub(crate) fn reached(
        &self,
        view: &'static str,
        tenant: &Tenant,
        wanted: u64,
    ) -> Option<Result<Position, NotYet>> {
        let standing = self.standings.get(&(view, tenant.clone()));
        match standing {
            Some(standing) if standing.position.size >= wanted => {
                Some(Ok(standing.position.clone()))
            }
            Some(standing) if standing.stopped.is_some() => {
                Some(Err(self.not_yet(view, tenant, wanted)))
            }
            None if wanted == 0 => Some(Ok(Position::start(""))),
            _ => None,
        }
    }

    /// What to say to one who waited in vain.
    pub(crate) fn not_yet(&self, view: &'static str, tenant: &Tenant, wanted: u64) -> NotYet {
        let standing = self.standings.get(&(view, tenant.clone()));
        NotYet {
            position: standing.map_or_else(|| Position::start(""), |one| one.position.clone()),
            wanted,
            stopped: standing.and_then(|one| one.stopped.clone()),
        }
    }

    /// How far a view is behind.
    pub(crate) fn lag(&self, view: &'static str) -> Lag {
        let mut lag = Lag {
            view,
            records: 0,
            seconds: 0,
            parked_keys: 0,
            position: 0,
            stopped: Vec::new(),
        };
        for ((name, tenant), standing) in &self.standings {
            if *name != view {
                continue;
            }
            lag.records += standing.head.saturating_sub(standing.position.size);
            lag.parked_keys += standing.parked_keys;
            lag.position += standing.position.size;
            let waited = standing
                .behind_since
                .map_or(0, |since| since.elapsed().as_secs());
            lag.seconds = lag.seconds.max(waited);
            if let Some(why) = &standing.stopped {
                lag.stopped.push((tenant.to_string(), why.clone()));
            }
        }
        lag.stopped.sort();
        lag
    }
}

impl Board {
    /// How every view stands now.
    pub(crate) fn progress(&self) -> watch::Ref<'_, Progress> {
        self.progress.borrow()
    }

    /// Changes how views stand, and tells those who wait.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    /// Comes when somebody waits for a view.
    pub(crate) async fn is_waited_for(&self) {
        self.waiting.notified().await;
    }

    /// Waits until a view has come to a size, or the deadline is there, or the view has stopped before it.
    pub(crate) async fn wait_for(
        &self,
        view: &'static str,
        tenant: &Tenant,
        wanted: u64,
        deadline: tokio::time::Instant,
    ) -> Result<Position, NotYet> {
        let mut changes = self.progress.subscribe();
        if self.progress().reached(view, tenant, wanted).is_none() {
            self.waiting.notify_one();
        }
        let reached = changes.wait_for(|now| now.reached(view, tenant, wanted).is_some());
        let _ = tokio::time::timeout_at(deadline, reached).await;
        let now = self.progress();
        now.reached(view, tenant, wanted)
            .unwrap_or_else(|| Err(now.not_yet(view, tenant, wanted)))
    }
}

/// Shows a view's lag as metrics.
pub(crate) fn publish(lag: &Lag) {
    let gauge = |name: &'static str, value: u64| {
        metrics::gauge!(name, "view" => lag.view).set(value as f64);
    };
    gauge("probity_view_lag_records", lag.records);
    gauge("probity_view_lag_seconds", lag.seconds);
    gauge("probity_view_parked_keys", lag.parked_keys);
    gauge("probity_view_position", lag.position);
    gauge("probity_view_stopped_logs", lag.stopped.len() as u64);
}
