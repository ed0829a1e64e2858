//! Parts of a log: a whole case shows that it is whole, and what was taken from it, or slipped in, is named.

use crate::cut::{Part, asked, sealed, shown};
use crate::files::{Files, broken, judge_tar, with_key};
use crate::sealer::values;
use crate::story::{ANN, ask, furnished, resolve, signer};
use probity_schemas::event::seal::SubjectsSealed;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_verifier::{CheckName, CheckResult};
use serde_json::json;

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
    let table: [(&str, &str, Forge); 19] = [
        ("a record dropped", "cases.missing", |part, case| {
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
        ("the newest run left out", "cases.run", |part, _| {
            part.runs.remove(0);
        }),
        ("the run that holds it left out", "cases.run", |part, _| {
            part.runs.pop();
        }),
        ("runs exchanged", "cases.run", |part, _| {
            part.runs.swap(0, 1)
        }),
        ("a run twice", "cases.proof", |part, _| {
            let last = part.runs.last().unwrap().clone();
            part.runs.push(last);
        }),
        ("a neighbour left out", "cases.proof", |part, _| {
            part.runs[0]["entries"].as_array_mut().unwrap().pop();
        }),
        ("a record's proof at the end", "tree.order", |part, _| {
            let last = part.records.pop().unwrap();
            part.runs.push(last);
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

/// A trace need not have all records of a subject.
#[test]
fn a_record_left_out_where_nothing_is_shown_is_told() {
    let (log, case) = sealed();
    let mut part = Part::of(&log, &case);
    part.runs.clear();
    let second = part.nth(&case, 1);
    part.drop_line(second);
    let report = part.judge();
    assert_eq!(
        (report.exit, report.result(CheckName::Subjects)),
        (0, CheckResult::NotMade),
        "{report}"
    );
    let complete = report
        .subjects
        .iter()
        .any(|one| one.complete_as_of.is_some());
    assert!(!complete, "{report}");
}

/// Whoever holds the log's key can seal an older record of a case as its newest; a newer one in the part contradicts it.
#[test]
fn a_seal_that_passes_over_the_newest_record_is_named() {
    let mut log = furnished();
    ask(&mut log, "lookup", "run-0");
    let case = format!("decision/{}", ask(&mut log, "refund", "run-case"));
    let mut before = log.clone();
    resolve(&mut log, ANN, case[9..].parse().unwrap(), true);
    let sealed = SubjectsSealed {
        size: log.lines.len() as u64,
        ..before.sealed()
    };
    log.append("log/test", "system", sealed);
    before.lines.push(log.lines[log.lines.len() - 1].clone());
    let seal = values(&before.lines).pop().unwrap();
    before.lines.pop();
    let mut part = Part::of(&log, &case);
    part.runs = shown(&before, &seal, log.lines.len() - 1, &case);
    let report = part.judge();
    assert_eq!(
        (report.exit, broken(&report).0),
        (1, "cases.newer"),
        "{report}"
    );
}

/// The specimen that FORMAT.md names is judged as every other.
#[test]
fn the_golden_part_holds() {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/vectors/");
    let mut files = Files::default();
    for name in ["bundle.json", "checkpoint", "proofs.jsonl", "records.jsonl"] {
        files.put(
            name,
            std::fs::read(format!("{vectors}part/{name}")).unwrap(),
        );
    }
    let report = files.judge(&asked());
    assert_eq!(report.exit, 0, "{report}");
    let case = &report.subjects[0];
    assert_eq!(
        (case.subject.as_str(), case.records, case.complete_as_of),
        ("deploy/42", 4, Some(12))
    );
}
