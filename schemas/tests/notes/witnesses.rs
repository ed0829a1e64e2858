//! Cosignatures, requests to witnesses, and policy files: what is read, what counts, what is refused.

use probity_schemas::add_checkpoint::{AddCheckpoint, AddCheckpointError};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::cosignature::{Cosigned, cosigned};
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::{Note, NoteError, signature_line};
use probity_schemas::trust::{TrustPolicy, TrustPolicyError};
use probity_schemas::vkey::{VerifierKey, VerifierKeyError};
use proptest::prelude::*;

use crate::keys::vkey_text;
use crate::seeds::seeded;
use crate::signer::{Cosigner, ORIGIN, Signer, checkpoint};

#[test]
fn a_cosignature_is_over_its_time_and_the_whole_text() {
    let (log, one, two) = (
        Signer::new(ORIGIN, 1),
        Cosigner::new("one.example", 2),
        Cosigner::new("two.example", 3),
    );
    let text = checkpoint(&[leaf_hash(b"one")]).text();
    let witnesses = [one.0.vkey.clone(), two.0.vkey.clone()];
    let ask = |lines: &[String]| {
        cosigned(&Note::build(&text, lines).unwrap(), &witnesses).map(|all| {
            all.iter()
                .map(|Cosigned { key, time }| (key.name().to_owned(), *time))
                .collect::<Vec<_>>()
        })
    };
    let name = |name: &str, time| (name.to_owned(), time);
    assert_eq!(ask(&[log.line(&text)]), Ok(vec![]), "the log's own is none");
    assert_eq!(
        ask(&[
            two.line(&text, 7),
            log.line(&text),
            one.line(&text, u64::MAX)
        ]),
        Ok(vec![name("two.example", 7), name("one.example", u64::MAX)])
    );
    let bad = |key: &Cosigner| NoteError::BadSignature {
        name: key.0.vkey.name().to_owned(),
        key_id: key.0.vkey.id(),
    };
    assert_eq!(
        ask(&[one.line("another\n", 7)]),
        Err(bad(&one)),
        "another text"
    );
    let honest = Note::build(&text, &[one.line(&text, 7)]).unwrap();
    let mut bytes = honest.signatures()[0].signature.clone();
    bytes[7] = 8;
    let later = signature_line(one.0.vkey.name(), one.0.vkey.id(), &bytes);
    assert_eq!(
        ask(&[later, two.line(&text, 7)]),
        Err(bad(&one)),
        "another time"
    );
    // A log's signature under the witness's name and id, without a time.
    let signature = Signer {
        key: one.0.key.clone(),
        vkey: one.0.vkey.clone(),
    };
    assert_eq!(ask(&[signature.line(&text)]), Err(bad(&one)), "no time");
    let stranger = Cosigner::new("stranger.example", 4).line(&text, 7);
    assert_eq!(
        ask(&[stranger]),
        Ok(vec![]),
        "an unknown witness says nothing"
    );
}

#[test]
fn a_witness_never_stands_for_the_log() {
    // The very name of the log, under a witness's key.
    let witness = Cosigner::new(ORIGIN, 2);
    let text = checkpoint(&[leaf_hash(b"one")]).text();
    let note = Note::build(&text, &[witness.line(&text, 7)]).unwrap();
    assert!(Checkpoint::open(&note, &[witness.0.vkey]).is_err());
}

#[test]
fn keys_of_other_cosignatures_are_read_and_say_nothing() {
    let ml_dsa: VerifierKey = vkey_text("witness.example", 6, &[7; 1312]).parse().unwrap();
    let text = checkpoint(&[leaf_hash(b"one")]).text();
    let line = signature_line("witness.example", ml_dsa.id(), &[1; 2428]);
    let note = Note::build(&text, &[line]).unwrap();
    assert_eq!(cosigned(&note, &[ml_dsa]), Ok(vec![]));
}

