//! The shared committer: the appends of all logs that came while the last commit was being flushed go into one
//! transaction, and all callers are answered after it. Not the pipeline's batching, which is per log and comes before.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::turns::{Turns, Weight};
use super::{Writer, append, connect};
use crate::store::limits::{COMMIT_QUEUE_MAX, WAL_BYTES_MAX};
use crate::store::{Append, AppendError, StoreError, rows};

/// An append and who waits for it.
struct Waiting {
    append: Append,
    reply: oneshot::Sender<Result<(), AppendError>>,
}

/// What became of one append inside a transaction that is yet to be committed.
pub(super) enum Outcome {
    /// Written.
    Written,
    /// The log's row was another one; nothing of it was written.
    Conflict,
    /// The database refused it; nothing of it was written.
    Refused(sqlx::Error),
}

/// Why a whole transaction failed.
enum Failure {
    /// Before its commit was asked for.
    BeforeCommit(sqlx::Error),
    /// When it was asked for; these are the outcomes it was to make durable.
    Commit(sqlx::Error, Vec<Outcome>),
}

/// The handle to the committer's tasks.
pub(super) struct Committer {
    queue: Mutex<Option<mpsc::Sender<Waiting>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Committer {
    /// Starts the task that commits and the one that copies the write-ahead log back beside it.
    pub(super) fn start(writer: Writer, checkpointer: SqliteConnection) -> Self {
        let (sender, receiver) = mpsc::channel(COMMIT_QUEUE_MAX);
        let (due, checkpoints) = watch::channel(());
        let tasks = vec![
            tokio::spawn(commit_all(writer, receiver, due)),
            tokio::spawn(copy_back(checkpointer, checkpoints)),
        ];
        Self {
            queue: Mutex::new(Some(sender)),
            tasks: Mutex::new(tasks),
        }
    }

    /// Hands an append to the task and waits for its commit. Dropping the wait does not take the append back.
    pub(super) async fn append(&self, append: Append) -> Result<(), AppendError> {
        rows::check(&append).map_err(AppendError::NotDone)?;
        let closed = || AppendError::NotDone(StoreError::Closed);
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(closed)?;
        let (reply, answer) = oneshot::channel();
        queue
            .send(Waiting { append, reply })
            .await
            .map_err(|_| closed())?;
        answer
            .await
            .unwrap_or(Err(AppendError::Unknown(StoreError::Closed)))
    }

    /// Takes no more, and waits until what was taken is done.
    pub(super) async fn stop(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "store: the committer broke down");
            }
        }
    }
}

/// Commits until nobody can bring an append any more.
async fn commit_all(writer: Writer, mut queue: mpsc::Receiver<Waiting>, due: watch::Sender<()>) {
    let (mut turns, mut bytes) = (Turns::new(), 0);
    while let Some(waiting) = queue.recv().await {
        enter(&mut turns, waiting);
        while !turns.is_empty() {
            while let Ok(waiting) = queue.try_recv() {
                enter(&mut turns, waiting);
            }
            let batch: Vec<Waiting> = turns.take();
            bytes += batch
                .iter()
                .map(|waiting| weight(&waiting.append).bytes)
                .sum::<usize>();
            commit(&writer, batch).await;
            if bytes >= WAL_BYTES_MAX {
                bytes = 0;
                due.send_replace(());
            }
        }
    }
}

fn enter(turns: &mut Turns<Waiting>, waiting: Waiting) {
    turns.push(
        waiting.append.expected.log,
        weight(&waiting.append),
        waiting,
    );
}

fn weight(append: &Append) -> Weight {
    let lines: usize = append.records.iter().map(|record| record.line.len()).sum();
    let attachments: usize = append
        .attachments
        .iter()
        .map(|attachment| attachment.content.len())
        .sum();
    Weight {
        records: append.records.len(),
        bytes: lines + attachments,
    }
}

/// One transaction, and the answers to all who wait for it.
async fn commit(writer: &Writer, batch: Vec<Waiting>) {
    let (appends, replies): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|waiting| (waiting.append, waiting.reply))
        .unzip();
    let answers: Vec<Result<(), AppendError>> = match writer.lock().await.as_mut() {
        None => appends
            .iter()
            .map(|_| Err(AppendError::NotDone(StoreError::Closed)))
            .collect(),
        Some(connection) => match write(connection, &appends).await {
            Ok(outcomes) => outcomes
                .into_iter()
                .map(|outcome| answer(outcome, || Ok(())))
                .collect(),
            Err(Failure::BeforeCommit(error)) => {
                let error = Arc::new(error);
                let not_done = || AppendError::NotDone(StoreError::Database(Arc::clone(&error)));
                appends.iter().map(|_| Err(not_done())).collect()
            }
            Err(Failure::Commit(error, outcomes)) => {
                let error = Arc::new(error);
                let unknown = || {
                    Err(AppendError::Unknown(StoreError::Database(Arc::clone(
                        &error,
                    ))))
                };
                outcomes
                    .into_iter()
                    .map(|outcome| answer(outcome, unknown))
                    .collect()
            }
        },
    };
    for (reply, answer) in replies.into_iter().zip(answers) {
        // Whoever waited may have gone; the append stands all the same.
        let _gone = reply.send(answer);
    }
}

fn answer(
    outcome: Outcome,
    written: impl FnOnce() -> Result<(), AppendError>,
) -> Result<(), AppendError> {
    match outcome {
        Outcome::Written => written(),
        Outcome::Conflict => Err(AppendError::Conflict),
        Outcome::Refused(error) => Err(AppendError::NotDone(error.into())),
    }
}

/// One transaction. Where it holds several appends each has a savepoint, so that one that fails takes no other with it.
async fn write(
    connection: &mut SqliteConnection,
    appends: &[Append],
) -> Result<Vec<Outcome>, Failure> {
    let mut transaction = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(Failure::BeforeCommit)?;
    let mut outcomes = Vec::with_capacity(appends.len());
    for append in appends {
        let outcome = match appends.len() {
            1 => append::write(&mut transaction, append).await,
            _ => append::write_in_savepoint(&mut transaction, append).await,
        };
        outcomes.push(outcome.map_err(Failure::BeforeCommit)?);
    }
    match transaction.commit().await {
        Ok(()) => Ok(outcomes),
        Err(error) => Err(Failure::Commit(error, outcomes)),
    }
}

/// Copies the write-ahead log back whenever it is due, as far as readers allow; never in the writer's way.
async fn copy_back(mut connection: SqliteConnection, mut due: watch::Receiver<()>) {
    while due.changed().await.is_ok() {
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&mut connection)
            .await
        {
            tracing::warn!(%error, "store: the write-ahead log could not be copied back; it grows until it can");
        }
    }
    connect::close(connection).await;
}
