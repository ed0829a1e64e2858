//! Checkpoints before the bundle's own: those at which the signer's key changed, and those that were stamped, with their time-stamps.

use super::{BundleSink, ExportError, whole};
use crate::limits::STAMPS_A_PAGE;
use crate::reader::Reader;
use crate::store::{LogNumber, StoreError};
use probity_schemas::bundle::Member;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Older checkpoints read at once.
const CHECKPOINTS_A_PAGE: u32 = 500;

/// Writes the older checkpoints, those at which the signer's key changed and those of these sizes that were stamped, as they were stamped,
/// and then the time-stamps; the sizes of the former. Memory: those, the sizes of the latter, and a page.
pub(super) async fn older(
    reader: &Reader,
    log: LogNumber,
    origin: &str,
    sizes: RangeInclusive<u64>,
    sink: &mut dyn BundleSink,
) -> Result<Vec<u64>, ExportError> {
    let store = reader.store();
    let handed_on = handed_on(reader, log, *sizes.end()).await?;
    let stamped = stamped(reader, log, origin, sizes).await?;
    let all: BTreeSet<u64> = handed_on.keys().chain(&stamped).copied().collect();
    for size in all {
        let note = match stamped.contains(&size) {
            true => {
                let kept = store.timestamps_before(log, origin, size + 1, 1).await?;
                let kept = kept.into_iter().find(|kept| kept.size == size);
                kept.map(|kept| kept.checkpoint)
            }
            false => handed_on.get(&size).cloned(),
        };
        if let Some(note) = note {
            whole(sink, &Member::OlderCheckpoint(size), note.into()).await?;
        }
    }
    for size in stamped {
        let kept = store.timestamps_before(log, origin, size + 1, 1).await?;
        for kept in kept.into_iter().filter(|kept| kept.size == size) {
            whole(sink, &Member::Timestamp(size), kept.reply.into()).await?;
        }
    }
    Ok(handed_on.into_keys().collect())
}

/// The sizes at which checkpoints were stamped.
async fn stamped(
    reader: &Reader,
    log: LogNumber,
    origin: &str,
    sizes: RangeInclusive<u64>,
) -> Result<BTreeSet<u64>, StoreError> {
    let (mut before, mut stamped) = (*sizes.end() + 1, BTreeSet::new());
    loop {
        let page = reader
            .store()
            .timestamps_before(log, origin, before, STAMPS_A_PAGE)
            .await?;
        let known = page.iter().map(|kept| kept.size);
        stamped.extend(known.filter(|size| sizes.contains(size)));
        match page.last() {
            Some(last) if sizes.contains(&last.size) => before = last.size,
            _ => return Ok(stamped),
        }
    }
}

/// The checkpoints at which the signer's key changed, by size.
async fn handed_on(
    reader: &Reader,
    log: LogNumber,
    size: u64,
) -> Result<BTreeMap<u64, String>, StoreError> {
    let (mut after, mut handed_on) = (0, BTreeMap::new());
    loop {
        let page = reader
            .store()
            .kept_checkpoints(log, after, CHECKPOINTS_A_PAGE)
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(handed_on);
        };
        after = *last;
        handed_on.extend(page.into_iter().filter(|(kept, _)| *kept <= size));
    }
}
