//! Plans of proofs: which complete nodes a proof needs, known from sizes alone, so that a store can fetch them all
//! at once and in its own way.

use super::{TreeError, check_size, combine, split};
use crate::hash::Hash;

/// A complete subtree: the 2^`level` leaves from leaf `index`·2^`level` on. Level 0 is a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash)]
pub struct Node {
    /// Height above the leaves.
    pub level: u8,
    /// Position among the nodes of its level, from the left.
    pub index: u64,
}

/// The nodes from which a proof is made: for each hash of the proof, in order, the neighbouring complete subtrees,
/// left to right, whose combination is that hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    hashes: Vec<Vec<Node>>,
}

impl Plan {
    /// All nodes that are needed, in order of the proof.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.hashes.iter().flatten().copied()
    }

    /// The proof, from the hashes of its nodes.
    ///
    /// # Errors
    /// The first node for which `hash_of` has nothing.
    pub fn assemble(
        &self,
        mut hash_of: impl FnMut(Node) -> Option<Hash>,
    ) -> Result<Vec<Hash>, TreeError> {
        let mut combined = |nodes: &Vec<Node>| {
            let hashes: Result<Vec<_>, _> = nodes
                .iter()
                .map(|node| hash_of(*node).ok_or(TreeError::MissingNode { node: *node }))
                .collect();
            hashes.map(|hashes| combine(hashes.into_iter()))
        };
        self.hashes.iter().map(&mut combined).collect()
    }

    /// A plan of the hashes of these runs of leaves, given root first; a proof begins at the leaf.
    fn of(runs: Vec<Run>) -> Self {
        Self {
            hashes: runs.into_iter().rev().map(Run::nodes).collect(),
        }
    }
}

/// Leaves `start` to `start + size`, a subtree of RFC 6962: `start` is a multiple of a power of two not below `size`.
#[derive(Clone, Copy)]
struct Run {
    start: u64,
    size: u64,
}

impl Run {
    /// The two children of a subtree with at least two leaves.
    const fn halves(self) -> (Self, Self) {
        let left = split(self.size);
        (
            Self {
                start: self.start,
                size: left,
            },
            Self {
                start: self.start + left,
                size: self.size - left,
            },
        )
    }

    /// Its complete subtrees, left to right: one for each bit set in its size, the largest first.
    fn nodes(self) -> Vec<Node> {
        let mut nodes = Vec::with_capacity(self.size.count_ones() as usize);
        let mut start = self.start;
        for level in (0..64).rev().filter(|level| self.size >> level & 1 == 1) {
            nodes.push(Node {
                level,
                index: start >> level,
            });
            start += 1 << level;
        }
        nodes
    }
}

/// The complete nodes of the compact range of `size` leaves, left to right.
#[must_use]
pub fn range_nodes(size: u64) -> Vec<Node> {
    Run { start: 0, size }.nodes()
}

/// Plans the proof that leaf `index` is in the tree of `size` leaves: PATH of RFC 6962.
///
/// # Errors
/// An index that the tree does not have, or a size above the limit.
pub fn inclusion_plan(index: u64, size: u64) -> Result<Plan, TreeError> {
    check_size(size)?;
    if index >= size {
        return Err(TreeError::IndexOutOfRange { index, size });
    }
    let mut siblings = Vec::new();
    let mut tree = Run { start: 0, size };
    while tree.size > 1 {
        let (left, right) = tree.halves();
        let (own, sibling) = if index < right.start {
            (left, right)
        } else {
            (right, left)
        };
        siblings.push(sibling);
        tree = own;
    }
    Ok(Plan::of(siblings))
}

/// Plans the proof that the tree of `old` leaves is a prefix of the tree of `new` leaves: PROOF of RFC 6962.
///
/// # Errors
/// An older size above the newer, or a size above the limit.
pub fn consistency_plan(old: u64, new: u64) -> Result<Plan, TreeError> {
    check_size(new)?;
    if old > new {
        return Err(TreeError::NotAPrefix { old, new });
    }
    let mut runs = Vec::new();
    if old == 0 || old == new {
        return Ok(Plan::of(runs));
    }
    let mut tree = Run {
        start: 0,
        size: new,
    };
    while tree.start + tree.size != old {
        let (left, right) = tree.halves();
        let (own, sibling) = if old <= right.start {
            (left, right)
        } else {
            (right, left)
        };
        runs.push(sibling);
        tree = own;
    }
    // The subtree that ends the old tree; if it is the whole old tree, the checker already has its hash.
    if tree.start > 0 {
        runs.push(tree);
    }
    Ok(Plan::of(runs))
}
