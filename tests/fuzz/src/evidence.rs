//! Promises about what goes with records: proofs and parts, witnesses and whom an auditor trusts, tiles, signatures of actors.

use probity_schemas::actor_key::ActorKey;
use probity_schemas::add_checkpoint::AddCheckpoint;
use probity_schemas::canonical;
use probity_schemas::cosignature::{Cosignature, cosigned};
use probity_schemas::envelope::signature_text;
use probity_schemas::event::key::{AnswerSignature, ReportProof};
use probity_schemas::hash::Hash;
use probity_schemas::limits::{
    PROOF_HASHES_MAX, TRUST_LOGS_MAX, TRUST_POLICY_BYTES_MAX, TRUST_WITNESSES_MAX,
};
use probity_schemas::note::{Note, signature_line};
use probity_schemas::partial::ProofLine;
use probity_schemas::signature::{Answer, ApprovalStatement, is_signed};
use probity_schemas::tile::TilePath;
use probity_schemas::time::Time;
use probity_schemas::trust::TrustPolicy;
use probity_schemas::vkey::VerifierKey;
use probity_verifier::{judge_consistency, judge_receipt};
use std::str;

/// The key of the golden log, its lines, its checkpoint over all six, and one over the first three.
const LOG: &str = "ledger.example/acme+ef1a1e39+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
const RECORDS: &str = include_str!("../../../schemas/vectors/bundle/records.jsonl");
const NEWER: &str = include_str!("../../../schemas/vectors/bundle/checkpoint");
const OLDER: &str = "ledger.example/acme\n3\n0ASNeZGcqQbL8Q5xmQTTGPXT8q5iMd5J3QkA3bFrvsg=\n\n\u{2014} ledger.example/acme \
    7xoeOaRyGwITsWmS2r04QGvgtHSErAke0p/LclfHKY1fqJYKXHeRHZ+IOFbg32LLLJxbvr7becUwk304akqv5+KcRw8=\n";

/// The one proof that the six begin with the three.
const PROOF: &str = "G/03bxxKByX6wM3uWWuO6viSljnQeekey4GTNWTy0zQ=\nA3vCCzVJaI5P5C5UWdrxsT4s3rrzTALrbhGZBOSkfls=\n\
    ckl/ULvRbmD3jtR77Gj2dNH4xCnbQu7WHRISXpOQAzE=\nqQv5rXwk/2Q646A2UetYdmbfLtX2KdhI5GiIkKZxcdE=\n";

/// A witness that the reader trusts.
const WITNESS: &str = "witness.example+3176bd45+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";

fn key(text: &str) -> VerifierKey {
    text.parse().expect("a verifier key")
}

/// A line of a part's proofs is written back to the byte.
pub fn part(data: &[u8]) {
    let written = match ProofLine::parse(data) {
        Ok(ProofLine::Record(proof)) => serde_json::to_vec(&proof),
        Ok(ProofLine::Run(proof)) => serde_json::to_vec(&proof),
        Ok(ProofLine::Handover(proof)) => serde_json::to_vec(&proof),
        Err(_) => return,
    };
    assert_eq!(written.expect("a proof is written"), data);
}

/// Between two checkpoints there is one consistency proof.
pub fn consistency(data: &[u8]) {
    let report = judge_consistency(OLDER.as_bytes(), NEWER.as_bytes(), data, &[key(LOG)], &[]);
    let proof = data.strip_suffix(b"\n").unwrap_or(data);
    let is_proof = proof == PROOF.trim_end().as_bytes();
    assert_eq!(report.exit == 0, is_proof, "{report}");
    assert!(report.to_json().is_ok());
}

/// A receipt shows at most one line, and nothing without a key.
pub fn receipt(data: &[u8]) {
    let keys = [key(LOG)];
    let shows = |line: &&str| judge_receipt(data, line.as_bytes(), &keys, &[]).exit == 0;
    let shown: Vec<&str> = RECORDS.lines().skip(1).take(3).filter(shows).collect();
    assert!(shown.len() <= 1);
    for line in shown {
        assert_ne!(judge_receipt(data, line.as_bytes(), &[], &[]).exit, 0);
    }
}

