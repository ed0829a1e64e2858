//! Parts cut out of logs, with proofs written as the RFC writes them, to be tampered with before they become bundles.

use crate::files::{Files, judge_tar, with_key};
use crate::sealer::{Log, values};
use crate::story::{ANN, ask, furnished, observation, outcome, resolve, signer};
use probity_governance::command::Operation;
use probity_schemas::bundle::{BundleFilter, BundleManifest};
use probity_schemas::hash::{Hash, leaf_hash, node_hash};
use probity_verifier::{Options, Report};
use serde_json::{Value, json};

/// PATH of RFC 6962, written as the RFC writes it.
pub(crate) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) = if index < left.len() {
        (path(index, left), right)
    } else {
        (path(index - left.len(), right), left)
    };
    path.push(root(sibling));
    path
}

fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::EMPTY,
        [one] => *one,
        more => {
            let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

/// A part of a log, to be tampered with before it becomes a bundle.
#[derive(Clone)]
pub(crate) struct Part {
    log: Log,
    pub(crate) lines: Vec<Vec<u8>>,
    /// One a line.
    pub(crate) records: Vec<Value>,
    /// What is shown of the subject.
    pub(crate) runs: Vec<Value>,
}

/// The part of a log that holds a subject, and what is said of the signer's keys.
pub(crate) fn with_signers(log: &Log, subject: &str) -> Files {
    let mut files = Part::of_signers(log, subject).bundle();
    for (size, note) in &log.older {
        files.put(&format!("checkpoints/{size}"), note.as_str());
    }
    files
}

/// A case that was answered and finished, then much else, seven seals in all; and the case's subject.
pub(crate) fn sealed() -> (Log, String) {
    let mut log = furnished();
    let mut case = String::new();
    for number in 0..7 {
        log.run(ANN, Operation::Observe(vec![observation(number)]));
        if number == 1 {
            let decision = ask(&mut log, "refund", "run-case");
            case = format!("decision/{decision}");
            resolve(&mut log, ANN, decision, true);
            outcome(&mut log, "run-case");
        }
        ask(&mut log, "lookup", &format!("run-{number}"));
        log.seal();
    }
    (log, case)
}

fn leaves(lines: &[Vec<u8>]) -> Vec<Hash> {
    lines.iter().map(|line| leaf_hash(line)).collect()
}

impl Part {
    /// The records of a subject, with policies and newest seal.
    pub(crate) fn of(log: &Log, subject: &str) -> Self {
        Self::with(log, subject, &[])
    }

    /// And these records.
    pub(crate) fn with(log: &Log, subject: &str, others: &[usize]) -> Self {
        let all = values(&log.lines);
        let seal = all.len() - 1;
        let wanted: Vec<usize> = (0..all.len())
            .filter(|at| {
                let name = all[*at]["subject"].as_str().unwrap();
                name == subject || name.starts_with("policy/") || *at == seal || others.contains(at)
            })
            .collect();
        let tree = leaves(&log.lines);
        let proof = |at: &usize| json!({"leaf": tree[*at].to_string(), "path": texts(path(*at, &tree)), "sequence": at});
        Self {
            lines: wanted.iter().map(|at| log.lines[*at].clone()).collect(),
            records: wanted.iter().map(proof).collect(),
            runs: shown(log, &all[seal], seal, subject),
            log: log.clone(),
        }
    }

    /// With what is said of the signer's keys, and nothing of seals.
    fn of_signers(log: &Log, subject: &str) -> Self {
        let all = values(&log.lines);
        let wanted: Vec<usize> = (0..all.len())
            .filter(|at| {
                let name = all[*at]["subject"].as_str().unwrap();
                name == subject || name.starts_with("policy/") || name.starts_with("signer/")
            })
            .collect();
        let tree = leaves(&log.lines);
        let proof = |at: &usize| json!({"leaf": tree[*at].to_string(), "path": texts(path(*at, &tree)), "sequence": at});
        let handover = |(size, _): &(usize, String)| json!({"handover": size - 1, "path": texts(path(size - 1, &tree[..*size]))});
        Self {
            lines: wanted.iter().map(|at| log.lines[*at].clone()).collect(),
            records: wanted.iter().map(proof).collect(),
            runs: log.older.iter().map(handover).collect(),
            log: log.clone(),
        }
    }

    pub(crate) fn bundle(&self) -> Files {
        let manifest = BundleManifest {
            count: self.lines.len() as u64,
            filter: Some(BundleFilter::default()),
            first: 0,
            format: 1,
            origin: signer().origin().to_owned(),
            tool: "test".to_owned(),
        };
        let proofs: Vec<String> = self
            .records
            .iter()
            .chain(&self.runs)
            .map(|proof| proof.to_string() + "\n")
            .collect();
        let mut files = Files::default();
        files.put("bundle.json", manifest.to_json().unwrap());
        files.put("checkpoint", self.log.signer.checkpoint(&self.log.lines));
        files.put("proofs.jsonl", proofs.concat());
        files.put_lines(&self.lines);
        files
    }

    pub(crate) fn judge(&self) -> Report {
        judge_tar(self.bundle().tar(), &asked())
    }

    /// Where the n-th record of the case stands among the lines.
    pub(crate) fn nth(&self, subject: &str, number: usize) -> usize {
        let lines = values(&self.lines);
        let own = (0..lines.len()).filter(|at| lines[*at]["subject"] == subject);
        own.clone().nth(number).unwrap()
    }

    pub(crate) fn drop_line(&mut self, at: usize) {
        self.lines.remove(at);
        self.records.remove(at);
    }
}

fn texts(hashes: Vec<Hash>) -> Vec<String> {
    hashes.iter().map(Hash::to_string).collect()
}

pub(crate) fn asked() -> Options {
    Options {
        partial: true,
        ..with_key(signer().vkey())
    }
}

/// What the runs of a seal show of a subject, from the newest to the one that holds it.
pub(crate) fn shown(log: &Log, seal: &Value, at: usize, subject: &str) -> Vec<Value> {
    let runs = seal["data"]["runs"].as_array().unwrap();
    let mut end = seal["data"]["size"].as_u64().unwrap() as usize;
    let mut proofs = Vec::new();
    for (number, run) in runs.iter().enumerate().rev() {
        let first = run["first"].as_u64().unwrap() as usize;
        let mut part = log.clone();
        part.lines.truncate(end);
        let entries = part.entries(first);
        end = first;
        let tree: Vec<Hash> = entries
            .iter()
            .map(|one| leaf_hash(one.as_bytes()))
            .collect();
        let own = entries
            .iter()
            .position(|one| one.starts_with(&format!("{subject} ")));
        let after = entries
            .iter()
            .position(|one| one.as_str() > subject)
            .unwrap_or(entries.len());
        let places: Vec<usize> = match own {
            Some(place) => vec![place],
            None => (after.saturating_sub(1)..(after + 1).min(entries.len()))
                .filter(|place| after > 0 || *place == 0)
                .collect(),
        };
        let proved: Vec<Value> = places
            .into_iter()
            .map(|place| {
                let words: Vec<&str> = entries[place].split(' ').collect();
                json!({"index": place, "leaf": words[2], "path": texts(path(place, &tree)),
                    "revision": words[1].parse::<u64>().unwrap(), "subject": words[0]})
            })
            .collect();
        proofs.push(
            json!({"count": entries.len(), "entries": proved, "root": root(&tree).to_string(),
            "run": number, "seal": at, "subject": subject}),
        );
        if own.is_some() {
            return proofs;
        }
    }
    panic!("{subject} is in no run");
}
