//! Writes that are not appends. Each is a statement that stands alone, never a transaction: a caller who goes away in the
//! middle would leave one open on the connection that all share.
//!
//! What a statement returns is fetched to its end, though it is one row: it commits after the last one, and only then it can say that it did not.

use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use sqlx::sqlite::SqliteConnection;

use super::insert::{Statement, TILES};
use crate::store::limits::FORGET_ROWS_MAX;
use crate::store::rows::{self, HeadRow, signed};
use crate::store::{Head, LogNumber, StoreError};

pub(super) async fn create(
    connection: &mut SqliteConnection,
    tenant: &Tenant,
) -> Result<Head, StoreError> {
    // The update that changes nothing makes the row that is there come back.
    let rows: Vec<HeadRow> = sqlx::query_as(
        "INSERT INTO logs (tenant, size, root, range, bytes, epoch, checkpoint) VALUES (?, 0, ?, x'', 0, 0, '') \
         ON CONFLICT (tenant) DO UPDATE SET tenant = tenant \
         RETURNING log, tenant, size, root, range, bytes, epoch, checkpoint",
    )
    .bind(tenant.to_string())
    .bind(Hash::EMPTY.0.to_vec())
    .fetch_all(connection)
    .await?;
    let row = rows.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    rows::head(row)
}

pub(super) async fn forget_idempotency(
    connection: &mut SqliteConnection,
    before_micros: i64,
) -> Result<u64, StoreError> {
    let gone = sqlx::query(
        "DELETE FROM idempotency WHERE time_micros < ?1 \
         AND rowid IN (SELECT rowid FROM idempotency ORDER BY rowid LIMIT ?2)",
    )
    .bind(before_micros)
    .bind(FORGET_ROWS_MAX)
    .execute(connection)
    .await?;
    Ok(gone.rows_affected())
}

pub(super) async fn put_snapshot(
    connection: &mut SqliteConnection,
    log: LogNumber,
    size: u64,
    content: &[u8],
) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO snapshots (log, size, content) VALUES (?, ?, ?)")
        .bind(log)
        .bind(signed(size)?)
        .bind(content.to_vec())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn put_tiles(
    connection: &mut SqliteConnection,
    log: LogNumber,
    tiles: &[(u8, u64, Vec<u8>)],
) -> Result<(), StoreError> {
    tiles
        .iter()
        .try_for_each(|(_, index, _)| signed(*index).map(drop))?;
    let bind = |statement: Statement, (level, index, hashes): &(u8, u64, Vec<u8>)| {
        statement
            .bind(log)
            .bind(*level)
            .bind(index.cast_signed())
            .bind(hashes.clone())
    };
    Ok(TILES.rows(connection, tiles, bind).await?)
}

pub(super) async fn rejoin(
    connection: &mut SqliteConnection,
    node: &str,
    address: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT OR REPLACE INTO nodes (node, address) VALUES (?, ?)")
        .bind(node.to_owned())
        .bind(address.to_owned())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn claim(
    connection: &mut SqliteConnection,
    tenant: &Tenant,
    node: &str,
) -> Result<Option<Head>, StoreError> {
    let rows: Vec<HeadRow> = sqlx::query_as(
        "UPDATE logs SET node = ?, epoch = epoch + 1 WHERE tenant = ? \
         RETURNING log, tenant, size, root, range, bytes, epoch, checkpoint",
    )
    .bind(node.to_owned())
    .bind(tenant.to_string())
    .fetch_all(connection)
    .await?;
    rows.into_iter().next().map(rows::head).transpose()
}

pub(super) async fn release(
    connection: &mut SqliteConnection,
    node: &str,
) -> Result<(), StoreError> {
    for sql in [
        "UPDATE logs SET node = NULL WHERE node = ?",
        "DELETE FROM nodes WHERE node = ?",
    ] {
        sqlx::query(sql)
            .bind(node.to_owned())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
