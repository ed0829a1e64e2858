//! Hashes of the tree, from the store: for receipts, for the guard, for tiles.
//!
//! Hashes above the leaves come from full tiles where there are any and are computed from the leaves where there are none, so tiles can
//! be deleted at any time.

use crate::limits::{TILE_HASHES, TILES_A_ROUND};
use crate::paths::Paths;
use crate::store::{Head, LogNumber, Store, StoreError};
use crate::tile_roots::TileRoots;
use probity_schemas::hash::Hash;
use probity_schemas::note::Note;
use probity_schemas::proof::TlogProof;
use probity_schemas::tree::{CompactRange, Node, consistency_plan, root_of};
use std::collections::HashMap;

/// Levels of the tree that one level of tiles spans.
pub(crate) const TILE_LEVELS: u8 = 8;

/// Leaves of a tile.
const TILE_LEAVES: usize = 256;

const _: () = assert!(TILE_LEAVES as u64 == TILE_HASHES);

/// The C2SP tlog-proof of a record under the log's newest checkpoint; `None` when there is no such record.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn receipt(
    store: &dyn Store,
    roots: &TileRoots,
    head: &Head,
    sequence: u64,
) -> Result<Option<String>, StoreError> {
    if sequence >= head.range.size() {
        return Ok(None);
    }
    let hashes = Paths::new(store, roots, head).path(sequence).await?;
    let corrupt = |what: String| StoreError::Corrupt { what };
    let checkpoint = Note::parse(&head.checkpoint).map_err(|error| corrupt(error.to_string()))?;
    Ok(Some(
        TlogProof {
            index: sequence,
            hashes,
            checkpoint,
        }
        .text(),
    ))
}

/// The consistency proof between two sizes of a log; `None` when it never had the newer one, or the older is larger.
///
/// # Errors
/// [`StoreError`].
pub async fn consistency(
    store: &dyn Store,
    head: &Head,
    old: u64,
    new: u64,
) -> Result<Option<Vec<Hash>>, StoreError> {
    if new > head.range.size() {
        return Ok(None);
    }
    let Ok(plan) = consistency_plan(old, new) else {
        return Ok(None);
    };
    let mut known: HashMap<Node, Hash> = HashMap::new();
    for node in plan.nodes() {
        known.insert(node, node_hash(store, head.log, node).await?);
    }
    let hashes = plan.assemble(|node| known.get(&node).copied());
    hashes.map(Some).map_err(|error| StoreError::Corrupt {
        what: error.to_string(),
    })
}

/// The hash of a complete node.
///
/// # Errors
/// [`StoreError`].
pub async fn node_hash(store: &dyn Store, log: LogNumber, node: Node) -> Result<Hash, StoreError> {
    let width = 1u64 << (node.level % TILE_LEVELS);
    let hashes = level_hashes(
        store,
        log,
        node.level / TILE_LEVELS,
        node.index * width,
        width,
    )
    .await?;
    Ok(root_of(hashes))
}

/// `count` hashes of a tile level from `first` on, all inside one tile.
pub(crate) async fn level_hashes(
    store: &dyn Store,
    log: LogNumber,
    tile_level: u8,
    first: u64,
    count: u64,
) -> Result<Vec<Hash>, StoreError> {
    if tile_level == 0 {
        let leaves = store
            .leaves(log, first, u32::try_from(count).unwrap_or(u32::MAX))
            .await?;
        return if leaves.len() as u64 == count {
            Ok(leaves)
        } else {
            Err(missing(0, first))
        };
    }
    let tile = store
        .tiles(log, &[(tile_level, first / TILE_HASHES)])
        .await?
        .into_iter()
        .next()
        .flatten();
    if let Some(bytes) = tile {
        let (chunks, _) = bytes.as_chunks::<32>();
        let from = usize::try_from(first % TILE_HASHES).unwrap_or(usize::MAX);
        let hashes: Vec<Hash> = chunks
            .iter()
            .skip(from)
            .take(usize::try_from(count).unwrap_or(0))
            .map(|c| Hash(*c))
            .collect();
        return if hashes.len() as u64 == count {
            Ok(hashes)
        } else {
            Err(missing(tile_level, first))
        };
    }
    if tile_level == 1 {
        return roots_of_leaves(store, log, first, count).await;
    }
    let mut hashes = Vec::new();
    for index in first..first + count {
        let below = Box::pin(level_hashes(
            store,
            log,
            tile_level - 1,
            index * TILE_HASHES,
            TILE_HASHES,
        ))
        .await?;
        hashes.push(root_of(below));
    }
    Ok(hashes)
}

/// Hashes of tile level 1 from the leaves, in one read.
async fn roots_of_leaves(
    store: &dyn Store,
    log: LogNumber,
    first: u64,
    count: u64,
) -> Result<Vec<Hash>, StoreError> {
    let wanted = u32::try_from(count * TILE_HASHES).unwrap_or(u32::MAX);
    let leaves = store.leaves(log, first * TILE_HASHES, wanted).await?;
    let (tiles, rest) = leaves.as_chunks::<TILE_LEAVES>();
    if rest.is_empty() && tiles.len() as u64 == count {
        Ok(tiles.iter().map(|tile| root_of(*tile)).collect())
    } else {
        Err(missing(1, first))
    }
}

fn missing(level: u8, index: u64) -> StoreError {
    StoreError::Corrupt {
        what: format!("hash {index} of tile level {level} is missing"),
    }
}

/// Writes the full tiles of a log that are not there yet; how many were written. Bounded work a call.
///
/// # Errors
/// [`StoreError`].
pub async fn write_tiles(store: &dyn Store, head: &Head) -> Result<u64, StoreError> {
    let mut written = 0;
    let mut below = head.range.size();
    for level in 0..TILE_LEVELS {
        let full = below / TILE_HASHES;
        let have = store.tile_count(head.log, level).await?;
        let mut tiles = Vec::new();
        for index in have..full.min(have + TILES_A_ROUND) {
            let hashes =
                level_hashes(store, head.log, level, index * TILE_HASHES, TILE_HASHES).await?;
            tiles.push((
                level,
                index,
                hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>(),
            ));
        }
        if !tiles.is_empty() {
            store.put_tiles(head.log, &tiles).await?;
            written += tiles.len() as u64;
        }
        // The next level may only count tiles that are there.
        below = (have + tiles.len() as u64).min(full);
    }
    Ok(written)
}

/// Whether a log at a size it once had, has this root.
///
/// # Errors
/// [`StoreError`].
pub async fn has_root(
    store: &dyn Store,
    head: &Head,
    size: u64,
    root: Hash,
) -> Result<bool, StoreError> {
    if size == head.range.size() {
        return Ok(head.range.root() == root);
    }
    let range: CompactRange = crate::load::range_at(store, head, size).await?;
    Ok(range.root() == root)
}
