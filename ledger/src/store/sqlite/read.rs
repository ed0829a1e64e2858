//! Queries of readers: every one of them is a single statement, so it sees whole appends only.
//!
//! Lists of questions go in as one JSON array and come back with their places. `CROSS JOIN` keeps the planner from
//! turning such a join around: an array searched once for every row of a large table takes minutes.

use std::ops::Range;

use futures_util::TryStreamExt as _;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Row as _, SqlitePool};

use crate::store::rows::{self, HeadRow, KeyRow, placed, signed, unsigned};
use crate::store::{
    Head, IdempotencyRow, LogNumber, Owner, Span, StoreError, StoredRecord, SubjectEntry,
};

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

pub(super) async fn heads(pool: &SqlitePool) -> Result<Vec<Head>, StoreError> {
    let sql =
        "SELECT log, tenant, size, root, range, bytes, epoch, checkpoint FROM logs ORDER BY log";
    let found: Vec<HeadRow> = sqlx::query_as(sql).fetch_all(pool).await?;
    found.into_iter().map(rows::head).collect()
}

pub(super) async fn head(pool: &SqlitePool, tenant: &Tenant) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT log, tenant, size, root, range, bytes, epoch, checkpoint FROM logs WHERE tenant = ?";
    let found: Option<HeadRow> = sqlx::query_as(sql)
        .bind(tenant.to_string())
        .fetch_optional(pool)
        .await?;
    found.map(rows::head).transpose()
}

pub(super) async fn records(
    pool: &SqlitePool,
    log: LogNumber,
    span: Span<'_>,
    limit: u32,
    bytes_max: usize,
) -> Result<Vec<StoredRecord>, StoreError> {
    let query = match span {
        Span::From(first) => from(log, first)?,
        Span::Since(time_micros, first) => {
            from(log, first_since(pool, log, time_micros, first).await?)?
        }
        Span::Subject(subject, revision) => sqlx::query(
            "SELECT r.sequence, r.leaf, r.line FROM subjects AS s \
             JOIN records AS r ON r.log = s.log AND r.sequence = s.sequence \
             WHERE s.log = ? AND s.subject = ? AND s.revision >= ? ORDER BY s.revision LIMIT ?",
        )
        .bind(log)
        .bind(subject.to_owned())
        .bind(signed(revision)?),
    };
    let mut stream = query.bind(limit).fetch(pool);
    let (mut records, mut bytes) = (Vec::new(), 0);
    while bytes < bytes_max || records.is_empty() {
        let Some(row) = stream.try_next().await? else {
            break;
        };
        let record = record(&row)?;
        bytes += record.line.len() + 1;
        records.push(record);
    }
    Ok(records)
}

fn from(log: LogNumber, first: u64) -> Result<Query, StoreError> {
    let sql = "SELECT sequence, leaf, line FROM records WHERE log = ? AND sequence >= ? ORDER BY sequence LIMIT ?";
    Ok(sqlx::query(sql).bind(log).bind(signed(first)?))
}

fn record(row: &SqliteRow) -> Result<StoredRecord, StoreError> {
    rows::record(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)
}

/// The first sequence from `first` on whose time is not before `time_micros`. Time never goes back inside a log and
/// sequences have no gaps, so no index is needed: the statement halves the interval until nothing is left of it.
async fn first_since(
    pool: &SqlitePool,
    log: LogNumber,
    time_micros: i64,
    first: u64,
) -> Result<u64, StoreError> {
    let found: i64 = sqlx::query_scalar(
        "WITH RECURSIVE part (low, high) AS ( \
             SELECT ?2, max(?2, coalesce((SELECT max(sequence) + 1 FROM records WHERE log = ?1), 0)) \
             UNION ALL \
             SELECT \
                 iif((SELECT time_micros < ?3 FROM records WHERE log = ?1 AND sequence = (low + high) / 2), \
                     (low + high) / 2 + 1, low), \
                 iif((SELECT time_micros < ?3 FROM records WHERE log = ?1 AND sequence = (low + high) / 2), \
                     high, (low + high) / 2) \
             FROM part WHERE low < high) \
         SELECT max(low) FROM part",
    )
    .bind(log)
    .bind(signed(first)?)
    .bind(time_micros)
    .fetch_one(pool)
    .await?;
    unsigned(found)
}

pub(super) async fn leaves(
    pool: &SqlitePool,
    log: LogNumber,
    first: u64,
    count: u32,
) -> Result<Vec<Hash>, StoreError> {
    let sql = "SELECT leaf FROM records WHERE log = ? AND sequence >= ? ORDER BY sequence LIMIT ?";
    let found = sqlx::query(sql)
        .bind(log)
        .bind(signed(first)?)
        .bind(count)
        .fetch_all(pool)
        .await?;
    found
        .iter()
        .map(|row| rows::hash(row.try_get(0)?))
        .collect()
}

pub(super) async fn subject_heads(
    pool: &SqlitePool,
    log: LogNumber,
    subjects: &[String],
) -> Result<Vec<Option<(u64, Hash)>>, StoreError> {
    let sql = "SELECT wanted.key, s.revision, r.leaf FROM json_each(?2) AS wanted \
         CROSS JOIN subjects AS s ON s.log = ?1 AND s.subject = wanted.value AND s.revision = \
             (SELECT max(revision) FROM subjects WHERE log = ?1 AND subject = wanted.value) \
         CROSS JOIN records AS r ON r.log = s.log AND r.sequence = s.sequence";
    let found: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(sql)
        .bind(log)
        .bind(json(subjects))
        .fetch_all(pool)
        .await?;
    placed(
        subjects.len(),
        found
            .into_iter()
            .map(|(place, revision, leaf)| Ok((place, (unsigned(revision)?, rows::hash(&leaf)?)))),
    )
}

