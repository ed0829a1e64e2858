//! A stretch of leaves from the middle of a tree, hashed as far as it can be without the leaves before it: so that stretches
//! can be hashed side by side, and then joined in order.

use crate::hash::{Hash, node_hash};

/// The complete subtrees over neighbouring leaves, left to right, each as large as the stretch has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    first: u64,
    end: u64,
    /// Level and root of each.
    subtrees: Vec<(u32, Hash)>,
}

impl Stretch {
    /// No leaf yet; the next has this index in the tree.
    #[must_use]
    pub const fn from(first: u64) -> Self {
        Self {
            first,
            end: first,
            subtrees: Vec::new(),
        }
    }

    /// Appends one leaf by its leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let (mut level, mut root) = (0, leaf);
        // A node is the right half of its parent where its index is odd.
        while (self.end >> level) & 1 == 1
            && let Some((_, left)) = self.subtrees.pop_if(|left| left.0 == level)
        {
            root = node_hash(&left, &root);
            level += 1;
        }
        self.subtrees.push((level, root));
        self.end += 1;
    }

    /// The index of the first leaf.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The index of the first leaf after it.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Level and root of each subtree.
    pub(super) fn subtrees(&self) -> &[(u32, Hash)] {
        &self.subtrees
    }
}

impl Extend<Hash> for Stretch {
    fn extend<T: IntoIterator<Item = Hash>>(&mut self, leaves: T) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

#[cfg(test)]
mod tests {
    use super::Stretch;
    use crate::hash::{Hash, leaf_hash};
    use crate::tree::CompactRange;

    #[test]
    fn a_tree_in_stretches_is_the_tree() {
        let leaves: Vec<Hash> = (0..70_u8).map(|number| leaf_hash(&[number])).collect();
        for cut in 0..leaves.len() {
            for end in cut..leaves.len() {
                let (mut joined, mut whole) = (CompactRange::new(), CompactRange::new());
                whole.extend(leaves[..end].iter().copied());
                let (mut before, mut after) = (Stretch::from(0), Stretch::from(cut as u64));
                before.extend(leaves[..cut].iter().copied());
                after.extend(leaves[cut..end].iter().copied());
                assert!(cut == 0 || !joined.append(&after), "{cut}");
                assert!(joined.append(&before) && joined.append(&after), "{cut}");
                assert_eq!(joined, whole, "{cut}..{end}");
            }
        }
    }
}
