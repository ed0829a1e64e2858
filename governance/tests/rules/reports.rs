//! Reports: on which stream they land, what they use up, and outcomes that nothing allowed.

use crate::support::{ADAPTER, Log, policy, request};
use probity_governance::command::{Operation, Reply, Report, ReportBody};
use probity_schemas::event::Event;
use probity_schemas::event::decision::OutcomeRecorded;
use probity_schemas::event::telemetry::{AuditIngested, ViolationIngested};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{ConsumedBy, Effect, OutcomeStatus};

fn outcome(execution: &str, dedup: &str) -> Operation {
    let body = OutcomeRecorded {
        body: None,
        event: "tool_execution_completed".to_owned(),
        execution: Some(execution.to_owned()),
        message: Some("17 files".to_owned()),
        occurred: Some(Time::from_micros(7)),
        status: OutcomeStatus::Completed,
        trace: Some("t".to_owned()),
        signature: None,
    };
    report(execution, dedup, ReportBody::Outcome(Box::new(body)))
}

fn audit(execution: &str, dedup: &str) -> Operation {
    let body = AuditIngested {
        body: None,
        event: "approval_requested".to_owned(),
        execution: execution.to_owned(),
        message: None,
        occurred: Time::from_micros(7),
        trace: "t".to_owned(),
        signature: None,
    };
    report(execution, dedup, ReportBody::Audit(Box::new(body)))
}

fn report(execution: &str, dedup: &str, body: ReportBody) -> Operation {
    Operation::Report(Box::new(Report {
        execution: execution.to_owned(),
        dedup: dedup.to_owned(),
        body,
        signature: None,
    }))
}

fn types(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::type_name).collect()
}

fn violation(events: &[Event]) -> &ViolationIngested {
    match events {
        [.., Event::ViolationIngested(violation)] => violation,
        other => panic!("{other:?}"),
    }
}

fn log_with(effect: Effect) -> Log {
    let mut log = Log::new();
    log.publish([policy("p", Some("exec"), effect)]);
    log
}

#[test]
fn after_an_allow_the_outcome_is_recorded_and_nothing_is_used_up() {
    let mut log = log_with(Effect::Allow);
    let (decision, _) = log.ask(request("exec", "e1"));
    let (events, reply) = log.run(ADAPTER, outcome("e1", "done"));
    assert_eq!(
        (types(&events), reply),
        (vec!["outcome.recorded.v1"], Reply::Recorded)
    );
    log.run(ADAPTER, outcome("e1", "done again"));
    assert_eq!(
        log.story_of(decision),
        [
            "decision.made.v1",
            "outcome.recorded.v1",
            "outcome.recorded.v1"
        ]
    );
}

#[test]
fn the_same_report_is_recorded_once() {
    let mut log = log_with(Effect::Allow);
    log.ask(request("exec", "e1"));
    log.run(ADAPTER, outcome("e1", "done"));
    for _ in 0..2 {
        let (events, reply) = log.run(ADAPTER, outcome("e1", "done"));
        assert_eq!((events, reply), (vec![], Reply::Duplicate));
    }
    let (events, _) = log.run("user:ops", outcome("e1", "done"));
    assert_eq!(events.len(), 1, "another reporter's report is another");
}

#[test]
fn the_first_report_after_an_approval_uses_the_grant_up() {
    let mut log = log_with(Effect::RequireApproval);
    let (decision, _) = log.ask(request("exec", "e1"));
    let (events, _) = log.run(ADAPTER, audit("e1", "waiting"));
    assert_eq!(
        types(&events),
        ["audit.ingested.v1"],
        "while it waits there is no grant"
    );
    log.resolve("user:ann", decision, true).unwrap();
    let (events, _) = log.run(ADAPTER, audit("e1", "granted"));
    assert_eq!(types(&events), ["grant.consumed.v1", "audit.ingested.v1"]);
    assert!(
        matches!(&events[0], Event::GrantConsumed(consumed) if consumed.by == ConsumedBy::Report)
    );
    let (events, _) = log.run(ADAPTER, outcome("e1", "done"));
    assert_eq!(types(&events), ["outcome.recorded.v1"]);
    let (next, _) = log.ask(request("exec", "e1"));
    assert_ne!(next, decision, "afterwards it is decided afresh");
}

#[test]
fn an_outcome_without_an_allow_is_kept_as_the_violation_it_is() {
    let mut log = log_with(Effect::RequireApproval);
    let (pending, _) = log.ask(request("exec", "e1"));
    let (events, _) = log.run(ADAPTER, outcome("e1", "a"));
    let found = violation(&events);
    assert_eq!(found.violation, "outcome_without_allow");
    assert_eq!(
        found.message,
        "tool_execution_completed (completed) was reported, but the execution is pending: 17 files"
    );
    log.resolve("user:ann", pending, false).unwrap();
    assert!(
        violation(&log.run(ADAPTER, outcome("e1", "b")).0)
            .message
            .contains("denied")
    );

    log.ask(request("other", "e2"));
    assert!(
        violation(&log.run(ADAPTER, outcome("e2", "a")).0)
            .message
            .contains("refused")
    );

    assert!(
        violation(&log.run(ADAPTER, outcome("e3", "a")).0)
            .message
            .contains("unknown to the ledger")
    );

    let (approved, _) = log.ask(request("exec", "e4"));
    log.resolve("user:ann", approved, true).unwrap();
    log.seconds += 901;
    let (events, _) = log.run(ADAPTER, outcome("e4", "a"));
    assert_eq!(
        types(&events),
        ["decision.expired.v1", "violation.ingested.v1"]
    );
    assert!(violation(&events).message.contains("expired"));
    assert!(
        violation(&log.run(ADAPTER, outcome("e4", "b")).0)
            .message
            .contains("expired")
    );
}

#[test]
fn reports_of_an_ungoverned_execution_share_a_stream() {
    let mut log = Log::new();
    log.run(ADAPTER, audit("e1", "a"));
    log.run(ADAPTER, audit("e1", "b"));
    log.run(ADAPTER, audit("e2", "a"));
    let subjects: Vec<&str> = log
        .records
        .iter()
        .rev()
        .take(3)
        .map(|record| record.subject.as_str())
        .collect();
    assert!(
        subjects
            .iter()
            .all(|subject| subject.starts_with("execution/"))
    );
    assert_eq!(subjects[1], subjects[2]);
    assert_ne!(subjects[0], subjects[1]);
}
