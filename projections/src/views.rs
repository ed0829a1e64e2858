//! The views, together: opened beside a ledger, followed, asked, rebuilt.

mod adapters;
mod audit;
mod decisions;
mod policies;
mod posture;
mod spend;
mod traces;

pub use adapters::{AdapterFilter, AdapterRow, Adapters};
pub use audit::{Audit, AuditFilter, AuditRow};
pub use decisions::{DecisionFilter, DecisionRow, DecisionStatus, Decisions};
pub use policies::{Policies, PolicyFilter, PolicyRow};
pub use posture::{PostureRow, Postures};
pub use spend::{Spend, SpendFilter, SpendRow, SpendTotals};
pub use traces::{TraceFilter, TraceRow, Traces};

use crate::database::{Database, Target, open_file};
use crate::digest;
use crate::error::{NotYet, ViewError};
use crate::follow::Follower;
use crate::limits::{GATHER, PAGE_ROWS_MAX, POLL, REBUILD_POLL, REST};
use crate::parked::{self, Parked, Retried};
use crate::position::{self, Position};
use crate::progress::{Board, Lag};
use crate::query::{self, Query};
use crate::rebuild::{self, Report};
use crate::source::Source;
use crate::view::{Definition, View};
use probity_ledger::store::DatabaseUrl;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

/// Every view there is.
pub(crate) static ALL: [Definition; 7] = [
    Definition::of::<Decisions>(),
    Definition::of::<Adapters>(),
    Definition::of::<Policies>(),
    Definition::of::<Traces>(),
    Definition::of::<Audit>(),
    Definition::of::<Spend>(),
    Definition::of::<Postures>(),
];

/// Where views are kept.
#[derive(Clone, Debug)]
pub struct ViewsConfig {
    /// The data directory: on SQLite the views' file lies in it.
    pub data: PathBuf,
    /// The ledger's database; on PostgreSQL the views are a schema of it.
    pub database: DatabaseUrl,
}

/// The views of every log of a ledger. Cheap to clone.
#[derive(Clone)]
pub struct Views(Arc<Inner>);

struct Inner {
    database: Database,
    source: Arc<dyn Source>,
    views: &'static [Definition],
    follower: Mutex<Follower>,
    board: Arc<Board>,
    stop: watch::Sender<bool>,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Views {
    /// Opens the views, making those that are not there. Nothing is followed yet.
    ///
    /// # Errors
    /// [`ViewError`] when the database cannot be used.
    pub async fn open(config: &ViewsConfig, source: impl Source) -> Result<Self, ViewError> {
        Self::open_with(config, Arc::new(source), &ALL).await
    }

    pub(crate) async fn open_with(
        config: &ViewsConfig,
        source: Arc<dyn Source>,
        views: &'static [Definition],
    ) -> Result<Self, ViewError> {
        let database = match config.database.postgres() {
            None => open_file(&config.data, views).await?,
            Some(options) => {
                let database = Database::postgres(options).await?;
                for view in views {
                    database.adopt(view).await?;
                }
                database
            }
        };
        let board = Arc::<Board>::default();
        let follower = Follower::new(
            database.clone(),
            Arc::clone(&source),
            views,
            Arc::clone(&board),
        );
        Ok(Self(Arc::new(Inner {
            database,
            source,
            views,
            follower: Mutex::new(follower),
            board,
            stop: watch::Sender::new(false),
            task: std::sync::Mutex::new(None),
        })))
    }

    /// Follows the logs from now on, until [`Views::close`].
    pub fn start(&self) {
        let task = tokio::spawn(self.clone().run());
        let mut slot = self
            .0
            .task
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        *slot = Some(task);
    }

    /// Stops following, after the batch at hand, and closes the database.
    pub async fn close(&self) {
        self.0.stop.send_replace(true);
        let task = {
            let mut slot = self
                .0
                .task
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            slot.take()
        };
        if let Some(task) = task {
            let _ = task.await;
        }
        self.0.database.close().await;
    }

    async fn run(self) {
        let mut changes = self.0.source.changes();
        let mut stop = self.0.stop.subscribe();
        loop {
            let rest = match self.pass().await {
                Ok(true) => Duration::ZERO,
                Ok(false) => POLL,
                Err(error) => {
                    tracing::warn!(
                        error = crate::error::chain(&error),
                        "views cannot be followed for now"
                    );
                    REST
                }
            };
            let woken = async {
                // After a failure, and when the ledger here is gone, only time wakes.
                if rest == REST || changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                tokio::select! {
                    () = tokio::time::sleep(GATHER) => {}
                    () = self.0.board.is_waited_for() => {}
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = woken => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    async fn pass(&self) -> Result<bool, ViewError> {
        self.0.follower.lock().await.pass().await
    }

    /// Follows until no log has more.
    ///
    /// # Errors
    /// [`ViewError`] when the log or the views' database does not answer.
    pub async fn catch_up(&self) -> Result<(), ViewError> {
        while self.pass().await? {}
        Ok(())
    }

    fn query<V: View>(&self) -> Query<'_, V> {
        Query::new(&self.0.database, &self.0.board)
    }

    /// Decisions and pending approvals.
    #[must_use]
    pub fn decisions(&self) -> Query<'_, Decisions> {
        self.query()
    }

    /// Registered adapters.
    #[must_use]
    pub fn adapters(&self) -> Query<'_, Adapters> {
        self.query()
    }

    /// Policies in force.
    #[must_use]
    pub fn policies(&self) -> Query<'_, Policies> {
        self.query()
    }

    /// Traces of executions.
    #[must_use]
    pub fn traces(&self) -> Query<'_, Traces> {
        self.query()
    }