pub(super) async fn subjects(
    pool: &SqlitePool,
    log: LogNumber,
    records: Range<u64>,
    after: &str,
    limit: u32,
) -> Result<Vec<SubjectEntry>, StoreError> {
    let sql = "SELECT head.subject, head.revision, head.sequence, r.leaf FROM ( \
             SELECT subject, max(revision) AS revision, max(sequence) AS sequence FROM subjects \
             WHERE log = $1 AND subject > $2 AND sequence >= $3 AND sequence < $4 \
             GROUP BY subject ORDER BY subject LIMIT $5) AS head \
         JOIN records AS r ON r.log = $1 AND r.sequence = head.sequence ORDER BY head.subject";
    let found: Vec<rows::SubjectRow> = sqlx::query_as(sql)
        .bind(log)
        .bind(after.to_owned())
        .bind(signed(records.start)?)
        .bind(signed(records.end)?)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    found.into_iter().map(rows::subject).collect()
}

pub(super) async fn aliases(
    pool: &SqlitePool,
    log: LogNumber,
    aliases: &[String],
) -> Result<Vec<Option<String>>, StoreError> {
    let sql = "SELECT wanted.key, a.subject FROM json_each(?2) AS wanted \
         CROSS JOIN aliases AS a ON a.log = ?1 AND a.alias = wanted.value";
    let found: Vec<(i64, String)> = sqlx::query_as(sql)
        .bind(log)
        .bind(json(aliases))
        .fetch_all(pool)
        .await?;
    placed(aliases.len(), found.into_iter().map(Ok))
}

pub(super) async fn idempotency(
    pool: &SqlitePool,
    log: LogNumber,
    keys: &[String],
) -> Result<Vec<Option<IdempotencyRow>>, StoreError> {
    let sql = "SELECT wanted.key, i.key, i.fingerprint, i.first, i.count, i.time_micros, i.reply \
         FROM json_each(?2) AS wanted CROSS JOIN idempotency AS i ON i.log = ?1 AND i.key = wanted.value";
    type Placed = (i64, String, Vec<u8>, i64, i64, i64, String);
    let found: Vec<Placed> = sqlx::query_as(sql)
        .bind(log)
        .bind(json(keys))
        .fetch_all(pool)
        .await?;
    let row = |(place, key, fingerprint, first, count, time, reply): Placed| {
        let row: KeyRow = (key, fingerprint, first, count, time, reply);
        Ok((place, rows::key(row)?))
    };
    placed(keys.len(), found.into_iter().map(row))
}

pub(super) async fn snapshot(
    pool: &SqlitePool,
    log: LogNumber,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT content FROM snapshots WHERE log = ?";
    Ok(sqlx::query_scalar(sql)
        .bind(log)
        .fetch_optional(pool)
        .await?)
}

pub(super) async fn tiles(
    pool: &SqlitePool,
    log: LogNumber,
    wanted: &[(u8, u64)],
) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let sql = "SELECT wanted.key, t.hashes FROM json_each(?2) AS wanted \
         CROSS JOIN tiles AS t ON t.log = ?1 AND t.level = wanted.value ->> 0 AND t.idx = wanted.value ->> 1";
    let found: Vec<(i64, Vec<u8>)> = sqlx::query_as(sql)
        .bind(log)
        .bind(json(wanted))
        .fetch_all(pool)
        .await?;
    placed(wanted.len(), found.into_iter().map(Ok))
}

pub(super) async fn tile_count(
    pool: &SqlitePool,
    log: LogNumber,
    level: u8,
) -> Result<u64, StoreError> {
    let sql = "SELECT min(next) FROM ( \
             SELECT 0 AS next UNION ALL SELECT idx + 1 FROM tiles WHERE log = ?1 AND level = ?2) \
         WHERE NOT EXISTS (SELECT 1 FROM tiles WHERE log = ?1 AND level = ?2 AND idx = next)";
    unsigned(
        sqlx::query_scalar(sql)
            .bind(log)
            .bind(level)
            .fetch_one(pool)
            .await?,
    )
}

pub(super) async fn owner(pool: &SqlitePool, tenant: &Tenant) -> Result<Option<Owner>, StoreError> {
    let sql = "SELECT logs.node, coalesce(address, ''), epoch FROM logs \
         LEFT JOIN nodes ON nodes.node = logs.node WHERE tenant = ? AND logs.node IS NOT NULL";
    let found: Option<(String, String, i64)> = sqlx::query_as(sql)
        .bind(tenant.to_string())
        .fetch_optional(pool)
        .await?;
    Ok(found.map(|(node, address, epoch)| Owner {
        node,
        address,
        alive: true,
        epoch,
    }))
}

/// Questions as one JSON array; strings and numbers can always be written as JSON.
pub(super) fn json<T: serde::Serialize>(questions: &[T]) -> String {
    serde_json::to_string(questions).unwrap_or_default()
}
