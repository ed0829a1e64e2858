//! Verifier keys, notes, checkpoints and receipts under fixed test keys: those that hold, and specimens of every way
//! not to. The secret key of each signer is 32 equal bytes; such keys must never sign anything real.

use probity_schemas::checkpoint::{Checkpoint, CheckpointError};
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::{Note, NoteError, signature_line};
use probity_schemas::proof::{TlogProof, TlogProofError};
use probity_schemas::vkey::{VerifierKey, VerifierKeyError};
use serde_json::{Value, json};

use crate::signer::{ORIGIN, Signer, checkpoint};
use crate::{Input, assert_complete, golden_json, rules};

rules!(
    KEY_RULES,
    key_rule,
    VerifierKeyError,
    [Shape, Name, Base64, UnknownType, Length, KeyId, UnsafeKey]
);
rules!(
    NOTE_RULES,
    note_rule,
    NoteError,
    [
        TooLong,
        ControlCharacter,
        NoSignatures,
        BadSignatureLine,
        TooManySignatures,
        AmbiguousKey,
        BadSignature,
        NoTrustedKey,
    ]
);
rules!(
    CHECKPOINT_RULES,
    checkpoint_rule,
    CheckpointError,
    [Shape, Origin, Size, Root, EmptyRoot, Note, NotByTheLog]
);
rules!(
    RECEIPT_RULES,
    receipt_rule,
    TlogProofError,
    [Shape, Index, Hash, TooManyHashes, Note, Checkpoint, Proof]
);

const TEXT: &str = "first line\n\nsecond line\n";

#[test]
fn key_vectors_are_fresh() {
    let keys = [(ORIGIN, 1), ("witness.example", 2), ("stranger.example", 3)];
    let refused: Vec<Value> = refused_keys().iter().map(|text| {
        json!({ "vkey": text, "rule": key_rule(&text.parse::<VerifierKey>().unwrap_err()) })
    }).collect();
    assert_complete(KEY_RULES, &refused);
    golden_json(
        "keys.json",
        &json!({
            "keys": keys.map(|(name, seed)| json!({ "name": name, "secret_byte": seed, "vkey": Signer::new(name, seed).vkey.to_string() })),
            "refused": refused,
        }),
    );
}

