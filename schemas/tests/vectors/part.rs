//! A part of a small log, written as a bundle: the records of one subject, and the proofs that they are all there as of a seal, by
//! its entry in an older run and by its two neighbours in the newer one.

use probity_schemas::bundle::{BundleFilter, BundleManifest, FORMAT};
use probity_schemas::canonical::canonicalize;
use probity_schemas::event::seal::SealedRun;
use probity_schemas::hash::{Hash, leaf_hash, sha256};
use probity_schemas::note::Note;
use probity_schemas::partial::{ProofLine, ProvedEntry, RecordProof, RunProof};
use probity_schemas::record::{Envelope, Record, sequence_text};
use probity_schemas::run::{Step, entry_hash, step};
use probity_schemas::time::Time;
use probity_schemas::tree::{inclusion_plan, root_of, verify_inclusion};
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use crate::golden;
use crate::signer::{ORIGIN, Signer, checkpoint};

const LOG: &str = "log/000102030405060708090a0b0c0d0e0f";
/// The subject of the part.
const CASE: &str = "deploy/42";

/// A log being written.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    runs: Vec<SealedRun>,
    sealed: u64,
}

/// Subject, revision and leaf of a record.
type Entry = (String, u64, Hash);

impl Log {
    fn append(&mut self, kind: &str, subject: &str, body: &serde_json::Value) {
        let at = self.lines.len();
        let before = self.entries(0, at).into_iter();
        let before = before
            .filter(|(name, ..)| name == subject)
            .map(|(_, revision, leaf)| (revision + 1, leaf))
            .next();
        let data = canonicalize(body.to_string().as_bytes()).unwrap();
        let envelope = Envelope {
            actor: "system".into(),
            causationid: None,
            correlationid: None,
            data: RawValue::from_string(data).unwrap(),
            id: format!("019b76da-{:04x}-7000-8000-{at:012x}", 0xa800 + 1000 * at).into(),
            previous: self.leaves().last().copied().unwrap_or(Hash::EMPTY),
            revision: before.map_or(0, |(next, _)| next).to_string().into(),
            sequence: sequence_text(at as u64).into(),
            source: ORIGIN.into(),
            specversion: "1.0".into(),
            subject: subject.into(),
            subjectprevious: before.map(|(_, leaf)| leaf),
            surface: "v1".into(),
            time: Time::from_micros(1_767_225_600_000_000 + 1_000_000 * at as i64),
            traceparent: None,
            type_name: kind.into(),
            workspace: None,
        };
        let line = String::from_utf8(envelope.to_line().unwrap()).unwrap();
        assert!(Record::parse(line.as_bytes()).unwrap().event().is_ok());
        self.lines.push(line);
    }

    fn observe(&mut self, subject: &str, kind: &str) {
        let body = json!({ "body": null, "kind": kind });
        self.append("observation.recorded.v1", subject, &body);
    }

    /// Seals everything so far. No part shows the register that a `state.sealed` speaks of: its digest is of any bytes.
    fn seal(&mut self) {
        let size = self.lines.len() as u64;
        let Step {
            kept,
            first,
            length,
        } = step(&self.runs, self.sealed);
        self.runs.truncate(kept);
        let hashes = run_hashes(&self.entries(first as usize, size as usize));
        self.runs.push(SealedRun {
            count: hashes.len() as u64,
            first,
            length,
            root: root_of(hashes.iter().copied()),
        });
        self.sealed = size;
        let digest = sha256(&[b"a register"]);
        self.append(
            "state.sealed.v1",
            LOG,
            &json!({ "digest": digest, "size": size }),
        );
        let sealed = json!({ "runs": self.runs, "size": size });
        self.append("subjects.sealed.v1", LOG, &sealed);
    }

    /// The newest record of each subject among some records, sorted.
    fn entries(&self, first: usize, end: usize) -> Vec<Entry> {
        let mut newest = BTreeMap::new();
        for line in &self.lines[first..end] {
            let record = Record::parse(line.as_bytes()).unwrap();
            let subject = record.envelope.subject.into_owned();
            newest.insert(subject, (record.revision, record.leaf));
        }
        let entries = newest.into_iter();
        entries
            .map(|(subject, (at, leaf))| (subject, at, leaf))
            .collect()
    }

    fn leaves(&self) -> Vec<Hash> {
        let leaf = |line: &String| leaf_hash(line.as_bytes());
        self.lines.iter().map(leaf).collect()
    }

