//! Checks of proofs, as RFC 9162 §2.1.3.2 and §2.1.4.2 spell them out, with the edge cases the RFC leaves open:
//! equal sizes want equal roots and no hashes; the empty tree is a prefix of any, and its proof is empty.

use crate::hash::{Hash, node_hash};
use crate::limits::PROOF_HASHES_MAX;

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is not in a tree of that size at all.
    #[error("the leaf's index is not below the tree's size")]
    IndexOutOfRange,
    /// The older tree is larger than the newer one.
    #[error("the older tree is larger than the newer one")]
    NotAPrefix,
    /// More hashes than any proof has.
    #[error("more than {PROOF_HASHES_MAX} hashes")]
    TooManyHashes,
    /// Too few or too many hashes for these sizes.
    #[error("the number of hashes does not fit the sizes")]
    WrongLength,
    /// The hashes lead to another root than the (newer) one given.
    #[error("the proof leads to another root")]
    RootMismatch,
    /// The hashes lead to another root than the older one given.
    #[error("the proof leads to another root of the older tree")]
    OldRootMismatch,
}

/// A walk from a leaf to the root: the position of the node reached, and of the last node, on its level.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    /// Takes the step above which the next hash of the proof stands; true if that hash is a left sibling.
    fn step(&mut self) -> Result<bool, ProofError> {
        if self.last == 0 {
            return Err(ProofError::WrongLength);
        }
        let from_left = self.node & 1 == 1 || self.node == self.last;
        if from_left {
            // A last node without a right sibling moves up unchanged until it has a left one.
            while self.node & 1 == 0 && self.node != 0 {
                self.up();
            }
        }
        self.up();
        Ok(from_left)
    }

    const fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves with this `root`.
///
/// # Errors
/// The reason why the proof does not show it.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange);
    }
    if proof.len() > PROOF_HASHES_MAX {
        return Err(ProofError::TooManyHashes);
    }
    let mut climb = Climb {
        node: index,
        last: size - 1,
    };
    let mut hash = *leaf;
    for other in proof {
        hash = if climb.step()? {
            node_hash(other, &hash)
        } else {
            node_hash(&hash, other)
        };
    }
    match (climb.last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::RootMismatch),
        _ => Err(ProofError::WrongLength),
    }
}

/// Checks that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with `new_root`.
///
/// # Errors
/// The reason why the proof does not show it.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::NotAPrefix);
    }
    if proof.len() > PROOF_HASHES_MAX {
        return Err(ProofError::TooManyHashes);
    }
    if old == 0 || old == new {
        return verify_trivial(old, new, proof, old_root, new_root);
    }
    // The hash of the subtree that ends the old tree: the old root itself if that subtree is the whole old tree.
    let (first, rest) = match proof.split_first() {
        None => return Err(ProofError::WrongLength),
        Some(_) if old.is_power_of_two() => (old_root, proof),
        Some(split) => split,
    };
    let shift = (old - 1).trailing_ones();
    let mut climb = Climb {
        node: (old - 1) >> shift,
        last: (new - 1) >> shift,
    };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for other in rest {
        if climb.step()? {
            old_hash = node_hash(other, &old_hash);
            new_hash = node_hash(other, &new_hash);
        } else {
            new_hash = node_hash(&new_hash, other);
        }
    }
    match (climb.last, old_hash == *old_root, new_hash == *new_root) {
        (0, true, true) => Ok(()),
        (0, false, _) => Err(ProofError::OldRootMismatch),
        (0, true, false) => Err(ProofError::RootMismatch),
        _ => Err(ProofError::WrongLength),
    }
}

/// The cases in which there is nothing to prove: the old tree is empty, or is the new one.
fn verify_trivial(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), ProofError> {
    if !proof.is_empty() {
        Err(ProofError::WrongLength)
    } else if old == 0 && *old_root != Hash::EMPTY {
        Err(ProofError::OldRootMismatch)
    } else if old == new && old_root != new_root {
        Err(ProofError::RootMismatch)
    } else {
        Ok(())
    }
}
