//! Time-stamps: one row for each checkpoint that was stamped. None is ever changed or removed.

use sqlx::PgPool;

use crate::store::rows::{self, TimestampRow, signed};
use crate::store::{KeptTimestamp, LogNumber, StoreError};

pub(super) async fn put(
    pool: &PgPool,
    log: LogNumber,
    kept: &KeptTimestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO probity.timestamps (log, origin, size, time, checkpoint, reply) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(log)
    .bind(kept.origin.clone())
    .bind(signed(kept.size)?)
    .bind(kept.time.micros())
    .bind(kept.checkpoint.clone())
    .bind(kept.reply.clone())
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn before(
    pool: &PgPool,
    log: LogNumber,
    origin: &str,
    size: u64,
    limit: u32,
) -> Result<Vec<KeptTimestamp>, StoreError> {
    let sql = "SELECT origin, size, time, checkpoint, reply FROM probity.timestamps \
         WHERE log = $1 AND origin = $2 AND size < $3 ORDER BY size DESC LIMIT $4";
    let found: Vec<TimestampRow> = sqlx::query_as(sql)
        .bind(log)
        .bind(origin.to_owned())
        .bind(signed(size)?)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    found.into_iter().map(rows::timestamp).collect()
}
