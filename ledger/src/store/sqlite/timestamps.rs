//! Time-stamps: one row for each checkpoint that was stamped. None is ever changed or removed.

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;

use crate::store::rows::{self, TimestampRow, signed};
use crate::store::{KeptTimestamp, LogNumber, StoreError};

pub(super) async fn put(
    connection: &mut SqliteConnection,
    log: LogNumber,
    kept: &KeptTimestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO timestamps (log, origin, size, time, checkpoint, reply) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(log)
    .bind(kept.origin.clone())
    .bind(signed(kept.size)?)
    .bind(kept.time.micros())
    .bind(kept.checkpoint.clone())
    .bind(kept.reply.clone())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn before(
    pool: &SqlitePool,
    log: LogNumber,
    origin: &str,
    size: u64,
    limit: u32,
) -> Result<Vec<KeptTimestamp>, StoreError> {
    let sql = "SELECT origin, size, time, checkpoint, reply FROM timestamps \
         WHERE log = ? AND origin = ? AND size < ? ORDER BY size DESC LIMIT ?";
    let found: Vec<TimestampRow> = sqlx::query_as(sql)
        .bind(log)
        .bind(origin.to_owned())
        .bind(signed(size)?)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    found.into_iter().map(rows::timestamp).collect()
}