    /// What an auditor reads: every change and every reported event.
    #[must_use]
    pub fn audit(&self) -> Query<'_, Audit> {
        self.query()
    }

    /// Tokens and money.
    #[must_use]
    pub fn spend(&self) -> Query<'_, Spend> {
        self.query()
    }

    /// How far the policies govern what adapters can do.
    #[must_use]
    pub fn posture(&self) -> Query<'_, Postures> {
        self.query()
    }

    /// Waits until every view has applied a log's first `size` records: the lowest position among them.
    ///
    /// # Errors
    /// [`NotYet`] when it takes longer, or when a view stopped before.
    pub async fn wait(
        &self,
        tenant: &Tenant,
        size: u64,
        timeout: Duration,
    ) -> Result<Position, NotYet> {
        let deadline = tokio::time::Instant::now() + timeout;
        let mut lowest: Option<Position> = None;
        for view in self.0.views {
            let position = self
                .0
                .board
                .wait_for(view.name, tenant, size, deadline)
                .await?;
            if lowest.as_ref().is_none_or(|low| position.size < low.size) {
                lowest = Some(position);
            }
        }
        Ok(lowest.unwrap_or_else(|| Position::start("")))
    }

    /// How far every view is behind.
    #[must_use]
    pub fn lag(&self) -> Vec<Lag> {
        let progress = self.0.board.progress();
        self.0
            .views
            .iter()
            .map(|view| progress.lag(view.name))
            .collect()
    }

    /// The digest of a view's rows of a tenant, and where the view stood.
    ///
    /// # Errors
    /// [`ViewError::UnknownView`], or what the database says.
    pub async fn digest(&self, name: &str, tenant: &Tenant) -> Result<(Hash, Position), ViewError> {
        let view = self.view(name)?;
        let (mut session, target, position) = query::open(&self.0.database, view, tenant).await?;
        let hash = digest::digest(&mut session, &target, tenant).await?;
        session.rollback().await?;
        Ok((hash, position))
    }

    /// Records that views could not apply, and those that wait behind them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn parked(&self) -> Result<Vec<Parked>, ViewError> {
        let targets = self.0.database.targets(self.0.views).await?;
        let mut session = self.0.database.read().await?;
        let mut all = Vec::new();
        for (target, live) in &targets {
            if *live {
                all.extend(parked::list(&mut session, target, PAGE_ROWS_MAX).await?);
            }
        }
        session.rollback().await?;
        Ok(all)
    }

    /// Tries the parked records of a key again.
    ///
    /// # Errors
    /// [`ViewError::UnknownView`], or what the database or the log says.
    pub async fn retry(
        &self,
        name: &str,
        tenant: &Tenant,
        key: &str,
    ) -> Result<Retried, ViewError> {
        let view = self.view(name)?;
        let mut follower = self.0.follower.lock().await;
        let mut session = self.0.database.write().await?;
        let missing = ViewError::Corrupt { what: "a pointer" };
        let pointer = session.pointer(view).await?.ok_or(missing)?;
        let target = Target::new(view, pointer.live);
        position::hold(&mut session, &target.table, tenant).await?;
        let sequences = parked::sequences(&mut session, &target, tenant, key).await?;
        let entries = follower.entries(tenant, &sequences).await?;
        let retried = parked::retry(&mut session, &target, tenant, key, &entries).await?;
        session.commit().await?;
        follower.forget(&target);
        Ok(retried)
    }

    /// Builds a view again beside itself, compares the two at the same position, and reads the new one from then on.
    ///
    /// # Errors
    /// [`ViewError::UnknownView`], or what the database or the log says. What was begun is then gone on with by the next
    /// call.
    pub async fn rebuild(&self, name: &str) -> Result<Report, ViewError> {
        let view = self.view(name)?;
        let pointer = rebuild::begin(&self.0.database, view).await?;
        loop {
            let more = self.pass().await?;
            let report = rebuild::finish(&self.0.database, view, pointer).await?;
            match report {
                Some(report) => return Ok(report),
                None if more => {}
                None => tokio::time::sleep(REBUILD_POLL).await,
            }
        }
    }

    fn view(&self, name: &str) -> Result<&'static Definition, ViewError> {
        let found = self.0.views.iter().find(|view| view.name == name);
        found.ok_or_else(|| ViewError::UnknownView {
            name: name.to_owned(),
        })
    }
}
