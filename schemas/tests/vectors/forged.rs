//! Proofs that must fail: each honest proof of a few shapes of tree, changed in every way that a forger could try.
//!
//! Sizes are only doubled, halved or emptied: a proof does not bind the size of its tree (a leaf may have the same path in
//! trees of two sizes), the signed checkpoint does.

use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::tree::ProofError;
use serde_json::Value;

use crate::trees::{Consistency, Inclusion, rule};

/// Leaf and size: alone, leftmost, inside, alone on the right at one and at three levels.
const INCLUSIONS: [(u64, u64); 7] = [(0, 1), (0, 8), (5, 8), (2, 3), (1, 5), (4, 7), (8, 9)];
/// Old and new size: out of nothing, unchanged, from a complete tree, from an incomplete one, by one leaf.
const CONSISTENCIES: [(u64, u64); 9] = [
    (0, 8),
    (1, 1),
    (8, 8),
    (1, 8),
    (4, 8),
    (6, 8),
    (2, 5),
    (6, 7),
    (3, 9),
];

/// Every forgery of the honest inclusion proofs.
pub(crate) fn inclusions(honest: &[Inclusion]) -> Vec<Value> {
    let mut forged = Vec::new();
    for (index, size) in INCLUSIONS {
        let found = |proof: &&Inclusion| (proof.index, proof.size) == (index, size);
        let one = honest.iter().find(found).unwrap();
        let changes = inclusion_fields(one).into_iter().chain(
            lists(&one.proof, &[one.leaf, one.root])
                .into_iter()
                .map(|(story, proof)| {
                    (
                        story,
                        Inclusion {
                            proof,
                            ..one.clone()
                        },
                    )
                }),
        );
        for (story, change) in changes {
            forged.push(specimen(&story, change.json(), change.check()));
        }
    }
    forged
}

/// Every forgery of the honest consistency proofs.
pub(crate) fn consistencies(honest: &[Consistency]) -> Vec<Value> {
    let mut forged = Vec::new();
    for (old, new) in CONSISTENCIES {
        let found = |proof: &&Consistency| (proof.old, proof.new) == (old, new);
        let one = honest.iter().find(found).unwrap();
        let changes = consistency_fields(one).into_iter().chain(
            lists(&one.proof, &[one.old_root, one.new_root])
                .into_iter()
                .map(|(story, proof)| {
                    (
                        story,
                        Consistency {
                            proof,
                            ..one.clone()
                        },
                    )
                }),
        );
        for (story, change) in changes {
            forged.push(specimen(&story, change.json(), change.check()));
        }
    }
    forged
}

fn inclusion_fields(one: &Inclusion) -> Vec<(String, Inclusion)> {
    let other = leaf_hash(b"other");
    let mut changes = Vec::new();
    let mut but = |story: &str, change: &dyn Fn(&mut Inclusion)| {
        let mut changed = one.clone();
        change(&mut changed);
        if changed.json() != one.json() {
            changes.push((story.to_owned(), changed));
        }
    };
    but("the leaf beside", &|p| p.index ^= 1);
    but("the leaf two further", &|p| p.index ^= 2);
    but("the first leaf behind the tree", &|p| p.index = p.size);
    but("the largest index", &|p| p.index = i64::MAX.unsigned_abs());
    but("a tree of twice the size", &|p| p.size *= 2);
    but("a tree of half the size", &|p| p.size /= 2);
    but("an empty tree", &|p| p.size = 0);
    but("another leaf hash", &|p| p.leaf = other);
    but("the root as the leaf", &|p| {
        p.leaf = if p.size == 1 { other } else { p.root };
    });
    but("the empty hash as the leaf", &|p| p.leaf = Hash::EMPTY);
    but("another root", &|p| p.root = other);
    but("the root of the empty tree", &|p| p.root = Hash::EMPTY);
    but("the leaf as the root", &|p| {
        p.root = if p.size == 1 { other } else { p.leaf };
    });
    but("one bit of the root", &|p| p.root.0[31] ^= 1);
    changes
}

