//! The SQL of one append inside the committer's transaction: compare and swap the log's row, insert, and mark what is named.

use std::sync::Arc;

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::attachments;
use super::insert::{ALIASES, ATTACHMENTS, DISCLOSURES, KEYS, RECORDS, SUBJECTS};
use crate::store::limits::INSERT_ROWS_MAX;
use crate::store::{Append, StoreError, rows};

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

/// Writes one append; `false`, and nothing written, when the log's row is not the one the writer saw. That its numbers
/// fit was checked before ([`rows::check`]).
pub(super) async fn write(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<bool, Refusal> {
    if !swap(connection, append).await? {
        return Ok(false);
    }
    let (log, first) = (append.expected.log, append.expected.range.size());
    if !attachments::name(connection, log, first, &append.named).await? {
        return Err(Refusal::AttachmentGone);
    }
    attachments::erase(connection, log, &append.erased_attachments).await?;
    write_records(connection, append).await?;
    write_besides(connection, append).await?;
    write_disclosures(connection, append).await?;
    if append.keep_checkpoint {
        keep_checkpoint(connection, append).await?;
    }
    Ok(true)
}

/// Swaps the log's row if it is still the one the writer saw.
async fn swap(connection: &mut SqliteConnection, append: &Append) -> Result<bool, sqlx::Error> {
    let (before, after) = (&append.expected, &append.next);
    let swapped = sqlx::query(
        "UPDATE logs SET size = ?, root = ?, range = ?, bytes = ?, checkpoint = ? \
         WHERE log = ? AND size = ? AND root = ? AND epoch = ?",
    )
    .bind(after.range.size().cast_signed())
    .bind(after.range.root().0.to_vec())
    .bind(rows::range_bytes(&after.range))
    .bind(after.bytes.cast_signed())
    .bind(after.checkpoint.clone())
    .bind(before.log)
    .bind(before.range.size().cast_signed())
    .bind(before.range.root().0.to_vec())
    .bind(before.epoch)
    .execute(connection)
    .await?;
    Ok(swapped.rows_affected() == 1)
}

/// Writes the records and where their subjects are, both in one call.
async fn write_records(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<(), sqlx::Error> {
    let log = append.expected.log;
    let mut first = append.expected.range.size().cast_signed();
    for chunk in append.records.chunks(INSERT_ROWS_MAX) {
        let sql = format!("{};{}", RECORDS.sql(chunk.len()), SUBJECTS.sql(chunk.len()));
        let mut statement = sqlx::query(AssertSqlSafe(sql));
        for (sequence, record) in (first..).zip(chunk) {
            statement = statement.bind(log).bind(sequence).bind(record.time_micros);
            statement = statement
                .bind(record.leaf.0.to_vec())
                .bind(record.line.to_vec());
        }
        for (sequence, record) in (first..).zip(chunk) {
            statement = statement.bind(log).bind(record.subject.clone());
            statement = statement.bind(record.revision.cast_signed()).bind(sequence);
        }
        statement.execute(&mut *connection).await?;
        first += chunk.len() as i64;
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

/// Writes what an append holds besides its records.
async fn write_besides(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<(), sqlx::Error> {
    let log = append.expected.log;
    ALIASES
        .rows(connection, &append.aliases, |statement, alias| {
            statement
                .bind(log)
                .bind(alias.alias.clone())
                .bind(alias.subject.clone())
        })
        .await?;
    KEYS.rows(connection, &append.idempotency, |statement, row| {
        let statement = statement
            .bind(log)
            .bind(row.key.clone())
            .bind(row.fingerprint.to_vec());
        let statement = statement
            .bind(row.first.cast_signed())
            .bind(row.count.cast_signed());
        statement.bind(row.time_micros).bind(row.reply.clone())
    })
    .await?;
    ATTACHMENTS
        .rows(connection, &append.attachments, |statement, attachment| {
            let first = append.expected.range.size().cast_signed();
            let size = attachment.content.len() as i64;
            let statement = statement.bind(log).bind(attachment.blake3.clone());
            statement
                .bind(first)
                .bind(size)
                .bind(attachment.content.to_vec())
        })
        .await
}
