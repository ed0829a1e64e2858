//! What each reader of a stranger's bytes promises for every input, as functions that panic when a promise is broken.
//! libFuzzer looks for inputs (README.md), and `tests/corpus.rs` plays again what was found.

#[path = "evidence.rs"]
mod evidence;

pub use evidence::*;

use probity_governance::engine::{Beside, PolicySet, decide};
use probity_governance::state::InForce;
use probity_schemas::body::Body;
use probity_schemas::bundle::{BundleManifest, Member};
use probity_schemas::canonical::{self, CanonicalFault};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::disclosure::{Disclosure, digests, reveal, withhold};
use probity_schemas::event::Event;
use probity_schemas::event::decision::Facts;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::limits::FOREIGN_JSON_BYTES_MAX;
use probity_schemas::note::Note;
use probity_schemas::policy::Policy;
use probity_schemas::proof::TlogProof;
use probity_schemas::record::Record;
use probity_schemas::vkey::VerifierKey;
use probity_verifier::{Authorities, Bundle, Options, Witnesses};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::str;

/// A promise, and the name of its corpus.
pub type Promise = (&'static str, fn(&[u8]));

/// All of them.
pub const PROMISES: &[Promise] = &[
    ("actor_key", actor_key),
    ("answer", answer),
    ("bundle", bundle),
    ("canonical", canonical),
    ("checkpoint", checkpoint),
    ("consistency", consistency),
    ("cosignature", cosignature),
    ("disclosure", disclosure),
    ("manifest", manifest),
    ("note", note),
    ("part", part),
    ("policy", policy),
    ("proof", proof),
    ("receipt", receipt),
    ("record", record),
    ("report", report),
    ("request", request),
    ("tile", tile),
    ("trust", trust),
    ("vkey", vkey),
];

/// Canonical text is a fixed point: writer and reader agree on which text that is.
pub fn canonical(data: &[u8]) {
    if let Ok(text) = canonical::canonicalize(data) {
        assert_eq!(canonical::check(text.as_bytes()), Ok(()));
        assert_eq!(canonical::canonicalize(text.as_bytes()).as_ref(), Ok(&text));
    }
    if canonical::check(data).is_ok() && data.len() <= FOREIGN_JSON_BYTES_MAX {
        // That a fraction is the shortest is the writer's duty: the reader takes more digits than a double keeps.
        let fault = canonical::canonicalize(data).err().map(|error| error.fault);
        assert!(matches!(fault, None | Some(CanonicalFault::NumberInexact)));
    }
}

/// A disclosure has one digest and is no other's; and what is taken out of a body leaves its digest there.
pub fn disclosure(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(disclosure) = Disclosure::parse(text)
    {
        assert_eq!(disclosure.as_str(), text);
        assert_eq!(
            canonical::check(disclosure.value().as_str().as_bytes()),
            Ok(())
        );
    }
    let Ok(body) = Body::from_foreign(data) else {
        return;
    };
    let _any = digests(&body);
    if let Ok(withheld) = withhold(&body, &["/a", "/b/0"], &mut |_, _| [7; 32]) {
        let found = digests(&withheld.body);
        assert_eq!(found.len(), 2);
        for one in &withheld.disclosures {
            assert!(found.contains(&(one.digest(), one.place())));
        }
        let all = withheld
            .disclosures
            .iter()
            .map(|one| (one.digest(), one))
            .collect();
        let value = |body: &Body| {
            serde_json::from_str::<serde_json::Value>(body.as_str()).expect("a body is JSON")
        };
        let mut shown = value(&withheld.body);
        reveal(&mut shown, &all);
        assert_eq!(shown, value(&body));
    }
}

/// A record is canonical JSON, its leaf is the hash of its bytes, and its body survives being written again.
pub fn record(data: &[u8]) {
    let Ok(record) = Record::parse(data) else {
        return;
    };
    assert_eq!(canonical::check(data), Ok(()));
    assert_eq!(record.leaf, leaf_hash(data));
    if let Ok(event) = record.event() {
        let written = serde_json::to_string(&event).expect("an event is written");
        let again = Event::parse(&record.envelope.type_name, &written);
        assert_eq!(again.as_ref(), Ok(&event));
    }
}

/// A note that is read is written back to the byte.
pub fn note(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(note) = Note::parse(text)
    {
        assert_eq!(note.to_string(), text);
        assert!(note.verify(&[]).is_err(), "no key, no trust");
    }
}

/// A checkpoint that is read is written back to the byte.
pub fn checkpoint(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(checkpoint) = Checkpoint::parse(text)
    {
        assert_eq!(checkpoint.text(), text);
    }
}

/// A receipt that is read is written back to the byte, and proves nothing without a key.
pub fn proof(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(proof) = TlogProof::parse(text)
    {
        assert_eq!(proof.text(), text);
        assert!(proof.verify(&Hash::EMPTY, &[]).is_err());
    }
}

/// A verifier key has one spelling.
pub fn vkey(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(key) = text.parse::<VerifierKey>()
    {
        assert_eq!(key.to_string(), text);
    }
}

/// The first line a policy, the second facts: deciding ends, and comes to the same twice.
pub fn policy(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (first, second) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let Ok(policy) = serde_json::from_slice::<Policy>(first) else {
        return;
    };
    let Ok(facts) = serde_json::from_slice::<Facts>(second) else {
        return;
    };
    let subject = format!("policy/{}", policy.id);
    let in_force = BTreeMap::from([(
        subject,
        InForce {
            leaf: Hash::EMPTY,
            policy,
        },
    )]);
    let policies = PolicySet::of(&in_force);
    let (once, twice) = (
        decide(&policies, &facts, Beside::Nothing),
        decide(&policies, &facts, Beside::Nothing),
    );
    assert_eq!(format!("{once:?}"), format!("{twice:?}"));
}

/// A manifest survives being written again; no name of a member leads out of a bundle.
pub fn manifest(data: &[u8]) {
    if let Ok(manifest) = BundleManifest::parse(data) {
        let written = manifest.to_json().expect("a manifest is written");
        assert_eq!(
            BundleManifest::parse(written.as_bytes()).as_ref(),
            Ok(&manifest)
        );
    }
    if let Ok(path) = str::from_utf8(data)
        && let Ok(member) = Member::parse(path)
    {
        assert_eq!(member.to_string(), path);
        assert!(
            !path.starts_with('/') && path.split('/').all(|part| part != ".."),
            "{path}"
        );
    }
}

/// An archive is judged to an end, and without a trusted key it never holds.
pub fn bundle(data: &[u8]) {
    let options = Options {
        actor_keys: Vec::new(),
        compromised: Vec::new(),
        keys: Vec::new(),
        since: None,
        witnesses: Witnesses::default(),
        adjudicate: true,
        authorities: Authorities::default(),
        partial: true,
        chronicle: true,
    };
    let archive = Bundle::from_tar(Cursor::new(data.to_vec()));
    let report = probity_verifier::judge(archive, &options, &());
    assert_ne!(report.exit, 0, "{report}");
    assert!(report.to_json().is_ok());
    assert!(!report.to_html().contains("<script"));
}