/// A request to a witness is written back to the byte, and has no more hashes than a proof.
pub fn request(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(request) = AddCheckpoint::parse(text)
    {
        assert_eq!(request.text(), text);
        assert!(request.proof.len() <= PROOF_HASHES_MAX);
    }
}

/// A cosignature is written back to the byte, and is over one text only.
pub fn cosignature(data: &[u8]) {
    if let Some(read) = Cosignature::parse(data) {
        assert_eq!(read.bytes(), data);
    }
    let keys = [key(WITNESS)];
    let Ok(Ok(note)) = str::from_utf8(data).map(Note::parse) else {
        return;
    };
    let Ok(given) = cosigned(&note, &keys) else {
        return;
    };
    assert!(given.len() <= note.signatures().len());
    let lines: Vec<String> = note
        .signatures()
        .iter()
        .map(|one| signature_line(&one.name, one.key_id, &one.signature))
        .collect();
    let other = Note::build(&format!("more\n{}", note.text()), &lines);
    let moved = other.map(|other| cosigned(&other, &keys).is_ok_and(|given| !given.is_empty()));
    assert_ne!(moved, Ok(true), "over another text too");
}

/// A policy file stays within its limits; all its witnesses together are enough, and none of them only where none is asked for.
pub fn trust(data: &[u8]) {
    let Ok(Ok(policy)) = str::from_utf8(data).map(TrustPolicy::parse) else {
        return;
    };
    assert!(data.len() <= TRUST_POLICY_BYTES_MAX);
    assert!(policy.logs().len() <= TRUST_LOGS_MAX);
    assert!(policy.witnesses().len() <= TRUST_WITNESSES_MAX);
    let all: Vec<_> = policy.witnesses().iter().map(|one| &one.key).collect();
    assert!(policy.is_satisfied_by(&all));
    assert_eq!(policy.is_satisfied_by(&[]), policy.quorum().is_none());
}

/// A tile has one name, and a log that has it has it for ever.
pub fn tile(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(path) = text.parse::<TilePath>()
    {
        assert_eq!(path.to_string(), text);
        assert!(!path.is_within(0));
        let sizes = (0..64).map(|bits| 1_u64 << bits);
        let there: Vec<bool> = sizes.map(|size| path.is_within(size)).collect();
        assert!(there.is_sorted());
    }
}

/// A key of an actor has one spelling, and an id that follows from it.
pub fn actor_key(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(key) = text.parse::<ActorKey>()
    {
        assert_eq!(key.to_string(), text);
        assert_eq!(key.id().len(), 64);
    }
}

/// The first line a key, the second a signature as a record keeps it: it is canonical when written, and is for one answer only.
pub fn answer(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (first, second) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(signature) = serde_json::from_str::<AnswerSignature>(second) else {
        return;
    };
    let written = serde_json::to_string(&signature).expect("a signature is written");
    assert_eq!(canonical::check(written.as_bytes()), Ok(()));
    let Ok(key) = first.parse::<ActorKey>() else {
        return;
    };
    let statement = ApprovalStatement {
        action: Answer::Approve,
        decision: Hash::EMPTY,
        expires: Time::parse("2026-11-23T03:00:00.000000Z").expect("a time"),
        log: "00112233445566778899aabbccddeeff",
        origin: "ledger.example/acme",
    };
    let denial = ApprovalStatement {
        action: Answer::Deny,
        ..statement
    };
    let is_both = [statement, denial]
        .iter()
        .all(|one| is_signed(&key, &one.message(), &signature.sig));
    assert!(!is_both, "one signature, two answers");
}

/// A producer's signature as a record keeps it: it is for one report only, and has one spelling.
pub fn report(data: &[u8]) {
    let Ok(proof) = serde_json::from_slice::<ReportProof>(data) else {
        return;
    };
    if let Some(text) = signature_text(&proof.sig) {
        assert_eq!(signature_text(&text).as_ref(), Some(&text));
    }
    let later = ReportProof {
        issued_at: format!("{}0", proof.issued_at),
        ..proof.clone()
    };
    assert!(
        proof.verify().is_err() || later.verify().is_err(),
        "one signature, two reports"
    );
}
