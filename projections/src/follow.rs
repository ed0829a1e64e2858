//! The follower: reads a batch once for all views that stand at the same place, lets each fold it in memory, and writes
//! each view's rows and position in one transaction.
//!
//! Several nodes may follow into one database. The position is compared and swapped before anything is written, so
//! each batch has its effect once; who comes second reads the position again and goes on from there. A generation
//! that is being built is followed like any other, at its own pace, without holding up those at the head.

mod batch;

use self::batch::Batch;
use crate::database::{Database, Target};
use crate::entry::Entry;
use crate::error::ViewError;
use crate::limits::BATCH_BYTES_MAX;
use crate::parked;
use crate::position::{self, Position};
use crate::progress::{Board, publish};
use crate::source::Source;
use crate::view::Definition;
use futures_util::future::join_all;
use probity_ledger::reader::LogHead;
use probity_ledger::store::LogNumber;
use probity_schemas::subject::Tenant;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A target's place in a tenant's log.
type Place = (String, Tenant);

/// The follower of all views in all logs.
pub(crate) struct Follower {
    database: Database,
    source: Arc<dyn Source>,
    views: &'static [Definition],
    places: HashMap<Place, Standing>,
    board: Arc<Board>,
    ahead: Option<Ahead>,
}

/// What the follower remembers of a place.
#[derive(Clone, Debug)]
struct Standing {
    position: Position,
    parked_keys: u64,
    stopped: Option<String>,
}

/// A batch that is read before it is asked for.
struct Ahead {
    log: LogNumber,
    from: u64,
    batch: JoinHandle<Result<Batch, ViewError>>,
}

impl Ahead {
    fn begins(&self, log: &LogHead, from: u64) -> bool {
        self.log == log.log && self.from == from
    }
}

impl Follower {
    pub(crate) fn new(
        database: Database,
        source: Arc<dyn Source>,
        views: &'static [Definition],
        board: Arc<Board>,
    ) -> Self {
        Self {
            database,
            source,
            views,
            places: HashMap::new(),
            board,
            ahead: None,
        }
    }

    /// Goes once over all logs, a batch each; whether there is more to do.
    pub(crate) async fn pass(&mut self) -> Result<bool, ViewError> {
        let targets = self.database.targets(self.views).await?;
        let current: HashSet<&str> = targets
            .iter()
            .map(|(target, _)| target.table.as_str())
            .collect();
        self.places
            .retain(|(table, _), _| current.contains(table.as_str()));
        let mut more = false;
        let mut failed = None;
        for log in self.source.logs().await? {
            match self.follow(&log, &targets).await {
                Ok(behind) => more |= behind,
                Err(error) => failed = Some(error),
            }
            self.report(&log, &targets);
        }
        let progress = self.board.progress();
        self.views
            .iter()
            .for_each(|view| publish(&progress.lag(view.name)));
        failed.map_or(Ok(more), Err)
    }

    /// Records of a log by their positions, decoded.
    pub(crate) async fn entries(
        &self,
        tenant: &Tenant,
        sequences: &[u64],
    ) -> Result<Vec<Entry>, ViewError> {
        let logs = self.source.logs().await?;
        let unread = ViewError::Corrupt {
            what: "a parked record",
        };
        let Some(log) = logs.iter().find(|log| log.tenant == *tenant) else {
            return Err(unread);
        };
        let mut entries = Vec::with_capacity(sequences.len());
        for sequence in sequences {
            let records = self
                .source
                .read(log.log, *sequence, 1, BATCH_BYTES_MAX)
                .await?;
            let entry = records.first().map(Entry::decode);
            match entry {
                Some(Ok(entry)) if entry.sequence == *sequence => entries.push(entry),
                _ => return Err(unread),
            }
        }
        Ok(entries)
    }

    /// Forgets what is remembered of a target, because somebody else changed it.
    pub(crate) fn forget(&mut self, target: &Target) {
        self.places.retain(|(table, _), _| *table != target.table);
    }

    /// One batch of one log, for every target that is not at its head.
    async fn follow(
        &mut self,
        log: &LogHead,
        targets: &[(Target, bool)],
    ) -> Result<bool, ViewError> {
        let mut groups: BTreeMap<u64, Vec<&Target>> = BTreeMap::new();
        for (target, _) in targets {
            let standing = self.standing(target, log).await?;
            if standing.stopped.is_none() && standing.position.size < log.size {
                groups
                    .entry(standing.position.size)
                    .or_default()
                    .push(target);
            }
        }
        let (mut more, mut failed) = (false, None);
        for (from, members) in groups.into_iter().rev() {
            let batch = self.batch(log, from).await?;
            let reached = from + batch.entries.len() as u64;
            more |= reached < log.size;
            if batch.entries.is_empty() {
                self.stop(log, &members, batch.fault);
                continue;
            }
            let entries = Arc::new(batch.entries);
            // Side by side on PostgreSQL; SQLite has one writer, and they take turns.
            let steps = members
                .iter()
                .map(|target| self.step(target, log, &entries));
            for (target, stepped) in members.iter().zip(join_all(steps).await) {
                let place = (target.table.clone(), log.tenant.clone());
                match stepped {
                    Ok(Some(standing)) => drop(self.places.insert(place, standing)),
                    other => {
                        self.places.remove(&place);
                        more = true;
                        failed = other.err().or(failed);
                    }
                }
            }
        }
        failed.map_or(Ok(more), Err)
    }

