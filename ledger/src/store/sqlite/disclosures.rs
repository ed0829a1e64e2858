//! Sealed disclosures: read by page, counted by person. They are written and deleted by appends only.

use sqlx::SqlitePool;

use crate::store::rows::{self, DisclosureRow, signed, unsigned};
use crate::store::{LogNumber, PersonToken, SealedDisclosure, StoreError};

pub(super) async fn page(
    pool: &SqlitePool,
    log: LogNumber,
    after: Option<(u64, u32)>,
    end: u64,
    limit: u32,
) -> Result<Vec<SealedDisclosure>, StoreError> {
    let sql = "SELECT sequence, place, person, sealed FROM disclosures WHERE log = ?1 AND (sequence, place) > (?2, ?3) AND sequence < ?4 ORDER BY sequence, place LIMIT ?5";
    let (sequence, place) = match after {
        Some((sequence, place)) => (signed(sequence)?, i64::from(place)),
        None => (-1, 0),
    };
    let found: Vec<DisclosureRow> = sqlx::query_as(sql)
        .bind(log)
        .bind(sequence)
        .bind(place)
        .bind(signed(end)?)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    found.into_iter().map(rows::disclosure).collect()
}

pub(super) async fn count(
    pool: &SqlitePool,
    log: LogNumber,
    person: PersonToken,
) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM disclosures WHERE log = ?1 AND person = ?2";
    let count: i64 = sqlx::query_scalar(sql)
        .bind(log)
        .bind(person.to_vec())
        .fetch_one(pool)
        .await?;
    unsigned(count)
}

pub(super) async fn erased(
    pool: &SqlitePool,
    after: PersonToken,
    limit: u32,
) -> Result<Vec<PersonToken>, StoreError> {
    let sql = "SELECT person FROM erased_persons WHERE person > ?1 ORDER BY person LIMIT ?2";
    let found: Vec<Vec<u8>> = sqlx::query_scalar(sql)
        .bind(after.to_vec())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    found.into_iter().map(rows::person).collect()
}
