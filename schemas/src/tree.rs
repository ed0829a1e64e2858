//! The Merkle tree of RFC 6962 over leaf hashes: the compact range an appender keeps, the plans by which proofs are
//! put together, and the checks of proofs. Not a store of nodes: where hashes come from (tiles, rows, memory) is the
//! caller's business, so a proof is first *planned* as a list of complete nodes and then assembled from their hashes.

mod check;
mod plan;
mod range;
mod stretch;

pub use check::{ProofError, verify_consistency, verify_inclusion};
pub use plan::{Node, Plan, consistency_plan, inclusion_plan, range_nodes};
pub use range::{CompactRange, root_of};
pub use stretch::Stretch;

use crate::hash::Hash;

/// Why a tree, or a proof to be made from it, cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A leaf that the tree does not have.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    IndexOutOfRange {
        /// The leaf asked for.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// An older size that is above the newer one.
    #[error("a tree of {old} leaves is not a prefix of a tree of {new} leaves")]
    NotAPrefix {
        /// Leaves of the tree said to be older.
        old: u64,
        /// Leaves of the tree said to be newer.
        new: u64,
    },
    /// More leaves than a proof of this format can speak of.
    #[error("{size} leaves are more than {}", crate::limits::TREE_SIZE_MAX)]
    TooLarge {
        /// Leaves asked for.
        size: u64,
    },
    /// A compact range whose number of hashes does not fit its size.
    #[error("a compact range of {size} leaves has {expected} hashes, not {found}")]
    HashCount {
        /// Leaves of the range.
        size: u64,
        /// Hashes that such a range has.
        expected: usize,
        /// Hashes given.
        found: usize,
    },
    /// The hash of a planned node was not to be had.
    #[error("the hash of node {} at level {} is missing", node.index, node.level)]
    MissingNode {
        /// The node.
        node: Node,
    },
}

/// Refuses sizes whose proofs could outgrow the limit.
const fn check_size(size: u64) -> Result<(), TreeError> {
    if size <= crate::limits::TREE_SIZE_MAX {
        Ok(())
    } else {
        Err(TreeError::TooLarge { size })
    }
}

/// The hash of neighbouring complete subtrees, left to right, each larger than the next: a fold from the right.
fn combine(hashes: impl DoubleEndedIterator<Item = Hash>) -> Hash {
    hashes
        .rev()
        .reduce(|right, left| crate::hash::node_hash(&left, &right))
        .unwrap_or(Hash::EMPTY)
}

/// Largest power of two below `size`: where RFC 6962 splits a tree of `size` leaves, at least two.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests;
