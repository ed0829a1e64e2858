//! One append, one statement: compare and swap the log's row, and insert everything else if that was done.
//!
//! Where its records name attachments, a statement before it, in the same transaction, marks them; if one is not there, nothing
//! is written. What an erasure deletes of them is deleted there too.
//!
//! Read committed is what the swap needs: it waits for a rival that has the row, then looks at the row again.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgDatabaseError, PgSeverity};
use sqlx::{Connection as _, PgPool, Postgres};

use super::attachments;
use crate::store::limits::ANSWER_SECONDS_MAX;
use crate::store::{Append, AppendError, StoreError, rows};

type Query<'a> = sqlx::query::QueryScalar<'a, Postgres, i64, sqlx::postgres::PgArguments>;

/// How many rows were swapped: one, or none after which nothing else is written either. `place` counts from 1.
const APPEND: &str = "\
WITH swapped AS ( \
    UPDATE probity.logs SET size = $5, root = $6, range = $7, bytes = $8, checkpoint = $9 \
    WHERE log = $1 AND size = $2 AND root = $3 AND epoch = $4 RETURNING log \
), new_records AS ( \
    INSERT INTO probity.records (log, sequence, time_micros, leaf, line) \
    SELECT log, $2 + place - 1, time_micros, leaf, line FROM swapped, \
        unnest($10::bigint[], $11::bytea[], $12::bytea[]) WITH ORDINALITY AS new (time_micros, leaf, line, place) \
), new_subjects AS ( \
    INSERT INTO probity.subjects (log, subject, revision, sequence) \
    SELECT log, subject, revision, $2 + place - 1 FROM swapped, \
        unnest($13::text[], $14::bigint[]) WITH ORDINALITY AS new (subject, revision, place) \
), new_aliases AS ( \
    INSERT INTO probity.aliases (log, alias, subject) \
    SELECT DISTINCT ON (alias) log, alias, subject FROM swapped, \
        unnest($15::text[], $16::text[]) WITH ORDINALITY AS new (alias, subject, place) \
    ORDER BY alias, place DESC \
    ON CONFLICT (log, alias) DO UPDATE SET subject = excluded.subject \
), new_keys AS ( \
    INSERT INTO probity.idempotency (log, key, fingerprint, first, count, time_micros, reply) \
    SELECT DISTINCT ON (key) log, key, fingerprint, first, count, time_micros, reply FROM swapped, \
        unnest($17::text[], $18::bytea[], $19::bigint[], $20::bigint[], $21::bigint[], $22::text[]) \
            WITH ORDINALITY AS new (key, fingerprint, first, count, time_micros, reply, place) \
    ORDER BY key, place DESC \
    ON CONFLICT (log, key) DO UPDATE SET fingerprint = excluded.fingerprint, first = excluded.first, \
        count = excluded.count, time_micros = excluded.time_micros, reply = excluded.reply \
), new_attachments AS ( \
    INSERT INTO probity.attachments (log, blake3, first, size, content) \
    SELECT log, blake3, $2, octet_length(content), content FROM swapped, \
        unnest($23::text[], $24::bytea[]) AS new (blake3, content) \
    ON CONFLICT (log, blake3) DO NOTHING \
), erased AS ( \
    DELETE FROM probity.disclosures AS old USING swapped \
    WHERE old.log = swapped.log AND old.person = ANY($25::bytea[]) \
), noted AS ( \
    INSERT INTO probity.erased_persons (person) SELECT person FROM swapped, unnest($25::bytea[]) AS new (person) \
    ON CONFLICT (person) DO NOTHING \
), new_disclosures AS ( \
    INSERT INTO probity.disclosures (log, sequence, place, person, sealed) \
    SELECT log, sequence, place, person, sealed FROM swapped, \
        unnest($26::bigint[], $27::bigint[], $28::bytea[], $29::bytea[]) AS new (sequence, place, person, sealed) \
), new_checkpoint AS ( \
    INSERT INTO probity.checkpoints (log, size, checkpoint) \
    SELECT log, $5, $9 FROM swapped WHERE $30 \
    ON CONFLICT (log, size) DO UPDATE SET checkpoint = excluded.checkpoint \
) \
SELECT count(*) FROM swapped";

/// Appends, or says what became of it.
pub(super) async fn append(pool: &PgPool, append: &Append) -> Result<(), AppendError> {
    rows::check(append).map_err(AppendError::NotDone)?;
    let mut connection = pool
        .acquire()
        .await
        .map_err(|error| AppendError::NotDone(error.into()))?;
    let answer = send(&mut connection, append).await;
    if matches!(answer, Err(AppendError::Unknown(_))) {
        connection.close_on_drop();
    }
    answer
}

