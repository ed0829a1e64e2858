//! The compact range: all an appender must keep of a tree to extend it, one hash for each complete subtree.

use super::{Stretch, TreeError, check_size, combine};
use crate::hash::{Hash, node_hash};

/// The complete subtrees of a tree of `size` leaves, left to right: one for each bit set in `size`.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
#[serde(try_from = "Parts")]
pub struct CompactRange {
    size: u64,
    hashes: Vec<Hash>,
}

/// A compact range as read, before its count of hashes is checked.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    size: u64,
    hashes: Vec<Hash>,
}

impl CompactRange {
    /// The range of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            hashes: Vec::new(),
        }
    }

    /// The range of `size` leaves whose complete subtrees have these `hashes`, left to right.
    ///
    /// # Errors
    /// A size above the limit, or a number of hashes that does not fit it.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self, TreeError> {
        check_size(size)?;
        let (expected, found) = (size.count_ones() as usize, hashes.len());
        if expected == found {
            Ok(Self { size, hashes })
        } else {
            Err(TreeError::HashCount {
                size,
                expected,
                found,
            })
        }
    }

    /// Appends one leaf by its leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf);
    }

    /// Appends the leaves of a stretch; false, and nothing done, if it does not begin where this tree ends.
    #[must_use]
    pub fn append(&mut self, stretch: &Stretch) -> bool {
        let follows = stretch.first() == self.size;
        if follows {
            for (level, root) in stretch.subtrees() {
                self.push_subtree(*level, *root);
            }
        }
        follows
    }

    /// Appends a complete subtree of `2^level` leaves, of which there must be a multiple already.
    fn push_subtree(&mut self, level: u32, root: Hash) {
        let merges = (self.size >> level).trailing_ones() as usize;
        let complete = self.hashes.len() - merges;
        let merged = self
            .hashes
            .drain(complete..)
            .rev()
            .fold(root, |right, left| node_hash(&left, &right));
        self.hashes.push(merged);
        self.size += 1 << level;
    }

    /// Root of the tree; of the empty tree, the SHA-256 of the empty string.
    #[must_use]
    pub fn root(&self) -> Hash {
        combine(self.hashes.iter().copied())
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Hashes of the complete subtrees, left to right.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }
}

impl TryFrom<Parts> for CompactRange {
    type Error = TreeError;

    fn try_from(parts: Parts) -> Result<Self, TreeError> {
        Self::from_parts(parts.size, parts.hashes)
    }
}

impl Extend<Hash> for CompactRange {
    fn extend<T: IntoIterator<Item = Hash>>(&mut self, leaves: T) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

/// Root of the tree over these leaf hashes.
#[must_use]
pub fn root_of(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut range = CompactRange::new();
    range.extend(leaves);
    range.root()
}
