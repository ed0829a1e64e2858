//! One batch: read and decoded once, then folded and written for each view that stands where it begins.

use crate::database::{Database, Target};
use crate::entry::Entry;
use crate::error::ViewError;
use crate::fold;
use crate::limits::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX};
use crate::parked;
use crate::position::{self, Position};
use crate::source::Source;
use probity_ledger::store::LogNumber;
use probity_schemas::subject::Tenant;
use std::collections::HashSet;
use std::sync::Arc;

/// Decoded records, and why the next one cannot be decoded.
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    pub(super) fault: Option<String>,
}

impl Batch {
    /// Reads a batch from a position on.
    pub(super) async fn read(
        source: &dyn Source,
        log: LogNumber,
        from: u64,
    ) -> Result<Self, ViewError> {
        let records = source
            .read(log, from, BATCH_RECORDS_MAX, BATCH_BYTES_MAX)
            .await?;
        compute(move || {
            let mut batch = Self {
                entries: Vec::with_capacity(records.len()),
                fault: None,
            };
            for record in &records {
                match Entry::decode(record) {
                    Ok(entry) => batch.entries.push(entry),
                    Err(error) => {
                        batch.fault = Some(format!("record {}: {error}", record.sequence));
                        break;
                    }
                }
            }
            batch
        })
        .await
    }
}

/// Writes what a batch makes of a target's rows, with its new position, in one transaction: that position, and how many
/// keys are parked. `None`: another follower was faster, and nothing was written.
pub(super) async fn write(
    database: &Database,
    target: &Target,
    tenant: &Tenant,
    from: &Position,
    entries: &Arc<Vec<Entry>>,
) -> Result<Option<(Position, u64)>, ViewError> {
    let Some(last) = entries.last() else {
        return Ok(None);
    };
    let to = Position {
        log_id: from.log_id.clone(),
        size: last.sequence + 1,
        leaf: last.leaf,
    };
    let mut session = database.write().await?;
    let swapped = position::swap(&mut session, &target.table, tenant, from, &to).await?;
    let Some(mut parked_keys) = swapped else {
        session.rollback().await?;
        return Ok(None);
    };
    let parked = match parked_keys {
        0 => HashSet::new(),
        _ => parked::keys(&mut session, target, tenant).await?,
    };
    let view = target.view;
    let rows = if view.append_only {
        Vec::new()
    } else {
        let keys = fold::keys(view, entries);
        let keys: Vec<_> = keys.iter().collect();
        session.load(target, tenant, &keys).await?
    };
    let batch = Arc::clone(entries);
    let folded = compute(move || fold::fold(view, &batch, rows, parked)).await?;
    session.upsert(target, tenant, &folded.rows).await?;
    if let Some(first) = folded.parked.first() {
        parked_keys = parked::add(&mut session, target, tenant, &folded.parked).await?;
        tracing::error!(
            view.name = view.name,
            log.tenant = %tenant,
            record.sequence = first.sequence,
            error = first.error,
            "the view cannot apply a record: its key is parked"
        );
    }
    session.commit().await?;
    Ok(Some((to, parked_keys)))
}

/// Runs a computation away from the threads that answer requests.
async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ViewError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ViewError::Stopped)
}
