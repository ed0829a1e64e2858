//! A view's state as one hash: SHA-256 over all rows of a tenant in the order of their keys. Two followers that applied
//! the same records have the same digest, on either database.

use crate::database::{Session, Target};
use crate::error::ViewError;
use crate::limits::PAGE_ROWS_MAX;
use crate::value::Value;
use crate::view::Key;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use sha2::{Digest as _, Sha256};

/// The digest of a target's rows.
pub(crate) async fn digest(
    session: &mut Session,
    target: &Target,
    tenant: &Tenant,
) -> Result<Hash, ViewError> {
    let mut hasher = Sha256::new();
    let mut last: Option<Key> = None;
    loop {
        let (rest, values) = page(session, target, tenant, last.as_ref());
        let rows = session.rows(target, &rest, values).await?;
        for row in &rows {
            row.iter().for_each(|value| absorb(&mut hasher, value));
        }
        match rows.last() {
            Some(row) => last = Some(row[..target.view.keys].to_vec()),
            None => return Ok(Hash(hasher.finalize().into())),
        }
    }
}

/// The query of the next rows, from `FROM` on.
fn page(
    session: &Session,
    target: &Target,
    tenant: &Tenant,
    after: Option<&Key>,
) -> (String, Vec<Value>) {
    let keys: Vec<String> = target.view.columns[..target.view.keys]
        .iter()
        .map(|key| format!("\"{}\"", key.name))
        .collect();
    let keys = keys.join(", ");
    let mut values = vec![Value::text(tenant.as_str())];
    let beyond = after.map_or_else(String::new, |key| {
        values.extend(key.iter().cloned());
        let marks = vec!["?"; key.len()].join(", ");
        format!(" AND ({keys}) > ({marks})")
    });
    let table = session.name(&target.table);
    let rest =
        format!("FROM {table} WHERE tenant = ?{beyond} ORDER BY {keys} LIMIT {PAGE_ROWS_MAX}");
    (rest, values)
}

/// Each value with its kind and length, so that no two rows read alike.
fn absorb(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hasher.update([0]),
        Value::Text(text) => {
            hasher.update([1]);
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        Value::Integer(number) => {
            hasher.update([2]);
            hasher.update(number.to_be_bytes());
        }
    }
}
