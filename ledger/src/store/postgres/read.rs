//! Queries of readers: every one of them is a single statement, so it sees whole appends only.
//!
//! Lists of questions go in as arrays and come back with their places.

use std::ops::Range;

use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use sqlx::{AssertSqlSafe, PgPool, Row as _};

use crate::store::rows::{self, HeadRow, KeyRow, placed, signed, unsigned};
use crate::store::{Head, IdempotencyRow, LogNumber, Span, StoreError, StoredRecord, SubjectEntry};

pub(super) async fn heads(pool: &PgPool) -> Result<Vec<Head>, StoreError> {
    let sql = "SELECT log, tenant, size, root, range, bytes, epoch, checkpoint FROM probity.logs ORDER BY log";
    let found: Vec<HeadRow> = sqlx::query_as(sql).fetch_all(pool).await?;
    found.into_iter().map(rows::head).collect()
}

pub(super) async fn head(pool: &PgPool, tenant: &Tenant) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT log, tenant, size, root, range, bytes, epoch, checkpoint FROM probity.logs WHERE tenant = $1";
    let found: Option<HeadRow> = sqlx::query_as(sql)
        .bind(tenant.as_str())
        .fetch_optional(pool)
        .await?;
    found.map(rows::head).transpose()
}

pub(super) async fn records(
    pool: &PgPool,
    log: LogNumber,
    span: Span<'_>,
    limit: u32,
    bytes_max: usize,
) -> Result<Vec<StoredRecord>, StoreError> {
    let (sql, first, subject) = match span {
        Span::From(first) => (page(BY_SEQUENCE), first, None),
        Span::Since(time_micros, first) => (
            page(BY_SEQUENCE),
            first_since(pool, log, time_micros, first).await?,
            None,
        ),
        Span::Subject(subject, revision) => (page(BY_SUBJECT), revision, Some(subject)),
    };
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(log)
        .bind(signed(first)?)
        .bind(i64::from(limit));
    let query = query.bind(i64::try_from(bytes_max).unwrap_or(i64::MAX));
    let query = if let Some(subject) = subject {
        query.bind(subject)
    } else {
        query
    };
    let found = query.fetch_all(pool).await?;
    found
        .iter()
        .map(|row| rows::record(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
        .collect()
}

const BY_SEQUENCE: &str = "SELECT sequence AS place, sequence, leaf, line, octet_length(line) + 1 AS bytes \
    FROM probity.records WHERE log = $1 AND sequence >= $2";

const BY_SUBJECT: &str = "SELECT s.revision AS place, r.sequence, r.leaf, r.line, octet_length(r.line) + 1 AS bytes \
    FROM probity.subjects AS s JOIN probity.records AS r ON r.log = s.log AND r.sequence = s.sequence \
    WHERE s.log = $1 AND s.revision >= $2 AND s.subject = $5";

/// A page of rows in order of their place: those before which the lines are fewer than the limit, and the first one.
fn page(rows: &str) -> String {
    format!(
        "SELECT sequence, leaf, line FROM ( \
             SELECT *, sum(bytes) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) - bytes AS before \
             FROM ({rows} ORDER BY place LIMIT $3) AS page) AS counted \
         WHERE before < $4 OR before = 0 ORDER BY place"
    )
}

/// The first sequence from `first` on whose time is not before `time_micros`. Time never goes back inside a log and
/// sequences have no gaps, so no index is needed: the statement halves the interval until nothing is left of it.
async fn first_since(
    pool: &PgPool,
    log: LogNumber,
    time_micros: i64,
    first: u64,
) -> Result<u64, StoreError> {
    let found: i64 = sqlx::query_scalar(
        "WITH RECURSIVE part (low, high) AS ( \
             SELECT $2, greatest($2, (SELECT max(sequence) + 1 FROM probity.records WHERE log = $1)) \
             UNION ALL \
             SELECT CASE WHEN early THEN middle + 1 ELSE low END, CASE WHEN early THEN high ELSE middle END \
             FROM part CROSS JOIN LATERAL ( \
                 SELECT sequence AS middle, time_micros < $3 AS early FROM probity.records \
                 WHERE log = $1 AND sequence = (low + high) / 2) AS probe \
             WHERE low < high) \
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
    pool: &PgPool,
    log: LogNumber,
    first: u64,
    count: u32,
) -> Result<Vec<Hash>, StoreError> {
    let sql = "SELECT leaf FROM probity.records WHERE log = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3";
    let query = sqlx::query(sql)
        .bind(log)
        .bind(signed(first)?)
        .bind(i64::from(count));
    let found = query.fetch_all(pool).await?;
    found
        .iter()
        .map(|row| rows::hash(row.try_get(0)?))
        .collect()
}

pub(super) async fn subject_heads(
    pool: &PgPool,
    log: LogNumber,
    subjects: &[String],
) -> Result<Vec<Option<(u64, Hash)>>, StoreError> {
    let sql = "SELECT place - 1, head.revision, r.leaf \
         FROM unnest($2::text[]) WITH ORDINALITY AS wanted (subject, place) \
         CROSS JOIN LATERAL ( \
             SELECT revision, sequence FROM probity.subjects AS s \
             WHERE s.log = $1 AND s.subject = wanted.subject ORDER BY revision DESC LIMIT 1) AS head \
         JOIN probity.records AS r ON r.log = $1 AND r.sequence = head.sequence";
    let found: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(sql)
        .bind(log)
        .bind(subjects)
        .fetch_all(pool)
        .await?;
    let head = |(place, revision, leaf): (i64, i64, Vec<u8>)| {
        Ok((place, (unsigned(revision)?, rows::hash(&leaf)?)))
    };
    placed(subjects.len(), found.into_iter().map(head))
}

pub(super) async fn subjects(
    pool: &PgPool,
    log: LogNumber,
    records: Range<u64>,
    after: &str,
    limit: u32,
) -> Result<Vec<SubjectEntry>, StoreError> {
    let sql = "SELECT head.subject, head.revision, head.sequence, r.leaf FROM ( \
             SELECT subject, max(revision) AS revision, max(sequence) AS sequence FROM probity.subjects \
             WHERE log = $1 AND subject > $2 AND sequence >= $3 AND sequence < $4 \
             GROUP BY subject ORDER BY subject LIMIT $5) AS head \
         JOIN probity.records AS r ON r.log = $1 AND r.sequence = head.sequence ORDER BY head.subject";
    let found: Vec<rows::SubjectRow> = sqlx::query_as(sql)
        .bind(log)
        .bind(after.to_owned())
        .bind(signed(records.start)?)
        .bind(signed(records.end)?)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    found.into_iter().map(rows::subject).collect()
}

pub(super) async fn aliases(
    pool: &PgPool,
    log: LogNumber,
    aliases: &[String],
) -> Result<Vec<Option<String>>, StoreError> {
    let sql = "SELECT place - 1, a.subject FROM unnest($2::text[]) WITH ORDINALITY AS wanted (alias, place) \
         JOIN probity.aliases AS a ON a.log = $1 AND a.alias = wanted.alias";
    let found: Vec<(i64, String)> = sqlx::query_as(sql)
        .bind(log)
        .bind(aliases)
        .fetch_all(pool)
        .await?;
    placed(aliases.len(), found.into_iter().map(Ok))
}

pub(super) async fn idempotency(
    pool: &PgPool,
    log: LogNumber,
    keys: &[String],
) -> Result<Vec<Option<IdempotencyRow>>, StoreError> {
    let sql = "SELECT place - 1, i.key, i.fingerprint, i.first, i.count, i.time_micros, i.reply \
         FROM unnest($2::text[]) WITH ORDINALITY AS wanted (key, place) \
         JOIN probity.idempotency AS i ON i.log = $1 AND i.key = wanted.key";
    type Placed = (i64, String, Vec<u8>, i64, i64, i64, String);
    let found: Vec<Placed> = sqlx::query_as(sql)
        .bind(log)
        .bind(keys)
        .fetch_all(pool)
        .await?;
    let row = |(place, key, fingerprint, first, count, time, reply): Placed| {
        let row: KeyRow = (key, fingerprint, first, count, time, reply);
        Ok((place, rows::key(row)?))
    };
    placed(keys.len(), found.into_iter().map(row))
}

pub(super) async fn snapshot(pool: &PgPool, log: LogNumber) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT content FROM probity.snapshots WHERE log = $1";
    Ok(sqlx::query_scalar(sql)
        .bind(log)
        .fetch_optional(pool)
        .await?)
}

pub(super) async fn tiles(
    pool: &PgPool,
    log: LogNumber,
    wanted: &[(u8, u64)],
) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    let sql = "SELECT place - 1, t.hashes \
         FROM unnest($2::smallint[], $3::bigint[]) WITH ORDINALITY AS wanted (level, idx, place) \
         JOIN probity.tiles AS t ON t.log = $1 AND t.level = wanted.level AND t.idx = wanted.idx";
    let levels: Vec<i16> = wanted.iter().map(|(level, _)| i16::from(*level)).collect();
    let indexes = wanted
        .iter()
        .map(|(_, index)| signed(*index))
        .collect::<Result<Vec<_>, _>>()?;
    let found: Vec<(i64, Vec<u8>)> = sqlx::query_as(sql)
        .bind(log)
        .bind(levels)
        .bind(indexes)
        .fetch_all(pool)
        .await?;
    placed(wanted.len(), found.into_iter().map(Ok))
}

pub(super) async fn tile_count(
    pool: &PgPool,
    log: LogNumber,
    level: u8,
) -> Result<u64, StoreError> {
    let sql = "SELECT min(next) FROM ( \
             SELECT 0 AS next UNION ALL SELECT idx + 1 FROM probity.tiles WHERE log = $1 AND level = $2) AS nexts \
         WHERE NOT EXISTS (SELECT 1 FROM probity.tiles WHERE log = $1 AND level = $2 AND idx = next)";
    unsigned(
        sqlx::query_scalar(sql)
            .bind(log)
            .bind(i16::from(level))
            .fetch_one(pool)
            .await?,
    )
}