fn consistency_fields(one: &Consistency) -> Vec<(String, Consistency)> {
    let other = leaf_hash(b"other");
    let mut changes = Vec::new();
    let mut but = |story: &str, change: &dyn Fn(&mut Consistency)| {
        let mut changed = one.clone();
        change(&mut changed);
        // The empty tree is a prefix of any tree, whatever that one's root.
        let is_empty = changed.old == 0 && changed.old_root == Hash::EMPTY;
        if changed.json() != one.json() && !is_empty {
            changes.push((story.to_owned(), changed));
        }
    };
    but("an old tree of one leaf more", &|p| p.old += 1);
    but("an old tree of one leaf less", &|p| {
        p.old = p.old.saturating_sub(1);
        p.new = p.new.max(p.old);
    });
    but("an old tree larger than the new", &|p| p.old = p.new + 1);
    but("sizes exchanged", &|p| {
        std::mem::swap(&mut p.old, &mut p.new)
    });
    but("roots exchanged", &|p| {
        std::mem::swap(&mut p.old_root, &mut p.new_root);
    });
    but("another old root", &|p| p.old_root = other);
    but("another new root", &|p| p.new_root = other);
    but("the old root twice", &|p| p.new_root = p.old_root);
    but("the new root twice", &|p| p.old_root = p.new_root);
    but("one bit of the old root", &|p| p.old_root.0[0] ^= 1);
    but("one bit of the new root", &|p| p.new_root.0[31] ^= 1);
    but("an old root of the empty tree", &|p| {
        p.old_root = if p.old == 0 { other } else { Hash::EMPTY };
    });
    but("a new root of the empty tree", &|p| {
        p.new_root = Hash::EMPTY
    });
    changes
}

/// Every change of a list of hashes; `near` are hashes that a forger has at hand.
fn lists(proof: &[Hash], near: &[Hash]) -> Vec<(String, Vec<Hash>)> {
    let other = leaf_hash(b"other");
    let mut changes = vec![("64 hashes".to_owned(), vec![other; 64])];
    let mut but = |story: String, changed: Vec<Hash>| {
        if changed != proof {
            changes.push((story, changed));
        }
    };
    for (name, hash) in std::iter::once(("another hash", &other)).chain(
        near.iter()
            .zip(["the leaf or old root", "the root"])
            .map(|(hash, name)| (name, hash)),
    ) {
        but(format!("{name} in front"), [&[*hash], proof].concat());
        but(format!("{name} behind"), [proof, &[*hash]].concat());
    }
    but("no hashes".to_owned(), Vec::new());
    but(
        "the order turned".to_owned(),
        proof.iter().rev().copied().collect(),
    );
    but("all of it twice".to_owned(), [proof, proof].concat());
    for at in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed.remove(at);
        but(format!("hash {at} left out"), changed);
        let mut changed = proof.to_vec();
        changed[at] = other;
        but(format!("hash {at} another"), changed);
        let mut changed = proof.to_vec();
        changed[at].0[at] ^= 0x80;
        but(format!("one bit of hash {at}"), changed);
        let mut changed = proof.to_vec();
        changed.insert(at, proof[at]);
        but(format!("hash {at} twice"), changed);
        if at > 0 {
            let mut changed = proof.to_vec();
            changed.swap(at - 1, at);
            but(format!("hashes {} and {at} exchanged", at - 1), changed);
        }
    }
    changes
}

/// A forgery with the rule that it breaks; one that holds is a fault of ours.
fn specimen(story: &str, mut forged: Value, checked: Result<(), ProofError>) -> Value {
    assert!(checked.is_err(), "it holds: {story}");
    forged["story"] = Value::from(story);
    forged["rule"] = Value::from(rule(&checked.unwrap_err()));
    forged
}
