//! The tree against the RFC's own recursion, against another implementation, and against proofs that must fail.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use sha2::Sha256;

use super::{
    CompactRange, Node, Plan, ProofError, TreeError, consistency_plan, inclusion_plan, range_nodes,
    root_of, verify_consistency, verify_inclusion,
};
use crate::hash::{Hash, leaf_hash, node_hash};
use crate::seeds::seeded;

fn leaves(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|n| leaf_hash(n.to_string().as_bytes()))
        .collect()
}

/// MTH of RFC 6962, written as the RFC writes it.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY,
        [one] => *one,
        more => {
            let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
            node_hash(&mth(left), &mth(right))
        }
    }
}

/// PATH of RFC 6962.
fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) = if index < left.len() {
        (path(index, left), right)
    } else {
        (path(index - left.len(), right), left)
    };
    path.push(mth(sibling));
    path
}

/// SUBPROOF of RFC 6962.
fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut proof, sibling) = if old <= left.len() {
        (subproof(old, left, whole), right)
    } else {
        (subproof(old - left.len(), right, false), left)
    };
    proof.push(mth(sibling));
    proof
}

/// The proof of a plan, from a tree held in memory.
fn assemble(plan: &Plan, leaves: &[Hash]) -> Vec<Hash> {
    let hash_of = |node: Node| {
        let (start, width) = (
            usize::try_from(node.index).unwrap() << node.level,
            1 << node.level,
        );
        leaves.get(start..start + width).map(mth)
    };
    plan.assemble(hash_of).unwrap()
}

fn index(n: u64) -> usize {
    usize::try_from(n).unwrap()
}

#[test]
fn every_small_tree_proves_every_leaf_and_every_prefix_as_the_rfc_says() {
    let all = leaves(70);
    for size in 0..=70 {
        let tree = &all[..index(size)];
        let root = mth(tree);
        assert_eq!(root_of(tree.iter().copied()), root);
        for leaf in 0..size {
            let proof = assemble(&inclusion_plan(leaf, size).unwrap(), tree);
            assert_eq!(proof, path(index(leaf), tree));
            assert_eq!(
                verify_inclusion(leaf, size, &tree[index(leaf)], &proof, &root),
                Ok(())
            );
        }
        for old in 0..=size {
            let proof = assemble(&consistency_plan(old, size).unwrap(), tree);
            let expected = if old == 0 {
                Vec::new()
            } else {
                subproof(index(old), tree, true)
            };
            assert_eq!(proof, expected);
            assert_eq!(
                verify_consistency(old, size, &proof, &mth(&all[..index(old)]), &root),
                Ok(())
            );
        }
    }
}

#[test]
fn another_implementation_agrees() {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut ours = CompactRange::new();
    for n in 0..150_u64 {
        theirs.push(n.to_string().into_bytes());
        ours.push(leaf_hash(n.to_string().as_bytes()));
        assert_eq!(
            ours.root().0.as_slice(),
            theirs.root().as_bytes().as_slice()
        );
    }
    let all = leaves(150);
    for n in 0..150 {
        let proof = assemble(&inclusion_plan(n, 150).unwrap(), &all);
        let bytes: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
        assert_eq!(bytes, theirs.prove_inclusion(index(n)).as_bytes());
        if n > 0 {
            let proof = assemble(&consistency_plan(n, 150).unwrap(), &all);
            let bytes: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
            assert_eq!(bytes, theirs.prove_consistency(index(150 - n)).as_bytes());
        }
    }
}

