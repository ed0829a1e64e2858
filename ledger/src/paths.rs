//! Inclusion proofs of many records of one log at one size: tiles are fetched together, and kept from one proof to the next.
//!
//! What no full tile holds comes from the log's own compact range, or is computed from the records.

use crate::limits::{TILE_HASHES, TILES_KEPT_MAX};
use crate::proof::{TILE_LEVELS, level_hashes};
use crate::store::{Head, Store, StoreError};
use probity_schemas::hash::Hash;
use probity_schemas::tree::{Node, inclusion_plan, range_nodes, root_of};
use std::collections::{BTreeSet, HashMap};

/// A tile: its level and index.
type Tile = (u8, u64);

/// Makes proofs in the tree that a log's row has.
pub(crate) struct Paths<'s> {
    store: &'s dyn Store,
    head: &'s Head,
    /// The complete subtrees of the tree, left to right.
    edge: HashMap<Node, Hash>,
    tiles: HashMap<Tile, Vec<Hash>>,
}

impl<'s> Paths<'s> {
    /// In the tree of this row.
    pub(crate) fn new(store: &'s dyn Store, head: &'s Head) -> Self {
        let nodes = range_nodes(head.range.size());
        Self {
            store,
            head,
            edge: nodes
                .into_iter()
                .zip(head.range.hashes().iter().copied())
                .collect(),
            tiles: HashMap::new(),
        }
    }

    /// The proof of one record.
    pub(crate) async fn path(&mut self, sequence: u64) -> Result<Vec<Hash>, StoreError> {
        let corrupt = |what: String| StoreError::Corrupt { what };
        let plan = inclusion_plan(sequence, self.head.range.size())
            .map_err(|error| corrupt(error.to_string()))?;
        let wanted: BTreeSet<Tile> = plan.nodes().flat_map(|node| self.tiles_of(node)).collect();
        self.fetch(wanted).await?;
        plan.assemble(|node| self.hash(node))
            .map_err(|error| corrupt(error.to_string()))
    }

    /// The tile that holds a node's hashes, or the tiles below it where that one is not full yet.
    fn tiles_of(&self, node: Node) -> Vec<Tile> {
        if self.edge.contains_key(&node) {
            return Vec::new();
        }
        let (level, first, width) = place(node);
        let tile = (level, first / TILE_HASHES);
        if level == 0 || self.is_full(tile) {
            vec![tile]
        } else {
            (first..first + width)
                .map(|index| (level - 1, index))
                .collect()
        }
    }

    fn hash(&self, node: Node) -> Option<Hash> {
        if let Some(hash) = self.edge.get(&node) {
            return Some(*hash);
        }
        let (level, first, width) = place(node);
        let tile = (level, first / TILE_HASHES);
        if level > 0 && !self.is_full(tile) {
            let below = |index| self.tiles.get(&(level - 1, index));
            let hashes: Option<Vec<Hash>> = (first..first + width)
                .map(|index| below(index).map(|hashes| root_of(hashes.iter().copied())))
                .collect();
            return hashes.map(root_of);
        }
        let from = usize::try_from(first % TILE_HASHES).ok()?;
        let to = from + usize::try_from(width).ok()?;
        let hashes = self.tiles.get(&tile)?.get(from..to)?;
        Some(root_of(hashes.iter().copied()))
    }

    /// Whether the tree has all hashes of a tile.
    fn is_full(&self, (level, index): Tile) -> bool {
        let span = u32::from(TILE_LEVELS) * (u32::from(level) + 1);
        let size = self.head.range.size();
        size.checked_shr(span).is_some_and(|full| index < full)
    }

    async fn fetch(&mut self, wanted: BTreeSet<Tile>) -> Result<(), StoreError> {
        if self.tiles.len() > TILES_KEPT_MAX {
            self.tiles.clear();
        }
        let missing: Vec<Tile> = wanted
            .into_iter()
            .filter(|tile| !self.tiles.contains_key(tile))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = self.store.tiles(self.head.log, &missing).await?;
        for ((level, index), bytes) in missing.into_iter().zip(found) {
            let hashes = match bytes {
                Some(bytes) => bytes
                    .as_chunks::<32>()
                    .0
                    .iter()
                    .map(|hash| Hash(*hash))
                    .collect(),
                None => {
                    let first = index * TILE_HASHES;
                    let count = match level {
                        0 => TILE_HASHES.min(self.head.range.size() - first),
                        _ => TILE_HASHES,
                    };
                    level_hashes(self.store, self.head.log, level, first, count).await?
                }
            };
            self.tiles.insert((level, index), hashes);
        }
        Ok(())
    }
}

/// A node in tiles: their level, its first hash there, and how many it spans.
const fn place(node: Node) -> (u8, u64, u64) {
    let width = 1 << (node.level % TILE_LEVELS);
    (node.level / TILE_LEVELS, node.index * width, width)
}