/// Sends the statement. The driver answers only after the server has said that it is done with it, commit included.
async fn send(connection: &mut PgConnection, append: &Append) -> Result<(), AppendError> {
    let answer = async {
        if append.named.is_empty() && append.erased_attachments.is_empty() {
            swapped(connection, append).await
        } else {
            name_and_swap(connection, append).await
        }
    };
    match tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS_MAX), answer).await {
        Ok(Ok(Done::Swapped)) => Ok(()),
        Ok(Ok(Done::Conflict)) => Err(AppendError::Conflict),
        Ok(Ok(Done::AttachmentGone)) => Err(AppendError::NotDone(StoreError::AttachmentGone)),
        Ok(Err(error)) if is_refusal(&error) => Err(AppendError::NotDone(error.into())),
        Ok(Err(error)) => Err(AppendError::Unknown(error.into())),
        Err(_) => Err(AppendError::Unknown(StoreError::Silent {
            seconds: ANSWER_SECONDS_MAX,
        })),
    }
}

/// What came of it.
enum Done {
    Swapped,
    Conflict,
    AttachmentGone,
}

async fn swapped(connection: &mut PgConnection, append: &Append) -> Result<Done, sqlx::Error> {
    let query = bind_besides(bind_records(append), append);
    Ok(match query.fetch_one(connection).await? {
        1 => Done::Swapped,
        _ => Done::Conflict,
    })
}

/// Only an append that was done is committed: what was marked for another one is not named by it.
async fn name_and_swap(
    connection: &mut PgConnection,
    append: &Append,
) -> Result<Done, sqlx::Error> {
    let (log, first) = (append.expected.log, append.expected.range.size());
    let mut transaction = connection.begin().await?;
    let done = if attachments::name(&mut transaction, log, first, &append.named).await? {
        attachments::erase(&mut transaction, log, &append.erased_attachments).await?;
        swapped(&mut transaction, append).await?
    } else {
        Done::AttachmentGone
    };
    match done {
        Done::Swapped => transaction.commit().await?,
        Done::Conflict | Done::AttachmentGone => transaction.rollback().await?,
    }
    Ok(done)
}

/// Whether the server said that the statement failed, and therefore wrote nothing. A session that it ends (severity FATAL)
/// may be ended after the commit, and `40003` is the one error that says it does not know.
fn is_refusal(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
        .is_some_and(|error| error.severity() == PgSeverity::Error && error.code() != "40003")
}

/// The statement with the log's two rows and the records; that their numbers fit was checked before ([`rows::check`]).
fn bind_records(append: &Append) -> Query<'_> {
    let (before, after) = (&append.expected, &append.next);
    let records = &append.records;
    sqlx::query_scalar(APPEND)
        .bind(before.log)
        .bind(before.range.size().cast_signed())
        .bind(before.range.root().0)
        .bind(before.epoch)
        .bind(after.range.size().cast_signed())
        .bind(after.range.root().0)
        .bind(rows::range_bytes(&after.range))
        .bind(after.bytes.cast_signed())
        .bind(after.checkpoint.as_str())
        .bind(column(records, |record| record.time_micros))
        .bind(column(records, |record| record.leaf.0))
        .bind(column(records, |record| &*record.line))
        .bind(column(records, |record| record.subject.as_str()))
        .bind(column(records, |record| record.revision.cast_signed()))
}

/// The statement with what an append holds besides its records.
fn bind_besides<'a>(query: Query<'a>, append: &'a Append) -> Query<'a> {
    let (aliases, keys, attachments) = (&append.aliases, &append.idempotency, &append.attachments);
    let disclosures = &append.disclosures;
    query
        .bind(column(aliases, |alias| alias.alias.as_str()))
        .bind(column(aliases, |alias| alias.subject.as_str()))
        .bind(column(keys, |row| row.key.as_str()))
        .bind(column(keys, |row| row.fingerprint))
        .bind(column(keys, |row| row.first.cast_signed()))
        .bind(column(keys, |row| row.count.cast_signed()))
        .bind(column(keys, |row| row.time_micros))
        .bind(column(keys, |row| row.reply.as_str()))
        .bind(column(attachments, |attachment| attachment.blake3.as_str()))
        .bind(column(attachments, |attachment| &*attachment.content))
        .bind(column(&append.erased, |person| person.as_slice()))
        .bind(column(disclosures, |one| one.sequence.cast_signed()))
        .bind(column(disclosures, |one| i64::from(one.place)))
        .bind(column(disclosures, |one| one.person.as_slice()))
        .bind(column(disclosures, |one| one.sealed.as_slice()))
        .bind(append.keep_checkpoint)
}

/// One column of many rows, for `unnest`.
fn column<'a, T, C>(rows: &'a [T], value: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}
