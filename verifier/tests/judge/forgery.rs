//! What can be done by someone who holds the log's key, or runs the program that does: records changed, and everything
//! numbered, linked and signed anew. Integrity is perfect then; only adjudication can tell.

use crate::files::with_key;
use crate::sealer::{Log, relink, values};
use crate::story::{AGENT, ANN, ORIGIN, ask, furnished, outcome, request, resolve, signer, story};
use probity_governance::command::{Operation, Resolution};
use probity_schemas::event::decision::{ApprovalGranted, GrantConsumed, OutcomeRecorded};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::telemetry::ObservationRecorded;
use probity_schemas::hash::Hash;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{ConsumedBy, OutcomeStatus, Role};
use probity_verifier::{CheckName, CheckResult, Report};
use serde_json::{Value, json};
use uuid::Uuid;

fn judge_forged(lines: &[Vec<u8>]) -> Report {
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

/// The rule, and the record it was broken at.
fn broken(report: &Report) -> (&str, Option<u64>) {
    let broken = report.broken.as_ref();
    broken.map_or(("", None), |broken| (broken.rule.as_str(), broken.sequence))
}

/// The nth record of a type, from 0.
fn nth(records: &[Value], type_name: &str, nth: usize) -> usize {
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

/// A furnished log with one pending refund, and its digest.
fn pending() -> (Log, Uuid, Hash) {
    let mut log = furnished();
    let decision = ask(&mut log, "refund", "run-1");
    let record: Value = serde_json::from_slice(log.lines.last().unwrap()).unwrap();
    let digest = record["data"]["facts"]["request_digest"].as_str().unwrap();
    (log.clone(), decision, digest.parse().unwrap())
}

fn granted(log: &Log, digest: Hash, role: Role) -> ApprovalGranted {
    ApprovalGranted {
        expires: log.time.plus_seconds(900),
        justification: None,
        note: None,
        request_digest: digest,
        role,
    }
}

fn consumed(digest: Hash) -> GrantConsumed {
    GrantConsumed {
        by: ConsumedBy::Report,
        request_digest: digest,
    }
}

fn done(time: Time) -> OutcomeRecorded {
    OutcomeRecorded {
        body: None,
        event: "tool_execution_completed".to_owned(),
        execution: None,
        message: None,
        occurred: Some(time),
        status: OutcomeStatus::Completed,
        trace: None,
    }
}

#[test]
fn records_that_the_rules_never_gave() {
    type Forge = fn(&mut Log, Uuid, Hash);
    let table: [(&str, &str, Forge); 14] = [
        (
            "approved after its time",
            "adjudication.too_late",
            |log, id, digest| {
                log.wait_seconds(3601);
                log.append(&subject(id), ANN, granted(log, digest, Role::Approver));
            },
        ),
        (
            "approved for another request",
            "adjudication.other_request",
            |log, id, _| {
                log.append(&subject(id), ANN, granted(log, Hash::EMPTY, Role::Approver));
            },
        ),
        (
            "approved by a role not held",
            "adjudication.role",
            |log, id, digest| {
                log.append(&subject(id), ANN, granted(log, digest, Role::Admin));
            },
        ),
        (
            "approved by the ledger itself",
            "adjudication.not_entitled",
            |log, id, digest| {
                log.append(&subject(id), "system", granted(log, digest, Role::Approver));
            },
        ),
        (
            "approved twice",
            "adjudication.standing",
            |log, id, digest| {
                resolve(log, ANN, id, true);
                log.lawful = false;
                log.append(
                    &subject(id),
                    "user:bob",
                    granted(log, digest, Role::Approver),
                );
            },
        ),
        (
            "approved out of nothing",
            "adjudication.standing",
            |log, _, digest| {
                log.append(
                    &subject(Uuid::from_u128(7)),
                    ANN,
                    granted(log, digest, Role::Approver),
                );
            },
        ),
        (
            "used without approval",
            "adjudication.standing",
            |log, id, digest| {
                log.append(&subject(id), AGENT, consumed(digest));
            },
        ),
        ("used twice", "adjudication.standing", |log, id, digest| {
            resolve(log, ANN, id, true);
            outcome(log, "run-1");
            log.lawful = false;
            log.append(&subject(id), AGENT, consumed(digest));
        }),
        (
            "used by another",
            "adjudication.other_requester",
            |log, id, digest| {
                resolve(log, ANN, id, true);
                log.append(&subject(id), "user:bob", consumed(digest));
            },
        ),
        (
            "used too late",
            "adjudication.too_late",
            |log, id, digest| {
                resolve(log, ANN, id, true);
                log.wait_seconds(901);
                log.append(&subject(id), AGENT, consumed(digest));
            },
        ),
        (
            "done while it waits",
            "adjudication.outcome_without_allow",
            |log, id, _| {
                log.append(&subject(id), AGENT, done(log.time));
            },
        ),
        (
            "done without a decision",
            "adjudication.outcome_without_allow",
            |log, _, _| {
                log.append(&subject(Uuid::from_u128(7)), AGENT, done(log.time));
            },
        ),
        (
            "a setting by an agent",
            "adjudication.not_entitled",
            |log, _, _| {
                let changed = SettingChanged {
                    name: "mode".to_owned(),
                    value: Some("permissive".to_owned()),
                };
                log.append("setting/mode", AGENT, changed);
            },
        ),
        (
            "an observation among decisions",
            "adjudication.reserved_subject",
            |log, id, _| {
                let body = probity_schemas::body::Body::from_foreign(b"{}").unwrap();
                log.append(
                    &subject(id),
                    AGENT,
                    ObservationRecorded {
                        body,
                        kind: "approved".to_owned(),
                    },
                );
            },
        ),
    ];
    for (what, rule, forge) in table {
        let (mut log, decision, digest) = pending();
        log.lawful = !matches!(rule, "adjudication.standing") || what.contains("twice");
        forge(&mut log, decision, digest);
        let report = judge_forged(&log.lines);
        assert_eq!(report.exit, 1, "{what}\n{report}");
        assert_eq!(
            broken(&report),
            (rule, Some(log.lines.len() as u64 - 1)),
            "{what}\n{report}"
        );
    }
}

fn subject(decision: Uuid) -> String {
    format!("decision/{decision}")
}

#[test]
fn nobody_approves_their_own_request() {
    let mut log = furnished();
    let mut refund = request("refund", "run-1");
    if let Operation::RequestDecision(request) = &mut refund {
        request.adapter = None;
    }
    let decision = log.run(ANN, refund);
    let record: Value = serde_json::from_slice(log.lines.last().unwrap()).unwrap();
    assert_eq!(record["data"]["verdict"], "require_approval");
    let resolution = Resolution {
        decision,
        grant: true,
        justification: None,
        note: None,
    };
    let moment = log.moment();
    assert!(
        log.decide(ANN, Operation::ResolveApproval(resolution), &moment)
            .is_err()
    );
    let digest = record["data"]["facts"]["request_digest"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    log.append(
        &subject(decision),
        ANN,
        granted(&log, digest, Role::Approver),
    );
    let report = judge_forged(&log.lines);
    let last = log.lines.len() as u64 - 1;
    assert_eq!(
        broken(&report),
        ("adjudication.self_approval", Some(last)),
        "{report}"
    );
}

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
    let honest = values(&story().lines);
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
