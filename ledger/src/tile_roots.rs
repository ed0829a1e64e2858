//! Roots of full tiles, kept in memory: a tile of the level above has none of its hashes in the store until all 256 are
//! there, and a proof needs most of those. What is kept never changes, for records do not.

use crate::limits::TILE_ROOTS_KEPT_MAX;
use crate::paths::Tile;
use crate::store::LogNumber;
use probity_schemas::hash::Hash;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The roots that were needed before, by log and tile: its level and index.
#[derive(Debug, Default)]
pub(crate) struct TileRoots(Mutex<Roots>);

type Roots = HashMap<(LogNumber, Tile), Hash>;

impl TileRoots {
    pub(crate) fn get(&self, log: LogNumber, tile: Tile) -> Option<Hash> {
        self.lock().get(&(log, tile)).copied()
    }

    pub(crate) fn keep(&self, log: LogNumber, tile: Tile, root: Hash) {
        let mut kept = self.lock();
        if kept.len() >= TILE_ROOTS_KEPT_MAX {
            kept.clear();
        }
        kept.insert((log, tile), root);
    }

    fn lock(&self) -> MutexGuard<'_, Roots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
