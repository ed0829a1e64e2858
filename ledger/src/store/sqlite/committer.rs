//! The shared committer: the appends of all logs that came while the last commit was being flushed go into one
//! transaction, and all callers are answered after it. Not the pipeline's batching, which is per log and comes before.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::append::Refusal;
use super::turns::{Turns, Weight};
use super::{Writer, append, connect};
use crate::store::limits::{APPEND_PAGES_MIN, COMMIT_QUEUE_MAX, PAGE_BYTES, WAL_BYTES_MAX};
use crate::store::{Append, AppendError, StoreError, rows};

/// An append and who waits for it.
struct Waiting {
    append: Append,
    reply: oneshot::Sender<Result<(), AppendError>>,
}

/// Why a transaction failed.
enum Failure {
    /// It could not begin.
    Begin(sqlx::Error),
    /// One of its appends was refused.
    Refused(Refusal),
    /// Its commit was asked for; which appends it was to make durable.
    Commit(sqlx::Error, Vec<bool>),
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
            bytes += batch.iter().map(wal_bytes).sum::<usize>();
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

/// About how far an append makes the write-ahead log grow.
fn wal_bytes(waiting: &Waiting) -> usize {
    weight(&waiting.append).bytes + APPEND_PAGES_MIN * PAGE_BYTES as usize
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

/// Commits a batch and answers all who wait. An append that the database refuses takes the whole transaction with it; then
/// each goes again, alone, so that logs fail apart.
async fn commit(writer: &Writer, batch: Vec<Waiting>) {
    let mut writer = writer.lock().await;
    let Some(connection) = writer.as_mut() else {
        let closed = || Err(AppendError::NotDone(StoreError::Closed));
        return batch
            .into_iter()
            .for_each(|waiting| reply(waiting, closed()));
    };
    match write(connection, &batch).await {
        Err(Failure::Refused(_)) if batch.len() > 1 => {
            for waiting in batch {
                let outcome = write(connection, std::slice::from_ref(&waiting)).await;
                answer(vec![waiting], outcome);
            }
        }
        outcome => answer(batch, outcome),
    }
}

/// One transaction, undone if it fails; which of its appends were written. The others were conflicts and wrote nothing.
async fn write(connection: &mut SqliteConnection, batch: &[Waiting]) -> Result<Vec<bool>, Failure> {
    let outcome = begin_and_commit(connection, batch).await;
    if outcome.is_err() {
        // A full disk, for one, makes SQLite undo it by itself; then there is nothing left to undo.
        let _undone = sqlx::query("ROLLBACK").execute(connection).await;
    }
    outcome
}

/// Plain statements, not the driver's transactions: those lose count when SQLite ends one by itself.
async fn begin_and_commit(
    connection: &mut SqliteConnection,
    batch: &[Waiting],
) -> Result<Vec<bool>, Failure> {
    let begun = sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut *connection)
        .await;
    begun.map_err(Failure::Begin)?;
    let mut written = Vec::with_capacity(batch.len());
    let mut rest: Vec<&Append> = batch.iter().map(|waiting| &waiting.append).collect();
    while !rest.is_empty() {
        let later = rest.split_off(of_different_logs(&rest));
        let done = append::write(connection, &rest).await;
        written.extend(done.map_err(Failure::Refused)?);
        rest = later;
    }
    match sqlx::query("COMMIT").execute(connection).await {
        Ok(_) => Ok(written),
        Err(error) => Err(Failure::Commit(error, written)),
    }
}

/// How many appends from the first on are of a log each: a second one of the same log is written after the first.
fn of_different_logs(appends: &[&Append]) -> usize {
    let mut logs = HashSet::with_capacity(appends.len());
    let different = appends
        .iter()
        .take_while(|append| logs.insert(append.expected.log));
    different.count()
}

fn answer(batch: Vec<Waiting>, outcome: Result<Vec<bool>, Failure>) {
    let (written, error) = match outcome {
        Ok(written) => (written, None),
        Err(Failure::Commit(error, written)) => (written, Some(Arc::new(error))),
        Err(Failure::Begin(error)) => return refuse(batch, &Refusal::from(error)),
        Err(Failure::Refused(refusal)) => return refuse(batch, &refusal),
    };
    let unknown = |error| AppendError::Unknown(StoreError::Database(Arc::clone(error)));
    for (waiting, written) in batch.into_iter().zip(written) {
        let answer = match &error {
            _ if !written => Err(AppendError::Conflict),
            None => Ok(()),
            Some(error) => Err(unknown(error)),
        };
        reply(waiting, answer);
    }
}

fn refuse(batch: Vec<Waiting>, refusal: &Refusal) {
    for waiting in batch {
        reply(waiting, Err(AppendError::NotDone(refusal.clone().into())));
    }
}

fn reply(waiting: Waiting, answer: Result<(), AppendError>) {
    // Whoever waited may have gone; the append stands all the same.
    let _gone = waiting.reply.send(answer);
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use probity_schemas::hash::leaf_hash;
    use probity_schemas::subject::Tenant;
    use sqlx::sqlite::SqliteConnection;
    use tokio::sync::Mutex;

    use super::super::{connect, read, write as writes};
    use super::Committer;
    use crate::store::{Append, AppendError, Head, NewRecord};

    /// An append of one record of so many bytes.
    fn append(head: &Head, bytes: usize) -> Append {
        let line = vec![b'x'; bytes];
        let record = NewRecord {
            leaf: leaf_hash(&line),
            line: line.into(),
            subject: format!("decision/{}", head.range.size()),
            revision: 0,
            time_micros: 0,
        };
        let mut next = head.clone();
        next.range.push(record.leaf);
        next.bytes += bytes as u64 + 1;
        Append {
            expected: head.clone(),
            next,
            records: vec![record],
            aliases: Vec::new(),
            idempotency: Vec::new(),
            attachments: Vec::new(),
            disclosures: Vec::new(),
            erased: Vec::new(),
            erased_attachments: Vec::new(),
            keep_checkpoint: false,
            named: Vec::new(),
        }
    }

    /// A new file with empty logs: who writes it, and their heads.
    async fn opened(path: &Path, tenants: &[&str]) -> (SqliteConnection, Vec<Head>) {
        let mut writer = connect::writer(path).await.unwrap();
        let mut heads = Vec::new();
        for tenant in tenants {
            let tenant = Tenant::parse(tenant).unwrap();
            heads.push(writes::create(&mut writer, &tenant).await.unwrap());
        }
        (writer, heads)
    }

    #[tokio::test]
    async fn a_full_file_refuses_what_does_not_fit_and_takes_the_next_that_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.db");
        let (mut writer, mut heads) = opened(&path, &["small", "large", "other"]).await;
        sqlx::query("PRAGMA max_page_count = 40")
            .execute(&mut writer)
            .await
            .unwrap();
        let checkpointer = connect::checkpointer(&path).await.unwrap();
        let committer = Committer::start(Arc::new(Mutex::new(Some(writer))), checkpointer);

        for round in 0..3 {
            let appends = [
                append(&heads[0], 100),
                append(&heads[1], 1_000_000),
                append(&heads[2], 100),
            ];
            let answers = tokio::join!(
                committer.append(appends[0].clone()),
                committer.append(appends[1].clone()),
                committer.append(appends[2].clone()),
            );
            assert!(
                matches!(answers, (Ok(()), Err(AppendError::NotDone(_)), Ok(()))),
                "{round}: {answers:?}"
            );
            heads[0] = appends[0].next.clone();
            heads[2] = appends[2].next.clone();
            assert_eq!(
                read::heads(&connect::readers(&path)).await.unwrap(),
                heads,
                "{round}"
            );
        }
        committer.stop().await;
    }

    #[tokio::test]
    async fn appends_of_one_log_in_one_commit_follow_each_other_and_a_late_one_spoils_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.db");
        let (writer, heads) = opened(&path, &["one", "other"]).await;
        let checkpointer = connect::checkpointer(&path).await.unwrap();
        let committer = Committer::start(Arc::new(Mutex::new(Some(writer))), checkpointer);

        let first = append(&heads[0], 100);
        let second = append(&first.next, 200);
        let other = append(&heads[1], 300);
        // All three are in the queue before the committer runs.
        let answers = tokio::join!(
            committer.append(first.clone()),
            committer.append(second.clone()),
            committer.append(other.clone()),
        );
        assert!(matches!(answers, (Ok(()), Ok(()), Ok(()))), "{answers:?}");
        let newest = append(&other.next, 400);
        let answers = tokio::join!(
            committer.append(append(&heads[0], 500)),
            committer.append(newest.clone()),
        );
        assert!(
            matches!(answers, (Err(AppendError::Conflict), Ok(()))),
            "{answers:?}"
        );
        assert_eq!(
            read::heads(&connect::readers(&path)).await.unwrap(),
            [second.next, newest.next]
        );
        committer.stop().await;
    }
}
