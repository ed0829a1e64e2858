//! Leases: which node owns which log, by the database's own clock. Not a lock: what fences a writer is the epoch of the log's
//! row, which every claim raises and every append compares with.

use probity_schemas::subject::Tenant;
use sqlx::PgPool;

use crate::store::rows::{self, HeadRow};
use crate::store::{Head, Owner, StoreError};

pub(super) async fn renew(
    pool: &PgPool,
    node: &str,
    address: &str,
    seconds: u32,
) -> Result<bool, StoreError> {
    let renewed = sqlx::query(
        "UPDATE probity.nodes SET address = $2, expires = clock_timestamp() + make_interval(secs => $3::bigint) \
         WHERE node = $1 AND expires > clock_timestamp()",
    )
    .bind(node)
    .bind(address)
    .bind(i64::from(seconds))
    .execute(pool)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

pub(super) async fn rejoin(
    pool: &PgPool,
    node: &str,
    address: &str,
    seconds: u32,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO probity.nodes (node, address, expires) \
         VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::bigint)) \
         ON CONFLICT (node) DO UPDATE SET address = excluded.address, expires = excluded.expires",
    )
    .bind(node)
    .bind(address)
    .bind(i64::from(seconds))
    .execute(pool)
    .await?;
    Ok(())
}

/// The row is locked before its owner is looked at, so of two nodes that claim at once the second one sees the first; and
/// an append that is under way ends before.
pub(super) async fn claim(
    pool: &PgPool,
    tenant: &Tenant,
    node: &str,
) -> Result<Option<Head>, StoreError> {
    let row: Option<HeadRow> = sqlx::query_as(
        "WITH seen AS (SELECT log, node FROM probity.logs WHERE tenant = $1 FOR UPDATE) \
         UPDATE probity.logs AS l SET node = $2, epoch = l.epoch + 1 FROM seen \
         WHERE l.log = seen.log AND NOT EXISTS ( \
             SELECT 1 FROM probity.nodes AS n \
             WHERE n.node = seen.node AND n.node <> $2 AND n.expires > clock_timestamp()) \
         RETURNING l.log, l.tenant, l.size, l.root, l.range, l.bytes, l.epoch, l.checkpoint",
    )
    .bind(tenant.as_str())
    .bind(node)
    .fetch_optional(pool)
    .await?;
    row.map(rows::head).transpose()
}

pub(super) async fn release(pool: &PgPool, node: &str) -> Result<(), StoreError> {
    sqlx::query(
        "WITH freed AS (UPDATE probity.logs SET node = NULL WHERE node = $1) DELETE FROM probity.nodes WHERE node = $1",
    )
    .bind(node)
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn owner(pool: &PgPool, tenant: &Tenant) -> Result<Option<Owner>, StoreError> {
    let found: Option<(String, String, bool, i64)> = sqlx::query_as(
        "SELECT l.node, coalesce(n.address, ''), coalesce(n.expires > clock_timestamp(), false), l.epoch \
         FROM probity.logs AS l LEFT JOIN probity.nodes AS n ON n.node = l.node \
         WHERE l.tenant = $1 AND l.node IS NOT NULL",
    )
    .bind(tenant.as_str())
    .fetch_optional(pool)
    .await?;
    Ok(found.map(|(node, address, alive, epoch)| Owner {
        node,
        address,
        alive,
        epoch,
    }))
}
