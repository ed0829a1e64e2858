//! The tree over the lines as they are, its roots at the sizes that matter, and which record was changed.
//!
//! When a link breaks, either the record before was changed or the link was. The tree can tell: if the leaf hash that
//! the link states, put in the place of the record's own, leads to the signed root, then the link is the true one.

use probity_schemas::hash::Hash;
use probity_schemas::tree::{CompactRange, Stretch};
use std::collections::BTreeMap;

/// The tree over the lines.
pub(crate) struct Tree {
    /// The leaves that nothing is asked of any more.
    range: CompactRange,
    /// Those after them. The newest waits here for the link of the next record.
    waiting: Vec<Hash>,
    /// The tree in which one leaf is what a broken link says it was.
    suspect: Option<CompactRange>,
    /// By size.
    watched: BTreeMap<u64, Watched>,
}

/// What is known of a size whose root is wanted.
#[derive(Default)]
struct Watched {
    root: Option<Hash>,
    suspect_root: Option<Hash>,
}

impl Tree {
    pub(crate) const fn new() -> Self {
        Self {
            range: CompactRange::new(),
            waiting: Vec::new(),
            suspect: None,
            watched: BTreeMap::new(),
        }
    }

    /// Keeps the root that the tree has at this size. To be called before the first leaf.
    pub(crate) fn watch(&mut self, size: u64) {
        self.watched.entry(size).or_default();
    }

    /// Appends the leaf of the next line.
    pub(crate) fn append(&mut self, leaf: Hash) {
        self.waiting.push(leaf);
    }

    /// The leaves of this stretch, and one after it, were appended. It stands for them, unless one of them is asked for by itself.
    pub(crate) fn settle(&mut self, stretch: &Stretch) {
        self.settle_up_to(stretch.first());
        let sizes = stretch.first() + 1..stretch.end() + 1;
        let nobody_asks = self.suspect.is_none() && self.watched.range(sizes).next().is_none();
        if nobody_asks && self.range.append(stretch) {
            let settled = (stretch.end() - stretch.first()) as usize;
            self.waiting.drain(..settled);
        } else {
            self.settle_up_to(stretch.end());
        }
    }

    /// The next line says that the newest leaf was `stated`.
    pub(crate) fn suspect(&mut self, stated: Hash) {
        let newest = self.size().saturating_sub(1);
        self.settle_up_to(newest);
        let mut suspect = self.range.clone();
        suspect.push(stated);
        self.suspect = Some(suspect);
    }

    /// The root over all leaves so far.
    pub(crate) fn root(&self) -> Hash {
        let mut range = self.range.clone();
        range.extend(self.waiting.iter().copied());
        range.root()
    }

    /// No leaf follows.
    pub(crate) fn finish(&mut self) {
        self.settle_up_to(self.size());
    }

    /// The root at a watched size, if the tree reached it.
    pub(crate) fn root_at(&self, size: u64) -> Option<Hash> {
        self.watched.get(&size)?.root
    }

    /// The root at a watched size, had the suspected leaf been what the link after it says.
    pub(crate) fn suspect_root_at(&self, size: u64) -> Option<Hash> {
        self.watched.get(&size)?.suspect_root
    }

    fn size(&self) -> u64 {
        self.range.size() + self.waiting.len() as u64
    }

    fn settle_up_to(&mut self, size: u64) {
        let count = size.saturating_sub(self.range.size()) as usize;
        let settled: Vec<Hash> = self.waiting.drain(..count).collect();
        settled.into_iter().for_each(|leaf| self.settle_one(leaf));
    }

    fn settle_one(&mut self, leaf: Hash) {
        // A suspect tree that was made while this leaf waited already has another in its place.
        if let Some(suspect) = &mut self.suspect
            && suspect.size() == self.range.size()
        {
            suspect.push(leaf);
        }
        self.range.push(leaf);
        let size = self.range.size();
        if let Some(watched) = self.watched.get_mut(&size) {
            watched.root = Some(self.range.root());
            watched.suspect_root = self.suspect.as_ref().map(CompactRange::root);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;
    use probity_schemas::hash::{Hash, leaf_hash};
    use probity_schemas::tree::{Stretch, root_of};

    fn leaves() -> Vec<Hash> {
        (0..9_u8).map(|number| leaf_hash(&[number])).collect()
    }

    #[test]
    fn roots_are_kept_at_the_sizes_that_matter() {
        let mut tree = Tree::new();
        [3, 9, 12].iter().for_each(|size| tree.watch(*size));
        for leaf in leaves() {
            tree.append(leaf);
        }
        assert_eq!(tree.root(), root_of(leaves()));
        tree.finish();
        assert_eq!(tree.root_at(3), Some(root_of(leaves().into_iter().take(3))));
        assert_eq!(tree.root_at(9), Some(root_of(leaves())));
        assert_eq!(tree.root_at(12), None);
    }

    #[test]
    fn stretches_stand_for_their_leaves_whatever_is_asked() {
        for watched in 0..=9 {
            for suspected in 0..10 {
                for cut in 1..9 {
                    let mut trees = [Tree::new(), Tree::new()];
                    for (tree, in_stretches) in trees.iter_mut().zip([false, true]) {
                        tree.watch(watched);
                        tree.watch(9);
                        for (at, leaf) in leaves().into_iter().enumerate() {
                            if at == suspected && at > 0 {
                                tree.suspect(Hash::EMPTY);
                            }
                            tree.append(leaf);
                            let first = match at + 1 {
                                end if !in_stretches || (end != cut && end != 9) => continue,
                                end if end == cut => 0,
                                _ => cut,
                            };
                            let mut stretch = Stretch::from(first as u64);
                            stretch.extend(leaves()[first..at].iter().copied());
                            tree.settle(&stretch);
                        }
                        tree.finish();
                    }
                    let [one, other] = trees;
                    for size in [watched, 9] {
                        assert_eq!(one.root_at(size), other.root_at(size));
                        assert_eq!(one.suspect_root_at(size), other.suspect_root_at(size));
                    }
                    assert_eq!(one.root(), other.root());
                }
            }
        }
    }

    #[test]
    fn the_tree_tells_whether_the_record_or_the_link_was_changed() {
        for changed in 0..8 {
            let mut tree = Tree::new();
            tree.watch(9);
            for (at, leaf) in leaves().into_iter().enumerate() {
                if at == changed + 1 {
                    tree.suspect(leaves()[changed]);
                }
                tree.append(if at == changed {
                    leaf_hash(b"forged")
                } else {
                    leaf
                });
            }
            tree.finish();
            assert_ne!(tree.root_at(9), Some(root_of(leaves())), "{changed}");
            assert_eq!(
                tree.suspect_root_at(9),
                Some(root_of(leaves())),
                "{changed}"
            );
        }
    }
}
