//! Records that the rules never gave, sealed by someone who holds the log's key at the end of an honest log.

use crate::files::broken;
use crate::forgery::judge_forged;
use crate::sealer::Log;
use crate::story::{AGENT, ANN, ask, furnished, outcome, request, resolve};
use probity_governance::command::{Operation, Resolution};
use probity_schemas::event::decision::{ApprovalGranted, GrantConsumed, OutcomeRecorded};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::telemetry::ObservationRecorded;
use probity_schemas::hash::Hash;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{ConsumedBy, OutcomeStatus, Role};
use serde_json::Value;
use uuid::Uuid;

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
        signature: None,
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
        signature: None,
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
                        attachments: Vec::new(),
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
    if let Operation::RequestDecision(asked) = &mut refund {
        asked.request.adapter = None;
    }
    let decision = log.run(ANN, refund);
    let record: Value = serde_json::from_slice(log.lines.last().unwrap()).unwrap();
    assert_eq!(record["data"]["verdict"], "require_approval");
    let resolution = Resolution {
        decision,
        grant: true,
        justification: None,
        note: None,
        signature: None,
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
