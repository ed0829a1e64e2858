//! Parked keys: a record that a view cannot apply waits here, and every later record of its key behind it. Nothing is
//! skipped, and the rest goes on.

use crate::database::{Session, Target};
use crate::entry::Entry;
use crate::error::ViewError;
use crate::fold::{ParkedRecord, fold};
use crate::value::{Kind, Value};
use probity_schemas::subject::Tenant;
use serde::Serialize;
use std::collections::HashSet;

/// A record that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// The view that cannot apply it.
    pub view: String,
    /// Whose log.
    pub tenant: String,
    /// The key it is parked under.
    pub key: String,
    /// The record's position.
    pub sequence: u64,
    /// Why.
    pub error: String,
    /// How often it was tried.
    pub attempts: u64,
}

/// What a retry came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// Records that are applied now.
    pub applied: u64,
    /// Records that still wait.
    pub left: u64,
}

/// The names of a target's parked keys.
pub(crate) async fn keys(
    session: &mut Session,
    target: &Target,
    tenant: &Tenant,
) -> Result<HashSet<String>, ViewError> {
    let sql = format!(
        "SELECT DISTINCT key FROM {} WHERE target = ? AND tenant = ?",
        session.name("parked")
    );
    let rows = session
        .fetch(&sql, place(target, tenant), &[Kind::Text])
        .await?;
    Ok(rows.into_iter().flatten().filter_map(text).collect())
}

/// Parks records; the number of parked keys afterwards.
pub(crate) async fn add(
    session: &mut Session,
    target: &Target,
    tenant: &Tenant,
    records: &[ParkedRecord],
) -> Result<u64, ViewError> {
    let sql = format!(
        "INSERT INTO {} (target, tenant, key, sequence, error, attempts) VALUES (?, ?, ?, ?, ?, 1) \
         ON CONFLICT (target, tenant, key, sequence) DO UPDATE SET error = excluded.error, attempts = parked.attempts + 1",
        session.name("parked")
    );
    for record in records {
        let mut values = place(target, tenant);
        values.push(Value::text(&record.key));
        values.push(sequence_value(record.sequence)?);
        values.push(Value::text(&record.error));
        session.execute(&sql, values).await?;
    }
    recount(session, target, tenant).await
}

/// Counts the parked keys, and keeps the count beside the position.
async fn recount(
    session: &mut Session,
    target: &Target,
    tenant: &Tenant,
) -> Result<u64, ViewError> {
    let count = keys(session, target, tenant).await?.len() as u64;
    let sql = format!(
        "UPDATE {} SET parked = ? WHERE target = ? AND tenant = ?",
        session.name("positions")
    );
    let mut values = vec![sequence_value(count)?];
    values.extend(place(target, tenant));
    session.execute(&sql, values).await?;
    Ok(count)
}

/// The positions of a key's parked records, in order.
pub(crate) async fn sequences(
    session: &mut Session,
    target: &Target,
    tenant: &Tenant,
    key: &str,
) -> Result<Vec<u64>, ViewError> {
    let sql = format!(
        "SELECT sequence FROM {} WHERE target = ? AND tenant = ? AND key = ? ORDER BY sequence",
        session.name("parked")
    );
    let mut values = place(target, tenant);
    values.push(Value::text(key));
    let rows = session.fetch(&sql, values, &[Kind::Integer]).await?;
    rows.into_iter().flatten().map(number).collect()
}

/// Tries a key's parked records again, in order; what still cannot be applied stays.
pub(crate) async fn retry(
    session: &mut Session,
    target: &Target,
    tenant: &Tenant,
    key: &str,
    entries: &[Entry],
) -> Result<Retried, ViewError> {
    let wanted = crate::fold::keys(target.view, entries);
    let wanted: Vec<_> = wanted.iter().collect();
    let rows = session.load(target, tenant, &wanted).await?;
    let folded = fold(target.view, entries, rows, HashSet::new());
    session.upsert(target, tenant, &folded.rows).await?;
    let left = folded.parked.len() as u64;
    let first_left = folded
        .parked
        .first()
        .map_or(u64::MAX >> 1, |record| record.sequence);
    let sql = format!(
        "DELETE FROM {} WHERE target = ? AND tenant = ? AND key = ? AND sequence < ?",
        session.name("parked")
    );
    let mut values = place(target, tenant);
    values.extend([Value::text(key), sequence_value(first_left)?]);
    session.execute(&sql, values).await?;
    add(session, target, tenant, &folded.parked).await?;
    Ok(Retried {
        applied: entries.len() as u64 - left,
        left,
    })
}

/// Every parked record of a target, at most `limit`.
pub(crate) async fn list(
    session: &mut Session,
    target: &Target,
    limit: u32,
) -> Result<Vec<Parked>, ViewError> {
    let sql = format!(
        "SELECT tenant, key, sequence, error, attempts FROM {} WHERE target = ? ORDER BY tenant, key, sequence LIMIT {limit}",
        session.name("parked")
    );
    let kinds = [
        Kind::Text,
        Kind::Text,
        Kind::Integer,
        Kind::Text,
        Kind::Integer,
    ];
    let rows = session
        .fetch(&sql, vec![Value::text(&target.table)], &kinds)
        .await?;
    let parked = |row: Vec<Value>| match <[Value; 5]>::try_from(row) {
        Ok(
            [
                Value::Text(tenant),
                Value::Text(key),
                sequence,
                Value::Text(error),
                attempts,
            ],
        ) => Ok(Parked {
            view: target.view.name.to_owned(),
            tenant,
            key,
            sequence: number(sequence)?,
            error,
            attempts: number(attempts)?,
        }),
        _ => Err(BAD_PARKED),
    };
    rows.into_iter().map(parked).collect()
}

const BAD_PARKED: ViewError = ViewError::Corrupt {
    what: "a parked record",
};

fn place(target: &Target, tenant: &Tenant) -> Vec<Value> {
    vec![Value::text(&target.table), Value::text(tenant.as_str())]
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn number(value: Value) -> Result<u64, ViewError> {
    match value {
        Value::Integer(number) => u64::try_from(number).map_err(|_| BAD_PARKED),
        _ => Err(BAD_PARKED),
    }
}

fn sequence_value(number: u64) -> Result<Value, ViewError> {
    i64::try_from(number)
        .map(Value::Integer)
        .map_err(|_| BAD_PARKED)
}
