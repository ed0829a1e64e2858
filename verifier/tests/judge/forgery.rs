//! What can be done by someone who holds the log's key, or runs the program that does: records changed, and everything
//! numbered, linked and signed anew. Integrity is perfect then; only adjudication can tell.

use crate::files::{broken, with_key};
use crate::sealer::{relink, values};
use crate::story::{AGENT, signer, story};
use probity_schemas::hash::Hash;
use probity_verifier::{CheckName, CheckResult, Report};
use serde_json::{Value, json};
use uuid::Uuid;

/// The verdict on a bundle whose integrity is perfect.
pub(crate) fn judge_forged(lines: &[Vec<u8>]) -> Report {
    let report = signer().bundle(lines).judge(&with_key(signer().vkey()));
    for check in [
        CheckName::TreeRoot,
        CheckName::Checkpoint,
        CheckName::Completeness,
    ] {
        assert_eq!(report.result(check), CheckResult::Holds, "{report}");
    }
    report
}

/// The nth record of a type, from 0.
pub(crate) fn nth(records: &[Value], type_name: &str, nth: usize) -> usize {
    let found = records
        .iter()
        .enumerate()
        .filter(|(_, record)| record["type"] == type_name);
    found.map(|(number, _)| number).nth(nth).unwrap()
}

#[test]
fn decisions_rewritten() {
    // Decision 1 is the denied wire; 2 the refund that was approved; 3 the one that was refused.
    type Change = fn(&mut Value);
    let table: [(&str, usize, &str, Change); 18] = [
        (
            "allowed what was denied",
            1,
            "adjudication.outcome",
            |body| body["verdict"] = json!("allow"),
        ),
        ("no approval needed", 2, "adjudication.outcome", |body| {
            body["verdict"] = json!("allow");
            body.as_object_mut().unwrap().remove("approval");
        }),
        ("reason", 1, "adjudication.outcome", |body| {
            body["reason"] = json!("budget_exceeded")
        }),
        ("words", 1, "adjudication.outcome", |body| {
            body["explanation"] = json!("looked fine")
        }),
        ("winner", 2, "adjudication.outcome", |body| {
            body["winner"] = json!("lookups")
        }),
        ("a match hidden", 1, "adjudication.outcome", |body| {
            body["matched"] = json!([])
        }),
        ("risk", 2, "adjudication.outcome", |body| {
            body["risk"]["score"] = json!(0)
        }),
        ("more granted", 2, "adjudication.outcome", |body| {
            body["grant"]["cost_micros_max"] = json!(1u64 << 40)
        }),
        ("more time to approve", 2, "adjudication.outcome", |body| {
            body["approval"]["expires"] = json!("2030-01-01T00:00:00.000000Z");
        }),
        ("another role", 2, "adjudication.outcome", |body| {
            body["approval"]["role"] = json!("agent")
        }),
        ("another policy set", 1, "adjudication.policy_set", |body| {
            body["policyset"] = json!(Hash::EMPTY.to_string());
        }),
        (
            "another request",
            2,
            "adjudication.request_digest",
            |body| {
                body["facts"]["request"]["intent"] = json!("buy a yacht");
            },
        ),
        ("another digest", 2, "adjudication.request_digest", |body| {
            body["facts"]["request_digest"] = json!(Hash::EMPTY.to_string());
        }),
        ("roles", 2, "adjudication.facts", |body| {
            body["facts"]["roles"] = json!(["admin"])
        }),
        ("a longer grant", 2, "adjudication.outcome", |body| {
            body["facts"]["grant_seconds"] = json!(86_400)
        }),
        ("another time", 1, "adjudication.facts", |body| {
            body["facts"]["time"] = json!("2026-11-01T00:00:00.000000Z");
        }),
        ("a template", 1, "adjudication.facts", |body| {
            body["facts"]["templates"]["x.y"] = json!("z")
        }),
        (
            "an adapter made harmless",
            1,
            "adjudication.facts",
            |body| {
                body["facts"]["adapter"]["capabilities"] = json!(0);
            },
        ),
    ];
    let honest = values(&story().lines);
    for (what, decision, rule, change) in table {
        let mut records = honest.clone();
        let at = nth(&records, "decision.made.v1", decision);
        change(&mut records[at]["data"]);
        let report = judge_forged(&relink(&records));
        assert_eq!(report.exit, 1, "{what}\n{report}");
        assert_eq!(broken(&report), (rule, Some(at as u64)), "{what}\n{report}");
    }
}

#[test]
fn records_rewritten_dropped_and_slipped_in() {
    type Change = fn(&mut Vec<Value>) -> usize;
    let table: [(&str, &str, Change); 10] = [
        (
            "approved by the agent",
            "adjudication.not_entitled",
            |records| {
                let at = nth(records, "approval.granted.v1", 0);
                records[at]["actor"] = json!(AGENT);
                at
            },
        ),
        (
            "approved by a viewer",
            "adjudication.not_entitled",
            |records| {
                let at = nth(records, "approval.granted.v1", 0);
                records[at]["actor"] = json!("user:vera");
                at
            },
        ),
        (
            "approved by nobody known",
            "adjudication.not_entitled",
            |records| {
                let at = nth(records, "approval.granted.v1", 0);
                records[at]["actor"] = json!("user:mallory");
                at
            },
        ),
        (
            "the grant lengthened",
            "adjudication.grant_length",
            |records| {
                let at = nth(records, "approval.granted.v1", 0);
                records[at]["data"]["expires"] = json!("2030-01-01T00:00:00.000000Z");
                at
            },
        ),
        ("an approval dropped", "adjudication.standing", |records| {
            let at = nth(records, "approval.granted.v1", 0);
            records.remove(at);
            at
        }),
        (
            "a denial turned into an approval",
            "schema.body",
            |records| {
                let at = nth(records, "approval.denied.v1", 0);
                records[at]["type"] = json!("approval.granted.v1");
                at
            },
        ),
        (
            "the use of a grant dropped",
            "adjudication.outcome_without_allow",
            |records| {
                let at = nth(records, "grant.consumed.v1", 0);
                records.remove(at);
                at
            },
        ),
        ("a policy dropped", "adjudication.policy_set", |records| {
            let at = nth(records, "policy.published.v1", 2);
            records.remove(at);
            nth(records, "decision.made.v1", 0)
        }),
        (
            "a credential dropped",
            "adjudication.not_entitled",
            |records| {
                let at = nth(records, "credential.issued.v1", 1);
                records.remove(at);
                nth(records, "policy.published.v1", 0)
            },
        ),
        (
            "an outcome moved before its decision",
            "adjudication.outcome_without_allow",
            |records| {
                let (to, from) = (
                    nth(records, "decision.made.v1", 0),
                    nth(records, "outcome.recorded.v1", 0),
                );
                let (mut outcome, first) = (records.remove(from), records[to].clone());
                for field in ["id", "time"] {
                    outcome[field] = first[field].clone();
                }
                records.insert(to, outcome);
                // Ids ascend: its own goes just below the decision's.
                let id = records[to]["id"].as_str().unwrap().to_owned();
                let lower = Uuid::from_u128(Uuid::parse_str(&id).unwrap().as_u128() - 1);
                records[to]["id"] = json!(lower.to_string());
                to
            },
        ),
    ];
    let honest = values(&story().lines);
    for (what, rule, change) in table {
        let mut records = honest.clone();
        let at = change(&mut records);
        let report = judge_forged(&relink(&records));
        assert_eq!(report.exit, 1, "{what}\n{report}");
        assert_eq!(broken(&report), (rule, Some(at as u64)), "{what}\n{report}");
    }
}