#[test]
fn requests_that_are_refused() {
    let log = Signer::new(ORIGIN, 1);
    let text = checkpoint(&[leaf_hash(b"one"), leaf_hash(b"two")]).text();
    let note = Note::build(&text, &[log.line(&text)]).unwrap();
    let hash = leaf_hash(b"two");
    #[rustfmt::skip]
    let table = [
        ("nothing", String::new(), AddCheckpointError::Shape),
        ("no checkpoint", "old 0\n\n".to_owned(), AddCheckpointError::Note(NoteError::NoSignatures)),
        ("no empty line", format!("old 0\n{hash}"), AddCheckpointError::Shape),
        ("no old size", format!("{hash}\n\n{note}"), AddCheckpointError::Shape),
        ("capitals", format!("OLD 0\n\n{note}"), AddCheckpointError::Shape),
        ("a leading zero", format!("old 01\n{hash}\n\n{note}"), AddCheckpointError::OldSize),
        ("a sign", format!("old +1\n{hash}\n\n{note}"), AddCheckpointError::OldSize),
        ("a carriage return", format!("old 1\r\n{hash}\n\n{note}"), AddCheckpointError::OldSize),
        ("no hash", format!("old 1\n{hash}\nhash\n\n{note}"), AddCheckpointError::Hash { line: 2 }),
        ("64 hashes", format!("old 1\n{}\n{note}", format!("{hash}\n").repeat(64)), AddCheckpointError::TooManyHashes),
    ];
    for (story, body, error) in table {
        assert_eq!(AddCheckpoint::parse(&body), Err(error), "{story}");
    }
    let most = format!("old 1\n{}\n{note}", format!("{hash}\n").repeat(63));
    assert_eq!(AddCheckpoint::parse(&most).unwrap().proof.len(), 63);
}

/// A file with three witnesses and these further lines.
fn file(lines: &str) -> String {
    let keys = [1, 2, 3].map(|seed| Cosigner::new(&format!("w{seed}.example"), seed).0.vkey);
    let log = Signer::new(ORIGIN, 9).vkey;
    format!(
        "# who is trusted\nlog {log} https://ledger.example\n\n witness\tw1  {} http://w1.example/ \nwitness w2 {}\nwitness w3 {}\n{lines}",
        keys[0], keys[1], keys[2]
    )
}

#[test]
fn who_makes_a_quorum() {
    let keys = [1, 2, 3].map(|seed| Cosigner::new(&format!("w{seed}.example"), seed).0.vkey);
    // Per set of witnesses that cosigned: none, 1, 2, 1+2, 3, 1+3, 2+3, all.
    #[rustfmt::skip]
    let table = [
        ("quorum none\n", [true; 8]),
        ("quorum w2", [false, false, true, true, false, false, true, true]),
        ("group g all w1 w2 w3\nquorum g\n", [false, false, false, false, false, false, false, true]),
        ("group g any w1 w3\nquorum g\n", [false, true, false, true, true, true, true, true]),
        ("group g 2 w1 w2 w3\nquorum g\n", [false, false, false, true, false, true, true, true]),
        ("group pair any w1 w2\ngroup g all pair w3\nquorum g\n", [false, false, false, false, false, true, true, true]),
        ("group unused all w1 w2 w3\nquorum w1\n", [false, true, false, true, false, true, false, true]),
    ];
    for (lines, expected) in table {
        let policy = TrustPolicy::parse(&file(lines)).unwrap();
        assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 3));
        assert_eq!(
            policy.witnesses()[0].url.as_deref(),
            Some("http://w1.example/")
        );
        for (set, expected) in expected.into_iter().enumerate() {
            let cosigned: Vec<_> = keys
                .iter()
                .enumerate()
                .filter(|(at, _)| set & (1 << at) != 0)
                .map(|(_, key)| key)
                .collect();
            assert_eq!(
                policy.is_satisfied_by(&cosigned),
                expected,
                "{lines}: {set:03b}"
            );
        }
    }
}

