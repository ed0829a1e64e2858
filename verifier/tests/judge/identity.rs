//! One log, its own names, links and versions: what someone who holds the log's key can still not make consistent.

use crate::files::{broken, with_key};
use crate::forgery::{judge_forged, nth};
use crate::sealer::{Log, relink, values};
use crate::story::{ORIGIN, restored, signer, story};
use probity_schemas::hash::Hash;
use probity_verifier::{Authorities, CheckName, CheckResult, Options, Witnesses};
use serde_json::{Value, json};
use uuid::Uuid;

#[test]
fn one_log_and_its_own_names() {
    type Change = fn(&mut Vec<Value>) -> Option<u64>;
    let table: [(&str, &str, Change); 8] = [
        ("another source", "origin.source", |records| {
            records[9]["source"] = json!("ledger.example/other");
            Some(9)
        }),
        ("another tenant", "origin.opening", |records| {
            records[0]["data"]["tenant"] = json!("other");
            Some(0)
        }),
        ("no log id", "origin.opening", |records| {
            records[0]["data"]["log_id"] = json!("");
            Some(0)
        }),
        ("opened twice", "origin.opening", |records| {
            let mut again = records[0].clone();
            for field in ["id", "time"] {
                again[field] = records.last().unwrap()[field].clone();
            }
            let id = Uuid::parse_str(again["id"].as_str().unwrap()).unwrap();
            again["id"] = json!(Uuid::from_u128(id.as_u128() + 1).to_string());
            records.push(again);
            Some(records.len() as u64 - 1)
        }),
        ("never opened", "origin.opening", |records| {
            records.remove(0);
            Some(0)
        }),
        ("time goes back", "time.order", |records| {
            records[9]["time"] = json!("2020-01-01T00:00:00.000000Z");
            Some(9)
        }),
        ("ids do not ascend", "chain.id", |records| {
            records[9]["id"] = records[8]["id"].clone();
            Some(9)
        }),
        ("a body of another type", "schema.body", |records| {
            records[9]["data"] = json!({});
            Some(9)
        }),
    ];
    let honest = values(&story().lines);
    for (what, rule, change) in table {
        let mut records = honest.clone();
        let at = change(&mut records);
        let report = judge_forged(&relink(&records));
        assert_eq!(
            (report.exit, broken(&report)),
            (1, (rule, at)),
            "{what}\n{report}"
        );
    }
}

#[test]
fn a_log_that_names_another_key_than_signed_it() {
    let log = Log::open(&crate::sealer::Signer::new(ORIGIN, 9));
    let report = judge_forged(&log.lines);
    assert_eq!(
        (report.exit, broken(&report)),
        (1, ("origin.signer", None)),
        "{report}"
    );
}

#[test]
fn what_is_newer_than_the_judge_is_not_judged() {
    type Change = fn(&mut Vec<Value>);
    let table: [(&str, CheckName, Change); 4] = [
        ("a type", CheckName::Schema, |records| {
            records[9]["type"] = json!("policy.published.v2")
        }),
        ("the format", CheckName::Format, |records| {
            records[0]["data"]["format"] = json!(2)
        }),
        ("the engine", CheckName::Adjudication, |records| {
            records[0]["data"]["engine"] = json!(2)
        }),
        ("a decision's engine", CheckName::Adjudication, |records| {
            let at = nth(records, "decision.made.v1", 0);
            records[at]["data"]["engine"] = json!(2);
        }),
    ];
    let mut honest = values(&story().lines);
    // Whatever is changed before a signed answer makes the signature false: the log ends before Ann signs.
    honest.truncate(nth(&honest, "key.registered.v1", 0));
    for (what, check, change) in table {
        let mut records = honest.clone();
        change(&mut records);
        let report = judge_forged(&relink(&records));
        assert_eq!(
            (report.exit, report.result(check)),
            (2, CheckResult::NotMade),
            "{what}\n{report}"
        );
    }
}

#[test]
fn links_of_a_subject_rewritten() {
    let log = story();
    let mut records = values(&log.lines);
    let at = nth(&records, "approval.granted.v1", 0);
    records[at]["subjectprevious"] = json!(Hash::EMPTY.to_string());
    // Numbered and linked anew but for the subject's own link.
    let mut last = Hash::EMPTY;
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for record in &mut records {
        record["previous"] = json!(last.to_string());
        lines.push(crate::sealer::line(record));
        last = probity_schemas::hash::leaf_hash(&lines[lines.len() - 1]);
    }
    let report = judge_forged(&lines);
    assert_eq!(
        (report.exit, broken(&report)),
        (1, ("subjects.previous", Some(at as u64))),
        "{report}"
    );
}

#[test]
fn a_log_that_was_restored_says_so() {
    let (log, lost) = restored();
    let keys = vec![signer().vkey(), log.signer.vkey()];
    let options = Options {
        compromised: Vec::new(),
        actor_keys: Vec::new(),
        keys,
        since: None,
        witnesses: Witnesses::default(),
        adjudicate: true,
        authorities: Authorities::default(),
        partial: false,
        chronicle: false,
    };
    let report = log.bundle().judge(&options);
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(report.origin.as_deref(), Some("ledger.example/acme/2"));
    assert!(
        report
            .to_string()
            .contains("restored at record 12, when 16 were signed"),
        "{report}"
    );
    // What was seen before the loss is confirmed; what was lost is missed.
    let since = |note: String| Options {
        since: Some(note.into_bytes()),
        ..options.clone()
    };
    let early = signer().checkpoint(&log.lines[..10]);
    assert_eq!(log.bundle().judge(&since(early)).exit, 0);
    let missed = log.bundle().judge(&since(lost));
    assert_eq!(
        (missed.exit, broken(&missed).0),
        (1, "consistency.shorter"),
        "{missed}"
    );
}

#[test]
fn a_restoration_that_does_not_fit() {
    type Change = fn(&mut Value);
    let table: [(&str, Change); 6] = [
        ("another size", |body| body["size"] = json!(11)),
        ("another root", |body| {
            body["root"] = json!(Hash::EMPTY.to_string())
        }),
        ("from another log", |body| {
            body["previous_origin"] = json!("ledger.example/other")
        }),
        ("a lost checkpoint that is none", |body| {
            body["lost_checkpoint"] = json!("lost")
        }),
        ("another signer's name", |body| {
            body["signer"] = json!(signer().vkey().to_string())
        }),
        ("another origin", |body| {
            body["origin"] = json!("ledger.example/acme/3")
        }),
    ];
    let (log, _) = restored();
    for (what, change) in table {
        let mut records = values(&log.lines);
        change(&mut records[12]["data"]);
        let options = with_key(log.signer.vkey());
        let report = log.signer.bundle(&relink(&records)).judge(&options);
        assert_eq!(report.exit, 1, "{what}\n{report}");
        assert_eq!(broken(&report).1, Some(12), "{what}\n{report}");
        assert!(broken(&report).0.starts_with("origin."), "{what}\n{report}");
    }
}
