//! The SQL of one append inside the committer's transaction: compare and swap the log's row, then insert.
//!
//! A call of the driver costs as much as a few rows, so rows go in by prepared statements of many rows each.

use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _};

use super::committer::Outcome;
use crate::store::limits::INSERT_ROWS_MAX;
use crate::store::{Append, rows};

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// An INSERT of any number of rows.
struct Insert {
    into: &'static str,
    row: &'static str,
    end: &'static str,
}

const RECORDS: Insert = Insert {
    into: "INSERT INTO records (log, sequence, time_micros, leaf, line) VALUES ",
    row: "(?,?,?,?,?)",
    end: "",
};
const SUBJECTS: Insert = Insert {
    into: "INSERT INTO subjects (log, subject, revision, sequence) VALUES ",
    row: "(?,?,?,?)",
    end: "",
};
const ALIASES: Insert = Insert {
    into: "INSERT INTO aliases (log, alias, subject) VALUES ",
    row: "(?,?,?)",
    end: " ON CONFLICT (log, alias) DO UPDATE SET subject = excluded.subject",
};
const KEYS: Insert = Insert {
    into: "INSERT OR REPLACE INTO idempotency (log, key, fingerprint, first, count, time_micros, reply) VALUES ",
    row: "(?,?,?,?,?,?,?)",
    end: "",
};
const ATTACHMENTS: Insert = Insert {
    into: "INSERT INTO attachments (log, blake3, first, size, content) VALUES ",
    row: "(?,?,?,?,?)",
    end: " ON CONFLICT (log, blake3) DO NOTHING",
};

impl Insert {
    /// Inserts all rows, as many at once as a prepared statement takes. `bind` gets each row's place.
    async fn rows<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(Statement, i64, &T) -> Statement,
    ) -> Result<(), sqlx::Error> {
        let mut place = 0;
        for chunk in rows.chunks(INSERT_ROWS_MAX) {
            let values = vec![self.row; chunk.len()].join(",");
            let sql = format!("{}{values}{}", self.into, self.end);
            let mut statement = sqlx::query(AssertSqlSafe(sql));
            for row in chunk {
                statement = bind(statement, place, row);
                place += 1;
            }
            statement.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

/// Writes one of several appends of a transaction. An error means that the whole transaction is lost.
pub(super) async fn write_in_savepoint(
    transaction: &mut SqliteConnection,
    append: &Append,
) -> Result<Outcome, sqlx::Error> {
    let mut savepoint = transaction.begin().await?;
    match write(&mut savepoint, append).await {
        Ok(outcome) => savepoint.commit().await.map(|()| outcome),
        // A full disk, for one, ends the whole transaction: then this fails, too.
        Err(error) => savepoint.rollback().await.map(|()| Outcome::Refused(error)),
    }
}

/// Writes one append, or nothing when the log's row is another one. That its numbers fit was checked before
/// ([`rows::check`]).
pub(super) async fn write(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<Outcome, sqlx::Error> {
    if !swap(connection, append).await? {
        return Ok(Outcome::Conflict);
    }
    let (log, first) = (
        append.expected.log,
        append.expected.range.size().cast_signed(),
    );
    RECORDS
        .rows(connection, &append.records, |statement, place, record| {
            let statement = statement
                .bind(log)
                .bind(first + place)
                .bind(record.time_micros);
            statement
                .bind(record.leaf.0.to_vec())
                .bind(record.line.to_vec())
        })
        .await?;
    SUBJECTS
        .rows(connection, &append.records, |statement, place, record| {
            let statement = statement.bind(log).bind(record.subject.clone());
            statement
                .bind(record.revision.cast_signed())
                .bind(first + place)
        })
        .await?;
    write_besides(connection, append).await?;
    Ok(Outcome::Written)
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

/// Writes what an append holds besides its records.
async fn write_besides(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<(), sqlx::Error> {
    let log = append.expected.log;
    ALIASES
        .rows(connection, &append.aliases, |statement, _, alias| {
            statement
                .bind(log)
                .bind(alias.alias.clone())
                .bind(alias.subject.clone())
        })
        .await?;
    KEYS.rows(connection, &append.idempotency, |statement, _, row| {
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
        .rows(
            connection,
            &append.attachments,
            |statement, _, attachment| {
                let size = attachment.content.len() as i64;
                let statement = statement.bind(log).bind(attachment.blake3.clone());
                let first = append.expected.range.size().cast_signed();
                statement
                    .bind(first)
                    .bind(size)
                    .bind(attachment.content.to_vec())
            },
        )
        .await
}
