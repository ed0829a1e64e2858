//! Cosignatures: one row for each that a witness gave; and checkpoints that are kept. None is ever changed or removed.

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;

use crate::store::rows::{self, CosignatureRow, signed};
use crate::store::{KeptCosignature, LogNumber, StoreError};

pub(super) async fn put(
    connection: &mut SqliteConnection,
    log: LogNumber,
    kept: &KeptCosignature,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO cosignatures (log, origin, size, witness, bytes, checkpoint, line) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(log)
    .bind(kept.origin.clone())
    .bind(signed(kept.size)?)
    .bind(kept.witness.clone())
    .bind(signed(kept.bytes)?)
    .bind(kept.checkpoint.clone())
    .bind(kept.line.clone())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn newest(
    pool: &SqlitePool,
    log: LogNumber,
    origin: &str,
    limit: u32,
) -> Result<Vec<KeptCosignature>, StoreError> {
    let sql = "SELECT origin, size, witness, bytes, checkpoint, line FROM cosignatures \
         WHERE log = ? AND origin = ? ORDER BY size DESC, witness LIMIT ?";
    let found: Vec<CosignatureRow> = sqlx::query_as(sql)
        .bind(log)
        .bind(origin.to_owned())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    found.into_iter().map(rows::cosignature).collect()
}

pub(super) async fn checkpoints(
    pool: &SqlitePool,
    log: LogNumber,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, String)>, StoreError> {
    let sql = "SELECT size, checkpoint FROM checkpoints \
         WHERE log = ? AND size > ? ORDER BY size LIMIT ?";
    let found: Vec<(i64, String)> = sqlx::query_as(sql)
        .bind(log)
        .bind(signed(after)?)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    let sized = |(size, checkpoint)| Ok((rows::unsigned(size)?, checkpoint));
    found.into_iter().map(sized).collect()
}
