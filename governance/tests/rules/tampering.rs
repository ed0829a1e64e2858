//! Records that break a rule: each refused by the judge, the table's under the name of the rule it breaks.

mod faults;

use crate::support::{ADAPTER, Log, Sealed, policy, request, when};
use probity_governance::adjudicate::adjudicate;
use probity_governance::command::{Operation, Report, ReportBody};
use probity_governance::state::State;
use probity_schemas::event::Event;
use probity_schemas::event::decision::OutcomeRecorded;
use probity_schemas::event::registry::BudgetSet;
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::policy::Operator;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{Effect, OutcomeStatus};
use serde_json::Value;

/// Parts of these events that no rule speaks of: a person's own words, and what used a grant up (the next record of the
/// stream shows it).
const FREE: [&str; 3] = ["/justification", "/note", "/by"];

/// A log with every kind of event that rests on a rule.
fn story() -> Log {
    let mut log = Log::new();
    let ask = when(
        policy("ask", Some("exec"), Effect::RequireApproval),
        "intent",
        Operator::Exists,
        &["false"],
    );
    log.publish([ask, policy("allow", Some("read"), Effect::Allow)]);
    let set = BudgetSet {
        alert_milli: 500,
        hard: false,
        micros: 100,
        period_end: Time::from_micros((log.seconds + 100_000) * 1_000_000),
        period_start: Time::from_micros(log.seconds * 1_000_000),
    };
    log.run("user:root", Operation::SetBudget(set));
    log.ask(request("read", "e0"));
    report(&mut log, "e0", ReportBody::Outcome(Box::new(outcome())));
    report(&mut log, "e0", ReportBody::Cost(Box::new(cost())));
    for (execution, grant) in [("e1", true), ("e2", false), ("e3", true)] {
        let (decision, _) = log.ask(request("exec", execution));
        log.resolve("user:ann", decision, grant).unwrap();
    }
    log.run(
        ADAPTER,
        Operation::RequestDecision(request("exec", "e1").into()),
    );
    log.ask(request("exec", "e4"));
    log.seconds += 4_000;
    log.run("system", Operation::ExpireDue);
    log.run("user:ann", Operation::RetirePolicy("ask".to_owned()));
    log
}

fn report(log: &mut Log, execution: &str, body: ReportBody) {
    let dedup = format!("{body:?}");
    log.run(
        ADAPTER,
        Operation::Report(Box::new(Report {
            execution: execution.to_owned(),
            dedup,
            body,
            signature: None,
        })),
    );
}

fn outcome() -> OutcomeRecorded {
    OutcomeRecorded {
        body: None,
        event: "done".to_owned(),
        execution: None,
        message: None,
        occurred: None,
        status: OutcomeStatus::Completed,
        trace: None,
        signature: None,
    }
}

fn cost() -> CostIngested {
    CostIngested {
        cost_micros: 60,
        execution: "e0".to_owned(),
        model: None,
        occurred: Time::from_micros(0),
        provider: None,
        tokens_in: 0,
        tokens_out: 0,
        trace: "t".to_owned(),
        signature: None,
    }
}

/// The state before a record.
fn before(records: &[Sealed]) -> State {
    let mut state = State::default();
    for record in records {
        state.apply(&record.applied()).unwrap();
    }
    state
}

fn rests_on_a_rule(event: &Event) -> bool {
    matches!(
        event,
        Event::DecisionMade(_)
            | Event::DecisionExpired(_)
            | Event::ApprovalGranted(_)
            | Event::ApprovalDenied(_)
            | Event::GrantConsumed(_)
            | Event::BudgetCrossed(_)
            | Event::PolicyRetired(_)
    )
}

