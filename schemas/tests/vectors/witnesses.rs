//! Cosigned checkpoints, requests to witnesses and policy files: specimens that are read, and one of every way not to be.

use probity_schemas::add_checkpoint::{AddCheckpoint, AddCheckpointError};
use probity_schemas::cosignature::cosigned;
use probity_schemas::hash::leaf_hash;
use probity_schemas::note::Note;
use probity_schemas::trust::{TrustPolicy, TrustPolicyError};
use serde_json::{Value, json};

use crate::signer::{Cosigner, ORIGIN, Signer, checkpoint};
use crate::{Input, assert_complete, golden_json, rules};

rules!(
    REQUEST_RULES,
    request_rule,
    AddCheckpointError,
    [Shape, OldSize, Hash, TooManyHashes, Note]
);
rules!(
    POLICY_RULES,
    policy_rule,
    TrustPolicyError,
    [
        TooLong,
        ControlCharacter,
        Shape,
        Key,
        KeyType,
        DuplicateKey,
        DuplicateName,
        UnknownName,
        MemberTwice,
        Threshold,
        Quorum,
        TooMany,
    ]
);

/// A time that needs more than 32 bits.
const TIME: u64 = 1 << 33;

#[test]
fn witness_vectors_are_fresh() {
    let text = checkpoint(&[leaf_hash(b"one"), leaf_hash(b"two")]).text();
    let log = Signer::new(ORIGIN, 1);
    let witness = Cosigner::new("witness.example", 2);
    let cosigned_note = |line: String| Note::build(&text, &[log.line(&text), line]).unwrap();
    let good = cosigned_note(witness.line(&text, TIME));
    let keys = [witness.0.vkey.clone()];
    let named: Vec<Value> = cosigned(&good, &keys)
        .unwrap()
        .iter()
        .map(|one| json!({ "name": one.key.name(), "time": one.time }))
        .collect();
    assert_eq!(named.len(), 1);
    let bad = cosigned_note(witness.line("another\n", TIME));
    assert!(cosigned(&bad, &keys).is_err());
    golden_json(
        "witnesses.json",
        &json!({
            "cosigned": [{ "note": good.to_string(), "keys": [keys[0].to_string()], "cosigned": named }],
            "refused_cosignatures": [{ "note": bad.to_string(), "keys": [keys[0].to_string()], "rule": "BadSignature" }],
            "requests": requests(&good),
            "refused_requests": refused_requests(&good),
            "policies": policies(),
            "refused_policies": refused_policies(),
        }),
    );
}

fn requests(note: &Note) -> Vec<Value> {
    [vec![], vec![leaf_hash(b"one")]]
        .into_iter()
        .map(|proof| {
            let request = AddCheckpoint {
                old: proof.len() as u64,
                proof,
                checkpoint: note.clone(),
            };
            let proof: Vec<String> = request.proof.iter().map(ToString::to_string).collect();
            json!({ "text": request.text(), "old": request.old, "proof": proof })
        })
        .collect()
}

fn refused_requests(note: &Note) -> Vec<Value> {
    let hash = leaf_hash(b"one");
    let refused: Vec<Value> = [
        format!("{hash}\n\n{note}"),
        format!("old 01\n\n{note}"),
        format!("old 1\n{hash}x\n\n{note}"),
        format!("old 1\n{}\n{note}", format!("{hash}\n").repeat(64)),
        "old 0\n\nno note".to_owned(),
    ]
    .into_iter()
    .map(|text| {
        let error = AddCheckpoint::parse(&text).unwrap_err();
        json!({ "input": Input::Text(text).json(), "rule": request_rule(&error) })
    })
    .collect();
    assert_complete(REQUEST_RULES, &refused);
    refused
}

fn head() -> String {
    let log = Signer::new(ORIGIN, 9).vkey;
    let keys = [1, 2, 3].map(|seed| Cosigner::new(&format!("w{seed}.example"), seed).0.vkey);
    format!(
        "# comment\nlog {log} https://ledger.example/\n\n\twitness one {} https://w1.example/ \nwitness two {}\nwitness three {}\n",
        keys[0], keys[1], keys[2]
    )
}

fn policies() -> Vec<Value> {
    let mut all = Vec::new();
    for lines in [
        "quorum none\n",
        "quorum two\n",
        "group g 2 one two three\nquorum g\n",
        "group pair any one two\ngroup g all pair three\nquorum g",
    ] {
        let text = head() + lines;
        let policy = TrustPolicy::parse(&text).unwrap();
        for set in 0..8u32 {
            let in_set = policy
                .witnesses()
                .iter()
                .enumerate()
                .filter(|(at, _)| set & (1 << at) != 0);
            let cosigned: Vec<_> = in_set.map(|(_, witness)| &witness.key).collect();
            let names: Vec<&str> = cosigned.iter().map(|key| key.name()).collect();
            all.push(json!({ "text": text, "cosigned": names, "satisfied": policy.is_satisfied_by(&cosigned) }));
        }
    }
    all
}

fn refused_policies() -> Vec<Value> {
    let log = Signer::new("other.example", 5).vkey;
    let again = Cosigner::new("again.example", 1).0.vkey;
    let spread: String = (0..65)
        .map(|n| {
            let secret = n + 100;
            format!("log {}\n", Signer::new("many.example", secret).vkey)
        })
        .collect();
    let mut inputs: Vec<Input> = [
        "quorum one\r\n",
        "quorum\n",
        "witness four key\n",
        &format!("witness four {log}\n"),
        &format!("witness four {again}\n"),
        "group one any two\n",
        "group g any four\n",
        "group g any one one\n",
        "group g 3 one two\n",
        "quorum one\nquorum none\n",
        "",
        &spread,
    ]
    .iter()
    .map(|lines| Input::Text(head() + lines))
    .collect();
    inputs.push(Input::Filled {
        before: String::new(),
        repeat: '#',
        count: 256 * 1024 + 1,
        after: String::new(),
    });
    let refused: Vec<Value> = inputs
        .iter()
        .map(|input| {
            let text = String::from_utf8(input.bytes()).unwrap();
            let error = TrustPolicy::parse(&text).unwrap_err();
            json!({ "input": input.json(), "rule": policy_rule(&error) })
        })
        .collect();
    assert_complete(POLICY_RULES, &refused);
    refused
}
