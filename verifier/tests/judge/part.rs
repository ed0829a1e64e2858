//! Parts of a log: a whole case shows that it is whole, and what was taken from it, or slipped in, is named.

use crate::files::{Files, broken, judge_tar, with_key};
use crate::sealer::{Log, values};
use crate::story::{ANN, ask, furnished, observation, outcome, resolve, signer};
use probity_governance::command::Operation;
use probity_schemas::bundle::{BundleFilter, BundleManifest};
use probity_schemas::hash::{Hash, leaf_hash, node_hash};
use probity_verifier::{CheckName, CheckResult, Options, Report};
use serde_json::{Value, json};

/// PATH of RFC 6962, written as the RFC writes it.
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
struct Part {
    log: Log,
    lines: Vec<Vec<u8>>,
    /// One a line.
    records: Vec<Value>,
    /// What is shown of the subject.
    runs: Vec<Value>,
}

/// A case that was answered and finished, then much else, seven seals in all; and the case's subject.
fn sealed() -> (Log, String) {
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
    fn of(log: &Log, subject: &str) -> Self {
        let all = values(&log.lines);
        let seal = all.len() - 1;
        let wanted: Vec<usize> = (0..all.len())
            .filter(|at| {
                let name = all[*at]["subject"].as_str().unwrap();
                name == subject || name.starts_with("policy/") || *at == seal
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

    fn bundle(&self) -> Files {
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

    fn judge(&self) -> Report {
        judge_tar(self.bundle().tar(), &asked())
    }

    /// Where the n-th record of the case stands among the lines.
    fn nth(&self, subject: &str, number: usize) -> usize {
        let lines = values(&self.lines);
        let own = (0..lines.len()).filter(|at| lines[*at]["subject"] == subject);
        own.clone().nth(number).unwrap()
    }

    fn drop_line(&mut self, at: usize) {
        self.lines.remove(at);
        self.records.remove(at);
    }
}

fn texts(hashes: Vec<Hash>) -> Vec<String> {
    hashes.iter().map(Hash::to_string).collect()
}

fn asked() -> Options {
    Options {
        partial: true,
        ..with_key(signer().vkey())
    }
}

/// What the runs of a seal show of a subject, from the newest to the one that holds it.
fn shown(log: &Log, seal: &Value, at: usize, subject: &str) -> Vec<Value> {
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

#[test]
fn a_whole_case_is_shown_to_be_whole() {
    let (log, case) = sealed();
    let part = Part::of(&log, &case);
    let report = part.judge();
    assert_eq!(report.exit, 0, "{report}");
    let own = report
        .subjects
        .iter()
        .find(|one| one.subject == case)
        .unwrap();
    let sealed = log.lines.len() as u64 - 2;
    assert_eq!(
        (own.records, own.complete_as_of),
        (4, Some(sealed)),
        "{report}"
    );
    let others = report.subjects.iter().filter(|one| one.subject != case);
    assert!(
        others.clone().count() > 1 && others.into_iter().all(|one| one.complete_as_of.is_none())
    );
    for (check, result) in [
        (CheckName::Cases, CheckResult::Holds),
        (CheckName::Adjudication, CheckResult::Holds),
        (CheckName::TreeRoot, CheckResult::Holds),
        (CheckName::Completeness, CheckResult::NotMade),
        (CheckName::Sealed, CheckResult::NotMade),
    ] {
        assert_eq!(report.result(check), result, "{report}");
    }
}

#[test]
fn a_part_is_judged_only_if_the_auditor_says_so() {
    let (log, case) = sealed();
    let files = Part::of(&log, &case).bundle();
    let report = judge_tar(files.tar(), &with_key(signer().vkey()));
    assert_eq!(report.exit, 2, "{report}");
    let whole = judge_tar(log.bundle().tar(), &asked());
    assert_eq!(whole.exit, 0, "{whole}");
    assert_eq!(whole.result(CheckName::Cases), CheckResult::Holds);
}

#[test]
fn without_the_policies_nothing_is_decided_again_and_without_runs_nothing_is_shown() {
    let (log, case) = sealed();
    let mut part = Part::of(&log, &case);
    let policy = values(&part.lines)
        .iter()
        .position(|line| line["subject"].as_str().unwrap().starts_with("policy/"));
    part.drop_line(policy.unwrap());
    part.runs.clear();
    let last = part.nth(&case, 3);
    part.drop_line(last);
    let report = part.judge();
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(report.result(CheckName::Adjudication), CheckResult::NotMade);
    assert_eq!(report.result(CheckName::Cases), CheckResult::NotMade);
    assert!(
        report
            .subjects
            .iter()
            .all(|one| one.complete_as_of.is_none())
    );
}

#[test]
fn what_was_taken_from_a_case_or_forged_is_named() {
    type Forge = fn(&mut Part, &str);
    let table: [(&str, &str, Forge); 13] = [
        ("a record dropped", "subjects.revision", |part, case| {
            let at = part.nth(case, 1);
            part.drop_line(at);
        }),
        ("the tail dropped", "cases.missing", |part, case| {
            let at = part.nth(case, 3);
            part.drop_line(at);
        }),
        ("the head dropped", "cases.missing", |part, case| {
            let at = part.nth(case, 0);
            part.drop_line(at);
        }),
        ("the whole case dropped", "cases.missing", |part, case| {
            for _ in 0..4 {
                let at = part.nth(case, 0);
                part.drop_line(at);
            }
        }),
        ("a line without its proof", "tree.", |part, case| {
            let at = part.nth(case, 3);
            part.records.remove(at);
        }),
        ("a proof without its line", "tree.", |part, case| {
            let at = part.nth(case, 3);
            part.lines.remove(at);
        }),
        ("proofs exchanged", "tree.", |part, case| {
            let at = part.nth(case, 1);
            part.records.swap(at, at + 1);
        }),
        ("paths exchanged", "tree.inclusion", |part, case| {
            let at = part.nth(case, 1);
            let other = part.records[at + 1]["path"].take();
            part.records[at]["path"] = other;
            part.records[at + 1]["path"] = json!([]);
        }),
        ("lines exchanged", "chain.sequence", |part, case| {
            let at = part.nth(case, 1);
            part.lines.swap(at, at + 1);
            part.records.swap(at, at + 1);
        }),
        ("a changed record", "tree.leaf", |part, case| {
            let at = part.nth(case, 2);
            let text = String::from_utf8(part.lines[at].clone()).unwrap();
            part.lines[at] = text.replacen("native", "notive", 1).into_bytes();
        }),
        ("a run of another root", "cases.proof", |part, _| {
            part.runs[0]["root"] = json!(Hash::EMPTY.to_string());
        }),
        ("a run made up", "cases.run", |part, case| {
            let held = part.runs.last().unwrap().clone();
            let entry = &held["entries"][0];
            let text = format!(
                "{case} {} {}",
                entry["revision"],
                entry["leaf"].as_str().unwrap()
            );
            let mut run = held.clone();
            run["count"] = json!(1);
            run["entries"][0]["index"] = json!(0);
            run["entries"][0]["path"] = json!([]);
            run["root"] = json!(leaf_hash(text.as_bytes()).to_string());
            *part.runs.last_mut().unwrap() = run;
        }),
        ("the seal left out", "cases.seal", |part, _| {
            let last = part.lines.len() - 1;
            part.drop_line(last);
        }),
    ];
    let (log, case) = sealed();
    let honest = Part::of(&log, &case);
    for (story, rule, forge) in table {
        let mut part = honest.clone();
        forge(&mut part, &case);
        let report = part.judge();
        assert_eq!(report.exit, 1, "{story}\n{report}");
        let named = report
            .checks
            .iter()
            .filter_map(|check| check.rule.as_deref());
        assert!(
            named.into_iter().any(|named| named.starts_with(rule)),
            "{story}\n{report}"
        );
        assert!(!broken(&report).0.is_empty(), "{story}");
    }
}

#[test]
fn a_run_left_out_shows_nothing() {
    let (log, case) = sealed();
    let mut part = Part::of(&log, &case);
    assert!(part.runs.len() > 1, "the case is in an older run");
    part.runs.remove(0);
    let report = part.judge();
    assert_eq!(
        (report.exit, report.result(CheckName::Cases)),
        (0, CheckResult::NotMade),
        "{report}"
    );
}
