//! A rebuild with a proof: the view is built again from record 0 beside the one that is read, and when both stand at the
//! same place their digests are compared, at one moment. Records are ground: if the two differ it is the new one that is
//! right, and the difference is reported.

use crate::database::{Database, Session, Target};
use crate::digest::digest;
use crate::error::ViewError;
use crate::position::{POSITION_KINDS, Position};
use crate::value::{Kind, Value};
use crate::view::Definition;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

pub(crate) use crate::database::Pointer;

/// What a rebuild came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The view.
    pub view: &'static str,
    /// Records that both have applied, of all logs together.
    pub records: u64,
    /// Digest of all tenants' rows as they were read so far.
    pub digest_before: Hash,
    /// Digest of the rows built again.
    pub digest_after: Hash,
    /// Whether the two are the same.
    pub equal: bool,
}

/// Begins to build a view beside itself; a follower does the work.
pub(crate) async fn begin(
    database: &Database,
    view: &'static Definition,
) -> Result<Pointer, ViewError> {
    let mut session = database.write().await?;
    let pointer = session.begin_generation(view).await?;
    session.commit().await?;
    Ok(pointer)
}

/// Compares and swaps, once both generations stand at the same place; `None` before that.
pub(crate) async fn finish(
    database: &Database,
    view: &'static Definition,
    pointer: Pointer,
) -> Result<Option<Report>, ViewError> {
    let mut session = database.read().await?;
    let report = compare(&mut session, view, pointer).await;
    session.rollback().await?;
    let Some(report) = report? else {
        return Ok(None);
    };
    let mut session = database.write().await?;
    let swapped = session.swap_generation(view, pointer).await?;
    session.commit().await?;
    if !swapped {
        return Err(ViewError::RebuiltElsewhere { view: view.name });
    }
    if !report.equal {
        tracing::error!(
            view.name = view.name,
            view.position = report.records,
            "the view differed from what its records say; the rows built again are read from now on"
        );
    }
    Ok(Some(report))
}

async fn compare(
    session: &mut Session,
    view: &'static Definition,
    pointer: Pointer,
) -> Result<Option<Report>, ViewError> {
    if session.pointer(view).await? != Some(pointer) {
        return Err(ViewError::RebuiltElsewhere { view: view.name });
    }
    let (before, after) = (
        Target::new(view, pointer.live),
        Target::new(view, pointer.building),
    );
    let places = positions(session, &before).await?;
    if places != positions(session, &after).await? {
        return Ok(None);
    }
    let digest_before = total(session, &before, &places).await?;
    let digest_after = total(session, &after, &places).await?;
    Ok(Some(Report {
        view: view.name,
        records: places.values().map(|position| position.size).sum(),
        digest_before,
        digest_after,
        equal: digest_before == digest_after,
    }))
}

async fn positions(
    session: &mut Session,
    target: &Target,
) -> Result<BTreeMap<String, Position>, ViewError> {
    let table = session.name("positions");
    let sql = format!("SELECT tenant, log_id, size, leaf FROM {table} WHERE target = ?");
    let kinds = [&[Kind::Text], POSITION_KINDS.as_slice()].concat();
    let rows = session
        .fetch(&sql, vec![Value::text(&target.table)], &kinds)
        .await?;
    let place = |mut row: Vec<Value>| match row.remove(0) {
        Value::Text(tenant) => Ok((tenant, Position::from_cells(row)?)),
        _ => Err(ViewError::Corrupt { what: "a position" }),
    };
    rows.into_iter().map(place).collect()
}

async fn total(
    session: &mut Session,
    target: &Target,
    places: &BTreeMap<String, Position>,
) -> Result<Hash, ViewError> {
    let mut hasher = Sha256::new();
    for name in places.keys() {
        let bad = |_| ViewError::Corrupt { what: "a tenant" };
        let tenant = Tenant::parse(name).map_err(bad)?;
        hasher.update([u8::try_from(name.len()).unwrap_or(u8::MAX)]);
        hasher.update(name.as_bytes());
        hasher.update(digest(session, target, &tenant).await?.as_bytes());
    }
    Ok(Hash(hasher.finalize().into()))
}