    /// The batch from a position on. Where the log has more, the one after it is read while this one is written.
    async fn batch(&mut self, log: &LogHead, from: u64) -> Result<Batch, ViewError> {
        let (source, log_number) = (Arc::clone(&self.source), log.log);
        let read = move |from| async move { Batch::read(&*source, log_number, from).await };
        let batch = match self.ahead.take_if(|ahead| ahead.begins(log, from)) {
            Some(ahead) => ahead.batch.await.map_err(|_| ViewError::Stopped)??,
            None => read.clone()(from).await?,
        };
        let reached = from + batch.entries.len() as u64;
        if reached > from && reached < log.size && batch.fault.is_none() {
            self.ahead = Some(Ahead {
                log: log_number,
                from: reached,
                batch: tokio::spawn(read(reached)),
            });
        }
        Ok(batch)
    }

    /// Where a target stands in a log; looked up, and compared with the log, when it is not remembered.
    async fn standing(&mut self, target: &Target, log: &LogHead) -> Result<Standing, ViewError> {
        let place = (target.table.clone(), log.tenant.clone());
        if let Some(standing) = self.places.get(&place)
            && standing.position.size <= log.size
            && standing.position.log_id == log.log_id
        {
            return Ok(standing.clone());
        }
        let mut session = self.database.write().await?;
        let position =
            position::open(&mut session, &target.table, &log.tenant, &log.log_id).await?;
        let parked_keys = parked::keys(&mut session, target, &log.tenant).await?.len() as u64;
        session.commit().await?;
        let position = if self.is_ours(log, &position).await? {
            position
        } else {
            self.reset(target, log, &position).await?
        };
        let standing = Standing {
            position,
            parked_keys,
            stopped: None,
        };
        self.places.insert(place, standing.clone());
        Ok(standing)
    }

    /// Whether the log has, at a position, the leaf that was applied there.
    async fn is_ours(&self, log: &LogHead, position: &Position) -> Result<bool, ViewError> {
        if position.log_id != log.log_id {
            return Ok(false);
        }
        let Some(last) = position.size.checked_sub(1) else {
            return Ok(true);
        };
        let records = self.source.read(log.log, last, 1, BATCH_BYTES_MAX).await?;
        Ok(records
            .first()
            .is_some_and(|record| record.sequence == last && record.leaf == position.leaf))
    }

    /// Drops the rows of a log that is another one now, and begins it again.
    async fn reset(
        &self,
        target: &Target,
        log: &LogHead,
        from: &Position,
    ) -> Result<Position, ViewError> {
        let start = Position::start(&log.log_id);
        let mut session = self.database.write().await?;
        let swapped =
            position::swap(&mut session, &target.table, &log.tenant, from, &start).await?;
        if swapped.is_none() {
            session.rollback().await?;
            let mut session = self.database.write().await?;
            let now = position::open(&mut session, &target.table, &log.tenant, &log.log_id).await?;
            session.commit().await?;
            return Ok(now);
        }
        session.clear(target, &log.tenant).await?;
        session.commit().await?;
        tracing::warn!(
            view.name = target.view.name,
            log.tenant = %log.tenant,
            view.position = from.size,
            "the log is not the one this view followed: its rows are built again"
        );
        Ok(start)
    }

    /// Stops views before a record that this program cannot read: it is newer, or the store is broken.
    fn stop(&mut self, log: &LogHead, members: &[&Target], fault: Option<String>) {
        let Some(fault) = fault else { return };
        for target in members {
            tracing::error!(
                view.name = target.view.name,
                log.tenant = %log.tenant,
                fault,
                "the view stopped: its next record cannot be read by this version of probity"
            );
            let place = (target.table.clone(), log.tenant.clone());
            if let Some(standing) = self.places.get_mut(&place) {
                standing.stopped = Some(fault.clone());
            }
        }
    }

    /// Moves one target on by a batch: where it stands then, or `None` when it has to be looked up again first.
    async fn step(
        &self,
        target: &Target,
        log: &LogHead,
        entries: &Arc<Vec<Entry>>,
    ) -> Result<Option<Standing>, ViewError> {
        let place = (target.table.clone(), log.tenant.clone());
        let (Some(standing), Some(first)) = (self.places.get(&place), entries.first()) else {
            return Ok(None);
        };
        let from = &standing.position;
        if first.previous != from.leaf {
            self.reset(target, log, from).await?;
            return Ok(None);
        }
        let written = batch::write(&self.database, target, &log.tenant, from, entries).await?;
        Ok(written.map(|(position, parked_keys)| Standing {
            position,
            parked_keys,
            stopped: None,
        }))
    }

    /// Tells those who wait where the views that are read stand now.
    fn report(&self, log: &LogHead, targets: &[(Target, bool)]) {
        self.board.update(|progress| {
            for (target, live) in targets {
                let place = (target.table.clone(), log.tenant.clone());
                if let (true, Some(standing)) = (live, self.places.get(&place)) {
                    progress.note(
                        target.view.name,
                        &log.tenant,
                        standing.position.clone(),
                        log.size,
                        standing.parked_keys,
                        standing.stopped.clone(),
                    );
                }
            }
        });
    }
}
