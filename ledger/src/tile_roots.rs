//! Roots of full tiles of leaves, kept in memory: a tile of the level above has none of its hashes in the store until all 256 are
//! there, and a proof needs most of those. What is kept never changes, for records do not.

use crate::limits::TILE_ROOTS_KEPT_MAX;
use crate::store::LogNumber;
use probity_schemas::hash::Hash;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The roots that were needed before, by log and index of the tile.
#[derive(Debug, Default)]
pub(crate) struct TileRoots(Mutex<HashMap<(LogNumber, u64), Hash>>);

impl TileRoots {
    pub(crate) fn get(&self, log: LogNumber, index: u64) -> Option<Hash> {
        self.lock().get(&(log, index)).copied()
    }

    pub(crate) fn keep(&self, log: LogNumber, index: u64, root: Hash) {
        let mut kept = self.lock();
        if kept.len() >= TILE_ROOTS_KEPT_MAX {
            kept.clear();
        }
        kept.insert((log, index), root);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(LogNumber, u64), Hash>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
