//! Writes that are neither appends nor leases: each is one statement.

use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use sqlx::PgPool;

use crate::store::limits::FORGET_ROWS_MAX;
use crate::store::rows::{self, HeadRow, signed};
use crate::store::{Head, LogNumber, StoreError};

pub(super) async fn create(pool: &PgPool, tenant: &Tenant) -> Result<Head, StoreError> {
    // The update that changes nothing makes the row that is there come back.
    let row: HeadRow = sqlx::query_as(
        "INSERT INTO probity.logs (tenant, size, root, range, bytes, epoch, checkpoint) VALUES ($1, 0, $2, '', 0, 0, '') \
         ON CONFLICT (tenant) DO UPDATE SET tenant = excluded.tenant \
         RETURNING log, tenant, size, root, range, bytes, epoch, checkpoint",
    )
    .bind(tenant.as_str())
    .bind(Hash::EMPTY.0)
    .fetch_one(pool)
    .await?;
    rows::head(row)
}

pub(super) async fn forget_idempotency(
    pool: &PgPool,
    before_micros: i64,
) -> Result<u64, StoreError> {
    let gone = sqlx::query(
        "DELETE FROM probity.idempotency AS i USING ( \
             SELECT log, key FROM probity.idempotency WHERE time_micros < $1 ORDER BY time_micros LIMIT $2) AS old \
         WHERE i.log = old.log AND i.key = old.key AND i.time_micros < $1",
    )
    .bind(before_micros)
    .bind(FORGET_ROWS_MAX)
    .execute(pool)
    .await?;
    Ok(gone.rows_affected())
}

pub(super) async fn put_snapshot(
    pool: &PgPool,
    log: LogNumber,
    size: u64,
    content: &[u8],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO probity.snapshots (log, size, content) VALUES ($1, $2, $3) \
         ON CONFLICT (log) DO UPDATE SET size = excluded.size, content = excluded.content",
    )
    .bind(log)
    .bind(signed(size)?)
    .bind(content)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn put_tiles(
    pool: &PgPool,
    log: LogNumber,
    tiles: &[(u8, u64, Vec<u8>)],
) -> Result<(), StoreError> {
    let levels: Vec<i16> = tiles
        .iter()
        .map(|(level, _, _)| i16::from(*level))
        .collect();
    let indexes = tiles
        .iter()
        .map(|(_, index, _)| signed(*index))
        .collect::<Result<Vec<_>, _>>()?;
    let hashes: Vec<&[u8]> = tiles
        .iter()
        .map(|(_, _, hashes)| hashes.as_slice())
        .collect();
    sqlx::query(
        "INSERT INTO probity.tiles (log, level, idx, hashes) \
         SELECT $1, level, idx, hashes FROM unnest($2::smallint[], $3::bigint[], $4::bytea[]) AS new (level, idx, hashes) \
         ON CONFLICT DO NOTHING",
    )
    .bind(log)
    .bind(levels)
    .bind(indexes)
    .bind(hashes)
    .execute(pool)
    .await?;
    Ok(())
}