fn refused_keys() -> Vec<String> {
    let good = Signer::new(ORIGIN, 1).vkey.to_string();
    // Type 0x01 with y = p (not canonical), y = 1 (small order), y = 2 (no point), 2 bytes, and type 0x09.
    [
        "",
        "ledger.example/acme",
        &good.to_uppercase(),
        &good.replace("acme", "evil"),
        &format!("{good}!"),
        "a b+00000000+AQ==",
        "+00000000+AQ==",
        "test+fc3f9d8e+CQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH",
        &made("test", &[1, 7, 7]),
        &made(
            "test",
            &[&[1, 0xed], [0xff; 30].as_slice(), &[0x7f]].concat(),
        ),
        &made("test", &[&[1, 1], [0; 31].as_slice()].concat()),
        &made("test", &[&[1, 2], [0; 31].as_slice()].concat()),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A vkey text made by hand, with the key id that belongs to it.
fn made(name: &str, typed_key: &[u8]) -> String {
    use base64::Engine as _;
    let id = probity_schemas::hash::sha256(&[name.as_bytes(), b"\n", typed_key]).to_hex();
    format!(
        "{name}+{}+{}",
        &id[..8],
        base64::engine::general_purpose::STANDARD.encode(typed_key)
    )
}

#[test]
fn note_vectors_are_fresh() {
    let (log, witness, stranger) = signers();
    let good = [
        vec![log.line(TEXT)],
        vec![
            stranger.line("another\n"),
            witness.line(TEXT),
            log.line(TEXT),
        ],
        vec![log.line(TEXT), log.line(TEXT)],
    ];
    let keys = [log.vkey.clone(), witness.vkey];
    let good: Vec<Value> = good
        .iter()
        .map(|lines| {
            let note = Note::build(TEXT, lines).unwrap();
            let verified: Vec<&str> = note
                .verify(&keys)
                .unwrap()
                .iter()
                .map(|key| key.name())
                .collect();
            json!({ "note": note.to_string(), "keys": texts(&keys), "verified": verified })
        })
        .collect();
    let refused: Vec<Value> = refused_notes(&log, &stranger)
        .iter()
        .map(|input| {
            let text = String::from_utf8(input.bytes()).unwrap();
            let error = Note::parse(&text)
                .and_then(|note| note.verify(&keys).map(drop))
                .unwrap_err();
            json!({ "input": input.json(), "keys": texts(&keys), "rule": note_rule(&error) })
        })
        .chain([ambiguous()])
        .collect();
    assert_complete(NOTE_RULES, &refused);
    golden_json("notes.json", &json!({ "notes": good, "refused": refused }));
}

fn signers() -> (Signer, Signer, Signer) {
    (
        Signer::new(ORIGIN, 1),
        Signer::new("witness.example", 2),
        Signer::new("stranger.example", 3),
    )
}

fn texts(keys: &[VerifierKey]) -> Vec<String> {
    keys.iter().map(VerifierKey::to_string).collect()
}

fn refused_notes(log: &Signer, stranger: &Signer) -> Vec<Input> {
    let line = log.line(TEXT);
    let note = format!("{TEXT}\n{line}");
    let mut inputs: Vec<Input> = [
        "",
        TEXT,
        &format!("{TEXT}{line}").replace("\n\n", "\n"),
        note.trim_end(),
        &note.replace('\n', "\r\n"),
        &note.replace("first line", "first\tline"),
        &note.replace('\u{2014}', "-"),
        &note.replace("acme ", "acme  "),
        &note.replace('=', ""),
        &note.replace("first", "First"),
        &format!("{note}{}", log.line("another\n")),
        &format!("{TEXT}\n{}", stranger.line(TEXT)),
        &format!("{TEXT}\n{}", line.repeat(65)),
        &format!(
            "{TEXT}\n{}",
            signature_line(ORIGIN, log.vkey.id(), &[0; 63])
        ),
    ]
    .map(Input::from)
    .to_vec();
    inputs.push(Input::Filled {
        before: String::new(),
        repeat: 'a',
        count: 1_000_000,
        after: format!("\n\n{line}"),
    });
    inputs
}

/// Two different keys of one name and one id, found by trying, for ids have only 32 bits. Brought together they are refused.
const TWINS: [&str; 2] = [
    "twin.example+0c20ac32+AZzCR4AM70TiqiFYpoojGb+TP6+u1iv0v5D1WfWRTBLT",
    "twin.example+0c20ac32+AXRHh/TydfPb4XB8mwl24C/OvFTrySGNG5a7ZzhkJz4a",
];

fn ambiguous() -> Value {
    let keys = TWINS.map(|text| text.parse::<VerifierKey>().unwrap());
    let note = Note::build(
        TEXT,
        &[signature_line("twin.example", keys[0].id(), &[0; 64])],
    )
    .unwrap();
    let error = note.verify(&keys).unwrap_err();
    json!({ "input": Input::Text(note.to_string()).json(), "keys": TWINS, "rule": note_rule(&error) })
}

#[test]
fn checkpoint_vectors_are_fresh() {
    let (log, witness, _) = signers();
    let keys = [log.vkey.clone(), witness.vkey.clone()];
    let sizes = [0, 1, 5];
    let good: Vec<Value> = sizes.map(|size| {
        let checkpoint = checkpoint(&leaves(size));
        let note = Note::build(&checkpoint.text(), &[log.line(&checkpoint.text())]).unwrap();
        assert_eq!(Checkpoint::open(&note, &keys), Ok(checkpoint.clone()));
        json!({ "note": note.to_string(), "keys": texts(&keys), "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root })
    }).to_vec();
    let refused: Vec<Value> = refused_checkpoints(&log, &witness).iter().map(|note| {
        let error = Note::parse(note).map_err(CheckpointError::from).and_then(|note| Checkpoint::open(&note, &keys)).unwrap_err();
        json!({ "input": Input::from(note.as_str()).json(), "keys": texts(&keys), "rule": checkpoint_rule(&error) })
    }).collect();
    assert_complete(CHECKPOINT_RULES, &refused);
    golden_json(
        "checkpoints.json",
        &json!({ "checkpoints": good, "refused": refused }),
    );
}

fn leaves(size: u8) -> Vec<Hash> {
    (0..size)
        .map(|n| leaf_hash(n.to_string().as_bytes()))
        .collect()
}

fn refused_checkpoints(log: &Signer, witness: &Signer) -> Vec<String> {
    let text = checkpoint(&leaves(5)).text();
    let (head, root) = text.trim_end().rsplit_once('\n').unwrap();
    let texts = [
        format!("{text}extension\n"),
        format!("{head}\n"),
        format!("\n5\n{root}\n"),
        format!("{ORIGIN}\n05\n{root}\n"),
        format!("{ORIGIN}\n+5\n{root}\n"),
        format!("{ORIGIN}\n9223372036854775809\n{root}\n"),
        format!("{head}\n{}\n", root.replace('=', "")),
        format!("{ORIGIN}\n0\n{root}\n"),
    ];
    let by_witness = format!("{text}\n{}", witness.line(&text));
    let forged = format!("{text}\n{}", log.line("another\n"));
    texts
        .iter()
        .map(|text| format!("{text}\n{}", log.line(text)))
        .chain([by_witness, forged])
        .collect()
}

#[test]
fn receipt_vectors_are_fresh() {
    let (log, ..) = signers();
    let keys = [log.vkey.clone()];
    let leaves = leaves(5);
    let text = checkpoint(&leaves).text();
    let receipt = |index: u64| {
        let hashes = probity_schemas::tree::inclusion_plan(index, 5)
            .unwrap()
            .assemble(|node| {
                let start = usize::try_from(node.index).ok()? << node.level;
                Some(probity_schemas::tree::root_of(
                    leaves
                        .get(start..start + (1 << node.level))?
                        .iter()
                        .copied(),
                ))
            });
        TlogProof {
            index,
            hashes: hashes.unwrap(),
            checkpoint: Note::build(&text, &[log.line(&text)]).unwrap(),
        }
        .text()
    };
    let good: Vec<Value> = (0..)
        .zip(&leaves)
        .map(|(index, leaf)| {
            assert!(
                TlogProof::parse(&receipt(index))
                    .unwrap()
                    .verify(leaf, &keys)
                    .is_ok()
            );
            json!({ "receipt": receipt(index), "leaf": leaf, "keys": texts(&keys) })
        })
        .collect();
    let refused: Vec<Value> = refused_receipts(&receipt(1)).iter().map(|text| {
        let error = TlogProof::parse(text).and_then(|proof| proof.verify(&leaves[1], &keys).map(drop)).unwrap_err();
        json!({ "input": Input::from(text.as_str()).json(), "leaf": leaves[1], "keys": texts(&keys), "rule": receipt_rule(&error) })
    }).collect();
    assert_complete(RECEIPT_RULES, &refused);
    golden_json(
        "receipts.json",
        &json!({ "receipts": good, "refused": refused }),
    );
}

fn refused_receipts(good: &str) -> Vec<String> {
    let hash = good.lines().nth(2).unwrap();
    [
        "",
        &good.replace("@v1", "@v2"),
        &good.replace("index 1\n", ""),
        &good.replace("index 1", "index 01"),
        &good.replace("index 1", "index 2"),
        &good.replace("index 1", "index 5"),
        &good.replace("index 1", "extra !\nindex 1"),
        &good.replace(hash, "hash"),
        &good.replace(&format!("{hash}\n"), ""),
        &good.replace(hash, &format!("{hash}\n{hash}")),
        &good.replace(hash, &vec![hash; 64].join("\n")),
        &good.replace("\n5\n", "\n6\n"),
        good.rsplit_once("\n\n").unwrap().0,
    ]
    .map(str::to_owned)
    .to_vec()
}