#[test]
fn policy_files_that_are_refused() {
    use TrustPolicyError as E;
    let (log, witness) = (Signer::new("l", 5).vkey, Cosigner::new("w", 6).0.vkey);
    let again = Cosigner::new("other.example", 1).0.vkey;
    #[rustfmt::skip]
    let table = [
        ("no quorum", String::new(), E::Quorum),
        ("two quorums", "quorum w1\nquorum w1".to_owned(), E::Quorum),
        ("an unknown line", "wittness w1".to_owned(), E::Shape { line: 7 }),
        ("too many words", "quorum w1 w2".to_owned(), E::Shape { line: 7 }),
        ("a group of nobody", "group g any".to_owned(), E::Shape { line: 7 }),
        ("not a key", "witness w9 key".to_owned(), E::Key { line: 7, why: VerifierKeyError::Shape }),
        ("a log's key for a witness", format!("witness w9 {log}"), E::KeyType { line: 7 }),
        ("a witness's key for a log", format!("log {witness}"), E::KeyType { line: 7 }),
        ("a key twice, under another name", format!("witness w9 {again}"), E::DuplicateKey { line: 7 }),
        ("a log twice", format!("log {}", Signer::new("other.example", 9).vkey), E::DuplicateKey { line: 7 }),
        ("a name twice", format!("witness w1 {witness}"), E::DuplicateName { line: 7 }),
        ("a group with a witness's name", "group w1 any w2".to_owned(), E::DuplicateName { line: 7 }),
        ("a witness called none", format!("witness none {witness}"), E::DuplicateName { line: 7 }),
        ("a member to come", "group g any h\ngroup h any w1".to_owned(), E::UnknownName { line: 7 }),
        ("none as a member", "group g any none".to_owned(), E::UnknownName { line: 7 }),
        ("a quorum of nobody", "quorum w9".to_owned(), E::UnknownName { line: 7 }),
        ("a member twice", "group g any w1 w1".to_owned(), E::MemberTwice { line: 7 }),
        ("a member of two", "group g any w1\ngroup h any w1".to_owned(), E::MemberTwice { line: 8 }),
        ("a threshold of 0", "group g 0 w1".to_owned(), E::Threshold { line: 7 }),
        ("a threshold above all", "group g 2 w1".to_owned(), E::Threshold { line: 7 }),
        ("a threshold in words", "group g most w1".to_owned(), E::Threshold { line: 7 }),
        ("a carriage return", "quorum w1\r\n".to_owned(), E::ControlCharacter { line: 7 }),
        ("too many groups", (0..65).map(|n| format!("group g{n} any {}\n", if n == 0 { "w1".to_owned() } else { format!("g{}", n - 1) })).collect(), E::TooMany),
        ("endless", "#".repeat(256 * 1024), E::TooLong),
    ];
    for (story, lines, error) in table {
        assert_eq!(TrustPolicy::parse(&file(&lines)), Err(error), "{story}");
    }
}

fn hashes() -> impl Strategy<Value = Vec<Hash>> {
    prop::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..=63)
}

proptest! {
    #![proptest_config(seeded(256, 0x6d1c_24f0))]

    #[test]
    fn requests_are_read_back_as_written(old in any::<u64>(), proof in hashes(), time in any::<u64>()) {
        let text = checkpoint(&[leaf_hash(b"one")]).text();
        let witness = Cosigner::new("witness.example", 2);
        let lines = [Signer::new(ORIGIN, 1).line(&text), witness.line(&text, time)];
        let request = AddCheckpoint { old, proof, checkpoint: Note::build(&text, &lines).unwrap() };
        prop_assert_eq!(AddCheckpoint::parse(&request.text()), Ok(request.clone()));
        let key = &witness.0.vkey;
        prop_assert_eq!(cosigned(&request.checkpoint, std::slice::from_ref(key)), Ok(vec![Cosigned { key, time }]));
    }

    #[test]
    fn nothing_that_can_be_sent_panics(body in ".{0,200}", lines in prop::collection::vec("(old|log|witness|group|quorum)? ?[a-z0-9 +=/]{0,40}", 0..8)) {
        let text = lines.join("\n");
        for text in [&body, &text] {
            let _ = (AddCheckpoint::parse(text), TrustPolicy::parse(text), Checkpoint::parse_foreign(text));
        }
    }

    /// A larger set of cosigners never loses a quorum.
    #[test]
    fn more_witnesses_never_hurt(first in 1..=3usize, set in 0..8usize, more in 0..8usize) {
        let keys = [1, 2, 3].map(|seed| Cosigner::new(&format!("w{seed}.example"), seed).0.vkey);
        let policy = TrustPolicy::parse(&file(&format!("group g {first} w1 w2 w3\nquorum g\n"))).unwrap();
        let chosen = |set: usize| keys.iter().enumerate().filter(move |(at, _)| set & (1 << at) != 0).map(|(_, key)| key).collect::<Vec<_>>();
        prop_assert_eq!(policy.is_satisfied_by(&chosen(set)), set.count_ones() as usize >= first);
        prop_assert!(!policy.is_satisfied_by(&chosen(set)) || policy.is_satisfied_by(&chosen(set | more)));
    }
}
