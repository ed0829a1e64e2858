//! The SQL of appends inside the committer's transaction: compare and swap the logs' rows, insert, and mark what is named.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::attachments;
use super::insert::{ALIASES, ATTACHMENTS, DISCLOSURES, KEYS, RECORDS, SUBJECTS};
use crate::store::limits::INSERT_ROWS_MAX;
use crate::store::{Append, LogNumber, StoreError, rows};

/// Why an append is not taken, and the transaction with it.
#[derive(Clone)]
pub(super) enum Refusal {
    /// The database says no.
    Database(Arc<sqlx::Error>),
    /// Its records name an attachment that is not there.
    AttachmentGone,
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Database(error) => Self::Database(error),
            Refusal::AttachmentGone => Self::AttachmentGone,
        }
    }
}

/// Writes appends, each of another log; `false`, and nothing written, for one whose log's row is not the one its writer saw. That
/// their numbers fit was checked before ([`rows::check`]). What many appends do alike is one statement: a call of the driver costs
/// more than a row.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    appends: &[&Append],
) -> Result<Vec<bool>, Refusal> {
    let swapped = swap(connection, appends).await?;
    let written: Vec<bool> = appends
        .iter()
        .map(|append| swapped.contains(&append.expected.log))
        .collect();
    let taken = appends.iter().zip(&written).filter(|(_, taken)| **taken);
    let taken: Vec<&Append> = taken.map(|(append, _)| *append).collect();
    for append in &taken {
        let (log, first) = (append.expected.log, append.expected.range.size());
        if !attachments::name(connection, log, first, &append.named).await? {
            return Err(Refusal::AttachmentGone);
        }
        attachments::erase(connection, log, &append.erased_attachments).await?;
    }
    write_records(connection, &taken).await?;
    write_besides(connection, &taken).await?;
    for append in &taken {
        write_disclosures(connection, append).await?;
        if append.keep_checkpoint {
            keep_checkpoint(connection, append).await?;
        }
    }
    Ok(written)
}

/// Swaps the rows of logs that are still the ones their writers saw: these logs.
async fn swap(
    connection: &mut SqliteConnection,
    appends: &[&Append],
) -> Result<HashSet<LogNumber>, sqlx::Error> {
    let mut swapped = HashSet::with_capacity(appends.len());
    for chunk in appends.chunks(INSERT_ROWS_MAX) {
        let rows = vec!["(?,?,?,?,?,?,?,?,?)"; chunk.len()].join(",");
        let sql = format!(
            "WITH swap (log, old_size, old_root, epoch, size, root, range, bytes, checkpoint) AS (VALUES {rows}) \
             UPDATE logs SET size = swap.size, root = swap.root, range = swap.range, bytes = swap.bytes, checkpoint = swap.checkpoint \
             FROM swap WHERE logs.log = swap.log AND logs.size = swap.old_size AND logs.root = swap.old_root AND logs.epoch = swap.epoch \
             RETURNING logs.log"
        );
        let mut statement = sqlx::query_scalar::<_, LogNumber>(AssertSqlSafe(sql));
        for append in chunk {
            let (before, after) = (&append.expected, &append.next);
            statement = statement
                .bind(before.log)
                .bind(before.range.size().cast_signed())
                .bind(before.range.root().0.to_vec())
                .bind(before.epoch)
                .bind(after.range.size().cast_signed())
                .bind(after.range.root().0.to_vec())
                .bind(rows::range_bytes(&after.range))
                .bind(after.bytes.cast_signed())
                .bind(after.checkpoint.clone());
        }
        swapped.extend(statement.fetch_all(&mut *connection).await?);
    }
    Ok(swapped)
}

