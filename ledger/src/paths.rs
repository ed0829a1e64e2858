//! Inclusion proofs of many records of one log at one size: tiles are fetched together, and kept from one proof to the next.
//!
//! What no full tile holds comes from the log's own compact range, or is computed from the records.

use crate::limits::{TILE_HASHES, TILES_KEPT_MAX};
use crate::proof::{TILE_LEVELS, level_hashes};
use crate::store::{Head, Store, StoreError};
use crate::tile_roots::TileRoots;
use probity_schemas::hash::Hash;
use probity_schemas::tree::{Node, inclusion_plan, range_nodes, root_of};
use std::collections::{BTreeSet, HashMap};

/// A tile: its level and index.
pub(crate) type Tile = (u8, u64);

/// Makes proofs in the tree that a log's row has.
pub(crate) struct Paths<'s> {
    store: &'s dyn Store,
    roots: &'s TileRoots,
    head: &'s Head,
    /// The complete subtrees of the tree, left to right.
    edge: HashMap<Node, Hash>,
    tiles: HashMap<Tile, Vec<Hash>>,
    /// The roots of tiles below one that is not full yet.
    below: HashMap<Tile, Hash>,
}

impl<'s> Paths<'s> {
    /// In the tree of this row.
    pub(crate) fn new(store: &'s dyn Store, roots: &'s TileRoots, head: &'s Head) -> Self {
        let nodes = range_nodes(head.range.size());
        Self {
            store,
            roots,
            head,
            edge: nodes
                .into_iter()
                .zip(head.range.hashes().iter().copied())
                .collect(),
            tiles: HashMap::new(),
            below: HashMap::new(),
        }
    }

    /// The proof of one record.
    pub(crate) async fn path(&mut self, sequence: u64) -> Result<Vec<Hash>, StoreError> {
        let corrupt = |what: String| StoreError::Corrupt { what };
        let plan = inclusion_plan(sequence, self.head.range.size())
            .map_err(|error| corrupt(error.to_string()))?;
        let below: BTreeSet<Tile> = plan.nodes().flat_map(|node| self.below(node)).collect();
        self.fetch_below(below).await?;
        let wanted: BTreeSet<Tile> = plan.nodes().filter_map(|node| self.tile_of(node)).collect();
        self.fetch(wanted).await?;
        plan.assemble(|node| self.hash(node))
            .map_err(|error| corrupt(error.to_string()))
    }

    /// The tile that holds a node's hashes, if one does.
    fn tile_of(&self, node: Node) -> Option<Tile> {
        let (level, first, _) = place(node);
        let tile = (level, first / TILE_HASHES);
        let held = !self.edge.contains_key(&node) && (level == 0 || self.is_full(tile));
        held.then_some(tile)
    }

    /// The tiles whose roots a node's hash is made of, where the tile that will hold them is not full yet.
    fn below(&self, node: Node) -> Vec<Tile> {
        if self.edge.contains_key(&node) || self.tile_of(node).is_some() {
            return Vec::new();
        }
        let (level, first, width) = place(node);
        let below = (first..first + width).map(|index| (level - 1, index));
        below.collect()
    }

    fn hash(&self, node: Node) -> Option<Hash> {
        if let Some(hash) = self.edge.get(&node) {
            return Some(*hash);
        }
        let Some(tile) = self.tile_of(node) else {
            let below = self.below(node).into_iter();
            let roots: Option<Vec<Hash>> =
                below.map(|tile| self.below.get(&tile).copied()).collect();
            return roots.map(root_of);
        };
        let (_, first, width) = place(node);
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

    /// The roots of these tiles: from memory, or from the tiles themselves.
    async fn fetch_below(&mut self, wanted: BTreeSet<Tile>) -> Result<(), StoreError> {
        let mut missing = BTreeSet::new();
        for tile in wanted {
            match self.known_root(tile) {
                Some(root) => {
                    self.below.insert(tile, root);
                }
                None => {
                    missing.insert(tile);
                }
            }
        }
        self.fetch(missing.clone()).await?;
        for tile in missing {
            let Some(hashes) = self.tiles.get(&tile) else {
                continue;
            };
            let root = root_of(hashes.iter().copied());
            self.roots.keep(self.head.log, tile, root);
            self.below.insert(tile, root);
        }
        Ok(())
    }

    fn known_root(&self, tile: Tile) -> Option<Hash> {
        let kept = || self.roots.get(self.head.log, tile);
        self.below.get(&tile).copied().or_else(kept)
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
