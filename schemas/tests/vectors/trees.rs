//! Hashes, roots and proofs of small trees, and proofs that must fail.

use probity_schemas::hash::{Hash, leaf_hash, node_hash, sha256};
use probity_schemas::tree::{
    Node, Plan, ProofError, consistency_plan, inclusion_plan, root_of, verify_consistency,
    verify_inclusion,
};
use serde_json::{Value, json};

use crate::{assert_complete, forged, golden_json, golden_tables, rules};

rules!(
    RULES,
    rule,
    ProofError,
    [
        IndexOutOfRange,
        NotAPrefix,
        TooManyHashes,
        WrongLength,
        RootMismatch,
        OldRootMismatch
    ]
);

const SIZE: usize = 9;

#[test]
fn hash_vectors_are_fresh() {
    let refused = [
        "",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
        "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==",
    ];
    for text in refused {
        assert!(text.parse::<Hash>().is_err(), "{text}");
    }
    let texts = ["", "a", "{}", "probity"];
    let (left, right) = (sha256(&[b"left"]), sha256(&[b"right"]));
    let salt = Hash(std::array::from_fn(|at| u8::try_from(at).unwrap()));
    let request = r#"{"action":"deploy","capabilities":["shell"],"tool_count":1}"#;
    golden_json(
        "hashes.json",
        &json!({
            "sha256": texts.map(|text| json!({ "text": text, "hex": sha256(&[text.as_bytes()]).to_hex(), "hash": sha256(&[text.as_bytes()]) })),
            "leaf": texts.map(|text| json!({ "text": text, "hash": leaf_hash(text.as_bytes()) })),
            "node": [{ "left": left, "right": right, "hash": node_hash(&left, &right) }],
            "request_digest": [{ "salt": salt, "request": request, "hash": sha256(&[&salt.0, request.as_bytes()]) }],
            "refused": refused,
        }),
    );
}

#[test]
fn tree_vectors_are_fresh() {
    let leaves: Vec<Hash> = (0..SIZE)
        .map(|n| leaf_hash(n.to_string().as_bytes()))
        .collect();
    let root = |size: u64| root_of(leaves[..usize::try_from(size).unwrap()].iter().copied());
    let (mut inclusion, mut consistency) = (Vec::new(), Vec::new());
    for size in 1..=SIZE as u64 {
        for index in 0..size {
            let proof = assemble(&inclusion_plan(index, size).unwrap(), &leaves);
            inclusion.push(Inclusion {
                index,
                size,
                leaf: leaves[usize::try_from(index).unwrap()],
                root: root(size),
                proof,
            });
        }
        for old in 0..=size {
            let proof = assemble(&consistency_plan(old, size).unwrap(), &leaves);
            consistency.push(Consistency {
                old,
                new: size,
                old_root: root(old),
                new_root: root(size),
                proof,
            });
        }
    }
    let refused = [
        forged::inclusions(&inclusion),
        forged::consistencies(&consistency),
    ];
    assert_complete(RULES, &refused.concat());
    golden_tables(
        "trees.json",
        &json!({
            "leaves": (0..SIZE).map(|n| json!({ "text": n.to_string(), "hash": leaves[n] })).collect::<Vec<_>>(),
            "roots": (0..=SIZE as u64).map(root).collect::<Vec<_>>(),
            "inclusion": inclusion.iter().map(Inclusion::json).collect::<Vec<_>>(),
            "consistency": consistency.iter().map(Consistency::json).collect::<Vec<_>>(),
            "inclusion_refused": refused[0],
            "consistency_refused": refused[1],
        }),
    );
}

fn assemble(plan: &Plan, leaves: &[Hash]) -> Vec<Hash> {
    let hash_of = |node: Node| {
        let start = usize::try_from(node.index).ok()? << node.level;
        Some(root_of(
            leaves
                .get(start..start + (1 << node.level))?
                .iter()
                .copied(),
        ))
    };
    plan.assemble(hash_of).unwrap()
}

#[derive(Clone)]
pub(crate) struct Inclusion {
    pub(crate) index: u64,
    pub(crate) size: u64,
    pub(crate) leaf: Hash,
    pub(crate) root: Hash,
    pub(crate) proof: Vec<Hash>,
}

impl Inclusion {
    pub(crate) fn check(&self) -> Result<(), ProofError> {
        verify_inclusion(self.index, self.size, &self.leaf, &self.proof, &self.root)
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "index": self.index, "size": self.size, "leaf": self.leaf, "root": self.root, "proof": self.proof })
    }
}

#[derive(Clone)]
pub(crate) struct Consistency {
    pub(crate) old: u64,
    pub(crate) new: u64,
    pub(crate) old_root: Hash,
    pub(crate) new_root: Hash,
    pub(crate) proof: Vec<Hash>,
}

impl Consistency {
    pub(crate) fn check(&self) -> Result<(), ProofError> {
        verify_consistency(
            self.old,
            self.new,
            &self.proof,
            &self.old_root,
            &self.new_root,
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "old": self.old, "new": self.new, "old_root": self.old_root, "new_root": self.new_root, "proof": self.proof })
    }
}