/// Inserts the records, and where those of each subject are.
async fn write_records(
    connection: &mut SqliteConnection,
    appends: &[&Append],
) -> Result<(), sqlx::Error> {
    let placed: Vec<_> = appends
        .iter()
        .flat_map(|append| {
            let log = append.expected.log;
            let first = append.expected.range.size().cast_signed();
            let records = (first..).zip(&append.records);
            records.map(move |(sequence, record)| (log, sequence, record))
        })
        .collect();
    for chunk in placed.chunks(INSERT_ROWS_MAX) {
        let sql = format!("{};{}", RECORDS.sql(chunk.len()), SUBJECTS.sql(chunk.len()));
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for (log, sequence, record) in chunk {
            statement = statement
                .bind(*log)
                .bind(*sequence)
                .bind(record.time_micros);
            statement = statement
                .bind(record.leaf.0.to_vec())
                .bind(record.line.to_vec());
        }
        for (log, sequence, record) in chunk {
            statement = statement.bind(*log).bind(record.subject.clone());
            statement = statement
                .bind(record.revision.cast_signed())
                .bind(*sequence);
        }
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Deletes the disclosures of persons that are erased, and writes those that came.
async fn write_disclosures(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<(), sqlx::Error> {
    let log = append.expected.log;
    for person in &append.erased {
        sqlx::query("DELETE FROM disclosures WHERE log = ? AND person = ?")
            .bind(log)
            .bind(person.to_vec())
            .execute(&mut *connection)
            .await?;
        sqlx::query("INSERT INTO erased_persons (person) VALUES (?) ON CONFLICT DO NOTHING")
            .bind(person.to_vec())
            .execute(&mut *connection)
            .await?;
    }
    DISCLOSURES
        .rows(connection, &append.disclosures, |statement, one| {
            let statement = statement.bind(log).bind(one.sequence.cast_signed());
            let statement = statement.bind(i64::from(one.place));
            statement.bind(one.person.to_vec()).bind(one.sealed.clone())
        })
        .await
}

/// Keeps the checkpoint of the row after the append. One of that size can only be of records that were lost since.
async fn keep_checkpoint(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO checkpoints (log, size, checkpoint) VALUES (?, ?, ?) \
         ON CONFLICT (log, size) DO UPDATE SET checkpoint = excluded.checkpoint";
    sqlx::query(sql)
        .bind(append.expected.log)
        .bind(append.next.range.size().cast_signed())
        .bind(append.next.checkpoint.clone())
        .execute(connection)
        .await
        .map(drop)
}

/// Writes what appends hold besides their records.
async fn write_besides(
    connection: &mut SqliteConnection,
    appends: &[&Append],
) -> Result<(), sqlx::Error> {
    let aliases = each(appends, |append| &append.aliases);
    ALIASES
        .rows(connection, &aliases, |statement, (append, alias)| {
            let statement = statement.bind(append.expected.log);
            statement
                .bind(alias.alias.clone())
                .bind(alias.subject.clone())
        })
        .await?;
    let keys = each(appends, |append| &append.idempotency);
    KEYS.rows(connection, &keys, |statement, (append, row)| {
        let statement = statement
            .bind(append.expected.log)
            .bind(row.key.clone())
            .bind(row.fingerprint.to_vec());
        let statement = statement
            .bind(row.first.cast_signed())
            .bind(row.count.cast_signed());
        statement.bind(row.time_micros).bind(row.reply.clone())
    })
    .await?;
    let attachments = each(appends, |append| &append.attachments);
    ATTACHMENTS
        .rows(
            connection,
            &attachments,
            |statement, (append, attachment)| {
                let first = append.expected.range.size().cast_signed();
                let size = attachment.content.len() as i64;
                let statement = statement
                    .bind(append.expected.log)
                    .bind(attachment.blake3.clone());
                statement
                    .bind(first)
                    .bind(size)
                    .bind(attachment.content.to_vec())
            },
        )
        .await
}

/// What is to be written of each append, with the append.
fn each<'a, T>(
    appends: &[&'a Append],
    of: impl Fn(&'a Append) -> &'a [T],
) -> Vec<(&'a Append, &'a T)> {
    let pairs = |append: &&'a Append| {
        let append = *append;
        of(append)
            .iter()
            .map(move |one| (append, one))
            .collect::<Vec<_>>()
    };
    appends.iter().flat_map(pairs).collect()
}