#[test]
fn a_compact_range_is_its_nodes_and_only_fits_its_size() {
    let all = leaves(100);
    for size in 0..=100 {
        let mut range = CompactRange::new();
        range.extend(all[..index(size)].iter().copied());
        let nodes = range_nodes(size);
        let hashes: Vec<Hash> = nodes
            .iter()
            .map(|node| mth(&all[index(node.index) << node.level..][..1 << node.level]))
            .collect();
        assert_eq!(range.hashes(), hashes);
        assert_eq!(
            CompactRange::from_parts(size, hashes.clone()),
            Ok(range.clone())
        );
        let json = serde_json::to_string(&range).unwrap();
        assert_eq!(serde_json::from_str::<CompactRange>(&json).unwrap(), range);
        let archived = rkyv::to_bytes::<rkyv::rancor::Error>(&range).unwrap();
        assert_eq!(
            rkyv::from_bytes::<CompactRange, rkyv::rancor::Error>(&archived).unwrap(),
            range
        );
        let too_many = [hashes, vec![Hash::EMPTY]].concat();
        assert!(matches!(
            CompactRange::from_parts(size, too_many),
            Err(TreeError::HashCount { .. })
        ));
    }
    assert!(serde_json::from_str::<CompactRange>(r#"{"size":3,"hashes":[]}"#).is_err());
}

#[test]
fn what_cannot_be_planned_says_why() {
    assert_eq!(
        inclusion_plan(0, 0),
        Err(TreeError::IndexOutOfRange { index: 0, size: 0 })
    );
    assert_eq!(
        inclusion_plan(7, 7),
        Err(TreeError::IndexOutOfRange { index: 7, size: 7 })
    );
    assert_eq!(
        consistency_plan(8, 7),
        Err(TreeError::NotAPrefix { old: 8, new: 7 })
    );
    assert_eq!(
        inclusion_plan(0, u64::MAX),
        Err(TreeError::TooLarge { size: u64::MAX })
    );
    let missing = Node { level: 1, index: 0 };
    assert_eq!(
        inclusion_plan(2, 3).unwrap().assemble(|_| None),
        Err(TreeError::MissingNode { node: missing })
    );
}

#[test]
fn the_largest_tree_needs_63_hashes() {
    let size = crate::limits::TREE_SIZE_MAX;
    for leaf in [0, 1, size / 2, size - 1] {
        assert_eq!(
            inclusion_plan(leaf, size)
                .unwrap()
                .assemble(|_| Some(Hash::EMPTY))
                .unwrap()
                .len(),
            63
        );
    }
    assert!(
        consistency_plan(size - 1, size)
            .unwrap()
            .assemble(|_| Some(Hash::EMPTY))
            .unwrap()
            .len()
            <= 64
    );
}

#[test]
fn inclusion_proofs_that_must_fail() {
    let all = leaves(7);
    let root = mth(&all);
    let proof = path(4, &all);
    let other = Hash([9; 32]);
    let short = &proof[..proof.len() - 1];
    let long = [proof.clone(), vec![other]].concat();
    let many = vec![other; 64];
    let swapped: Vec<Hash> = proof.iter().rev().copied().collect();
    #[rustfmt::skip]
    let table = [
        ("a leaf beyond the tree", 7, 7, all[4], proof.as_slice(), root, ProofError::IndexOutOfRange),
        ("any leaf of the empty tree", 0, 0, Hash::EMPTY, &[], Hash::EMPTY, ProofError::IndexOutOfRange),
        ("another leaf", 4, 7, all[5], &proof, root, ProofError::RootMismatch),
        ("another index", 5, 7, all[4], &proof, root, ProofError::RootMismatch),
        ("another root", 4, 7, all[4], &proof, other, ProofError::RootMismatch),
        ("a larger tree", 4, 9, all[4], &proof, root, ProofError::WrongLength),
        ("a smaller tree", 4, 5, all[4], &proof, root, ProofError::WrongLength),
        ("one hash too few", 4, 7, all[4], short, root, ProofError::WrongLength),
        ("one hash too many", 4, 7, all[4], &long, root, ProofError::WrongLength),
        ("hashes in another order", 4, 7, all[4], &swapped, root, ProofError::RootMismatch),
        ("no hashes", 4, 7, all[4], &[], root, ProofError::WrongLength),
        ("a node passed off as a leaf", 0, 2, node_hash(&all[0], &all[1]), &[], mth(&all[..2]), ProofError::WrongLength),
        ("64 hashes", 4, u64::MAX, all[4], &many, root, ProofError::TooManyHashes),
    ];
    for (story, index, size, leaf, proof, root, error) in table {
        assert_eq!(
            verify_inclusion(index, size, &leaf, proof, &root),
            Err(error),
            "{story}"
        );
    }
}

#[test]
fn consistency_proofs_that_must_fail() {
    let all = leaves(8);
    let root = |size: usize| mth(&all[..size]);
    let from_6 = subproof(6, &all, true);
    let from_4 = subproof(4, &all, true);
    let other = Hash([9; 32]);
    let long = [from_6.clone(), vec![other]].concat();
    let many = vec![other; 64];
    #[rustfmt::skip]
    let table = [
        ("an older tree that is larger", 8, 6, from_6.as_slice(), root(8), root(6), ProofError::NotAPrefix),
        ("another old root", 6, 8, &from_6, other, root(8), ProofError::OldRootMismatch),
        ("another new root", 6, 8, &from_6, root(6), other, ProofError::RootMismatch),
        ("an old root of a power of two that is another", 4, 8, &from_4, other, root(8), ProofError::RootMismatch),
        ("roots exchanged", 6, 8, &from_6, root(8), root(6), ProofError::OldRootMismatch),
        ("no hashes", 6, 8, &[], root(6), root(8), ProofError::WrongLength),
        ("one hash too few", 6, 8, &from_6[..from_6.len() - 1], root(6), root(8), ProofError::WrongLength),
        ("one hash too many", 6, 8, &long, root(6), root(8), ProofError::WrongLength),
        ("64 hashes", 6, 8, &many, root(6), root(8), ProofError::TooManyHashes),
        ("same size, other root", 8, 8, &[], root(8), other, ProofError::RootMismatch),
        ("same size, with hashes", 8, 8, &from_6, root(8), root(8), ProofError::WrongLength),
        ("nothing before, but with another root", 0, 8, &[], other, root(8), ProofError::OldRootMismatch),
        ("nothing before, but with hashes", 0, 8, &from_6, Hash::EMPTY, root(8), ProofError::WrongLength),
        ("nothing at all, with another root", 0, 0, &[], Hash::EMPTY, other, ProofError::RootMismatch),
    ];
    for (story, old, new, proof, old_root, new_root, error) in table {
        assert_eq!(
            verify_consistency(old, new, proof, &old_root, &new_root),
            Err(error),
            "{story}"
        );
    }
}

proptest! {
    #![proptest_config(seeded(256, 0x9b0b_74ee))]

    #[test]
    fn a_proof_with_one_bit_changed_fails(size in 2_u64..300, leaf in any::<u64>(), hash in any::<prop::sample::Index>(), bit in 0_usize..256) {
        let all = leaves(size);
        let leaf = leaf % size;
        let mut proof = assemble(&inclusion_plan(leaf, size).unwrap(), &all);
        let place = hash.index(proof.len());
        proof[place].0[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(verify_inclusion(leaf, size, &all[index(leaf)], &proof, &mth(&all)), Err(ProofError::RootMismatch));
    }

    #[test]
    fn larger_trees_agree_with_the_rfc(size in 70_u64..600, first in any::<u64>(), second in any::<u64>()) {
        let all = leaves(size);
        let (leaf, old) = (first % size, second % size + 1);
        let proof = assemble(&inclusion_plan(leaf, size).unwrap(), &all);
        prop_assert_eq!(&proof, &path(index(leaf), &all));
        let consistency = assemble(&consistency_plan(old, size).unwrap(), &all);
        prop_assert_eq!(&consistency, &subproof(index(old), &all, true));
        prop_assert_eq!(verify_consistency(old, size, &consistency, &mth(&all[..index(old)]), &mth(&all)), Ok(()));
    }
}