/// JSON Pointers of every leaf.
pub(crate) fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                leaves(member, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{at}/{index}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

/// The event with one leaf changed; none when its type no longer reads it.
pub(crate) fn changed(event: &Event, pointer: &str) -> Option<Event> {
    let mut value = serde_json::to_value(event).unwrap();
    let leaf = value.pointer_mut(pointer).unwrap();
    *leaf = match &*leaf {
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Number(number) => Value::from(number.as_i64().unwrap() + 1),
        Value::String(text) => Value::from(other_text(text)),
        other => panic!("{other}"),
    };
    Event::parse(event.type_name(), &value.to_string()).ok()
}

/// Another text of the same kind: another word of the same list, another time, another hash, another name.
fn other_text(text: &str) -> String {
    const LISTS: [&[&str]; 8] = [
        &["allow", "warn", "require_approval", "deny"],
        &["guarded", "strict", "permissive"],
        &[
            "admin", "approver", "operator", "agent", "auditor", "viewer",
        ],
        &["low", "medium", "high", "critical"],
        &[
            "policy_denied",
            "policy_requires_approval",
            "no_matching_policy",
            "risk_requires_approval",
        ],
        &["approval", "grant"],
        &["request", "report"],
        &["warning", "exceeded"],
    ];
    if let Some(list) = LISTS.iter().find(|list| list.contains(&text)) {
        let next = list.iter().position(|word| *word == text).unwrap() + 1;
        return list[next % list.len()].to_owned();
    }
    if Time::parse(text).is_ok() {
        return text.replace(".000000Z", ".000001Z");
    }
    if text.parse::<Hash>().is_ok() {
        return leaf_hash(text.as_bytes()).to_string();
    }
    format!("{text}x")
}

#[test]
fn every_changed_leaf_is_refused() {
    let log = story();
    let mut tried = std::collections::BTreeMap::new();
    for (at, record) in log
        .records
        .iter()
        .enumerate()
        .filter(|(_, record)| rests_on_a_rule(&record.event))
    {
        let state = before(&log.records[..at]);
        let mut pointers = Vec::new();
        leaves(
            &serde_json::to_value(&record.event).unwrap(),
            "",
            &mut pointers,
        );
        for pointer in pointers
            .iter()
            .filter(|pointer| !FREE.contains(&pointer.as_str()))
        {
            let Some(event) = changed(&record.event, pointer) else {
                continue;
            };
            let tampered = Sealed {
                event,
                ..record.clone()
            };
            let name = record.event.type_name();
            assert!(
                adjudicate(&state, &tampered.applied()).is_err(),
                "{name}{pointer} of record {at} was not seen"
            );
            *tried.entry(name).or_insert(0) += 1;
        }
    }
    assert_eq!(tried.len(), 7, "{tried:?}");
    assert!(tried["decision.made.v1"] > 200, "{tried:?}");
}

#[test]
fn a_record_moved_to_another_time_actor_workspace_or_subject_is_refused() {
    let log = story();
    for (at, record) in log
        .records
        .iter()
        .enumerate()
        .filter(|(_, record)| rests_on_a_rule(&record.event))
    {
        let state = before(&log.records[..at]);
        let refused = |moved: Sealed| adjudicate(&state, &moved.applied()).is_err();
        let name = record.event.type_name();
        assert!(
            refused(Sealed {
                subject: "door/1".to_owned(),
                ..record.clone()
            }),
            "{name}: subject"
        );
        let timeless = matches!(
            record.event,
            Event::BudgetCrossed(_) | Event::PolicyRetired(_) | Event::ApprovalDenied(_)
        );
        // An expiry is as true a moment later, a consumption too while the grant holds.
        let tolerant = matches!(
            record.event,
            Event::DecisionExpired(_) | Event::GrantConsumed(_)
        );
        if !timeless && !tolerant {
            assert!(
                refused(Sealed {
                    time: record.time.plus_seconds(1),
                    ..record.clone()
                }),
                "{name}: time"
            );
        }
        if matches!(record.event, Event::DecisionMade(_)) {
            assert!(
                refused(Sealed {
                    workspace: Some("w2".to_owned()),
                    ..record.clone()
                }),
                "{name}: workspace"
            );
        }
        if !matches!(
            record.event,
            Event::DecisionExpired(_) | Event::BudgetCrossed(_)
        ) {
            assert!(
                refused(Sealed {
                    actor: "adapter:other".to_owned(),
                    ..record.clone()
                }),
                "{name}: actor"
            );
        }
    }
}

#[test]
fn a_snapshot_of_other_bytes_is_refused() {
    let snapshot = story().writer.to_snapshot().unwrap();
    assert!(State::from_snapshot(&[]).is_err());
    assert!(State::from_snapshot(&snapshot[..snapshot.len() / 2]).is_err());
    let mut refused = 0;
    for at in (0..snapshot.len()).step_by(7) {
        let mut bytes = snapshot.clone();
        bytes[at] ^= 0xff;
        refused += usize::from(State::from_snapshot(&bytes).is_err());
    }
    assert!(
        refused > 0,
        "reading is checked; a keyed hash around it is the ledger's"
    );
}