    /// What the runs of the seal at `seal` show of a subject.
    fn shown(&self, seal: u64, subject: &str) -> Vec<RunProof> {
        let (mut proofs, mut end) = (Vec::new(), self.sealed as usize);
        for (run, stated) in self.runs.iter().enumerate().rev() {
            let first = stated.first as usize;
            let entries = self.entries(first, end);
            end = first;
            let hashes = run_hashes(&entries);
            let own = entries.iter().position(|(name, ..)| name == subject);
            let after = entries
                .iter()
                .position(|(name, ..)| name.as_str() > subject);
            let places =
                own.map_or_else(|| vec![after.unwrap() - 1, after.unwrap()], |at| vec![at]);
            let entries = places.into_iter().map(|at| ProvedEntry {
                index: at as u64,
                leaf: entries[at].2,
                path: path(at as u64, &hashes, &stated.root),
                revision: entries[at].1,
                subject: entries[at].0.clone(),
            });
            proofs.push(RunProof {
                count: stated.count,
                entries: entries.collect(),
                root: stated.root,
                run: run as u64,
                seal,
                subject: subject.to_owned(),
            });
            if own.is_some() {
                return proofs;
            }
        }
        panic!("{subject} is in no run");
    }
}

fn run_hashes(entries: &[Entry]) -> Vec<Hash> {
    let hash = |(subject, revision, leaf): &Entry| entry_hash(subject, *revision, leaf);
    entries.iter().map(hash).collect()
}

fn path(index: u64, leaves: &[Hash], root: &Hash) -> Vec<Hash> {
    let size = leaves.len() as u64;
    let plan = inclusion_plan(index, size).unwrap();
    let path = plan.assemble(|node| {
        let first = (node.index << node.level) as usize;
        Some(root_of(
            leaves[first..first + (1 << node.level)].iter().copied(),
        ))
    });
    let path = path.unwrap();
    verify_inclusion(index, size, &leaves[index as usize], &path, root).unwrap();
    path
}

fn log() -> Log {
    let mut log = Log::default();
    let opened = json!({ "engine": 1, "format": 1, "log_id": LOG[4..], "origin": ORIGIN,
        "signer": Signer::new(ORIGIN, 1).vkey.to_string(), "tenant": "acme" });
    log.append("log.opened.v1", LOG, &opened);
    log.observe("audit/1", "audit.begun");
    log.observe(CASE, "deploy.started");
    log.observe(CASE, "deploy.checked");
    log.seal();
    log.observe(CASE, "deploy.finished");
    log.observe("ticket/9", "ticket.opened");
    log.seal();
    log.observe("audit/1", "audit.ended");
    log.observe("ticket/9", "ticket.closed");
    log.seal();
    log.observe(CASE, "deploy.rated");
    log
}

#[test]
fn the_bundle_of_a_part_is_fresh() {
    let log = log();
    let seal = log.sealed + 1;
    let leaves = log.leaves();
    let signed = checkpoint(&leaves);
    let wanted: Vec<usize> = (0..leaves.len())
        .filter(|at| *at as u64 == seal || log.lines[*at].contains(&format!("\"{CASE}\"")))
        .collect();
    let records = wanted.iter().map(|at| RecordProof {
        leaf: leaves[*at],
        path: path(*at as u64, &leaves, &signed.root),
        sequence: *at as u64,
    });
    let mut proofs: Vec<String> = records.map(|one| json!(one).to_string()).collect();
    let shown = log.shown(seal, CASE);
    assert_eq!(
        shown.len(),
        2,
        "absent from the newer run, held by the older"
    );
    proofs.extend(shown.iter().map(|one| json!(one).to_string()));
    for proof in &proofs {
        ProofLine::parse(proof.as_bytes()).unwrap();
    }
    let manifest = BundleManifest {
        count: wanted.len() as u64,
        filter: Some(BundleFilter {
            subject: Some(CASE.to_owned()),
            ..BundleFilter::default()
        }),
        first: wanted[0] as u64,
        format: FORMAT,
        origin: ORIGIN.to_owned(),
        tool: "golden vectors".to_owned(),
    };
    let signature = Signer::new(ORIGIN, 1).line(&signed.text());
    let note = Note::build(&signed.text(), &[signature]).unwrap();
    let lines: Vec<&str> = wanted.iter().map(|at| log.lines[*at].as_str()).collect();
    golden("part/bundle.json", &manifest.to_json().unwrap());
    golden("part/checkpoint", &note.to_string());
    golden("part/proofs.jsonl", &(proofs.join("\n") + "\n"));
    golden("part/records.jsonl", &(lines.join("\n") + "\n"));
}
