//! Who may ask what, and what commands are refused for other reasons.

mod refusals;

use crate::support::{ADAPTER, Log, adapter, credential, policy, request};
use probity_governance::command::{Observation, Operation, Report, ReportBody, Resolution};
use probity_governance::execute::Rejected;
use probity_schemas::body::Body;
use probity_schemas::event::decision::Request;
use probity_schemas::event::log::{BundleExported, SettingChanged};
use probity_schemas::event::registry::{AdapterRegistered, BudgetSet, CredentialIssued};
use probity_schemas::event::seal::{SealedRun, SubjectsSealed};
use probity_schemas::event::telemetry::MetricIngested;
use probity_schemas::hash::Hash;
use probity_schemas::subject::Subject;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{Effect, Role};

fn metric(execution: &str) -> Operation {
    let body = MetricIngested {
        duration_micros: 5,
        execution: execution.to_owned(),
        occurred: Time::from_micros(0),
        steps: 1,
        trace: "t".to_owned(),
        signature: None,
    };
    let body = ReportBody::Metric(Box::new(body));
    Operation::Report(Box::new(Report {
        execution: execution.to_owned(),
        dedup: "metrics".to_owned(),
        body,
        signature: None,
    }))
}

fn observation(subject: &str) -> Observation {
    Observation {
        attachments: Vec::new(),
        kind: "seen".to_owned(),
        subject: Subject::parse(subject).unwrap(),
        body: Body::from_foreign(b"{}").unwrap(),
        personal: Vec::new(),
        correlation: None,
        causation: None,
        traceparent: None,
    }
}

fn budget() -> BudgetSet {
    BudgetSet {
        alert_milli: 800,
        hard: false,
        micros: 1,
        period_end: Time::from_micros(2),
        period_start: Time::from_micros(1),
    }
}

#[test]
fn the_table_of_roles() {
    let mut log = Log::new();
    log.publish([
        policy("ask", Some("exec"), Effect::RequireApproval),
        policy("gone", Some("gone"), Effect::Deny),
    ]);
    let (decision, _) = log.ask(request("exec", "e1"));
    let people = [
        "user:root",
        "user:ann",
        "user:ops",
        "user:aud",
        "user:view",
        "user:nobody",
        ADAPTER,
        "system",
    ];
    let resolution = Resolution {
        decision,
        grant: true,
        justification: None,
        note: None,
        signature: None,
    };
    let changed = SettingChanged {
        name: "mode".to_owned(),
        value: None,
    };
    let issue = CredentialIssued {
        roles: vec![Role::Viewer],
        ..credential("user:new", &[])
    };
    let export = BundleExported {
        count: 1,
        first: 0,
        size: 1,
    };
    let runs = SubjectsSealed {
        runs: vec![SealedRun {
            count: 1,
            first: 0,
            length: 1,
            root: Hash::EMPTY,
        }],
        size: 1,
    };
    for (operation, entitled) in [
        (
            Operation::RequestDecision(request("exec", "e2").into()),
            "root ann ops adapter",
        ),
        (metric("e3"), "root ann ops adapter system"),
        (
            Operation::Observe(vec![observation("door/1")]),
            "root ann ops adapter system",
        ),
        (Operation::ResolveApproval(resolution), "root ann"),
        (
            Operation::PublishPolicy(Box::new(policy("p", None, Effect::Deny))),
            "root ann system",
        ),
        (
            Operation::RetirePolicy("gone".to_owned()),
            "root ann system",
        ),
        (
            Operation::RegisterAdapter(Box::new(adapter("coder"))),
            "root ann ops adapter system",
        ),
        (
            Operation::RegisterAdapter(Box::new(adapter("another"))),
            "root ann ops system",
        ),
        (Operation::ChangeSetting(changed), "root system"),
        (Operation::SetBudget(budget()), "root system"),
        (
            Operation::IssueCredential("new".to_owned(), Box::new(issue)),
            "root system",
        ),
        (
            Operation::RevokeCredential("aud".to_owned(), None),
            "root system",
        ),
        (Operation::RecordExport(export), "root ann ops aud system"),
        (Operation::ExpireDue, "system"),
        (Operation::Seal(Box::new(runs)), "system"),
    ] {
        for actor in people {
            let name = actor.trim_start_matches("user:").split(':').next().unwrap();
            let found = log.clone().call(actor, operation.clone());
            let refused = matches!(
                found,
                Err(Rejected::NotEntitled { .. } | Rejected::NotAPerson)
            );
            assert_eq!(
                !refused,
                entitled.split(' ').any(|word| word == name),
                "{actor}: {operation:?}: {found:?}"
            );
            assert!(
                refused || found.is_ok(),
                "{actor}: {operation:?}: {found:?}"
            );
        }
    }
}

#[test]
fn a_revoked_credential_gives_nothing() {
    let mut log = Log::new();
    log.publish([policy("ask", Some("exec"), Effect::RequireApproval)]);
    let (decision, _) = log.ask(request("exec", "e1"));
    log.run(
        "user:root",
        Operation::RevokeCredential("ann".to_owned(), Some("left".to_owned())),
    );
    assert!(matches!(
        log.resolve("user:ann", decision, true),
        Err(Rejected::NotEntitled { .. })
    ));
    let again = log.call(
        "user:root",
        Operation::RevokeCredential("ann".to_owned(), None),
    );
    assert_eq!(
        again.unwrap_err(),
        Rejected::CredentialUnknown {
            id: "ann".to_owned()
        }
    );
    log.run(
        "user:root",
        Operation::IssueCredential(
            "ann".to_owned(),
            Box::new(credential("user:ann", &[Role::Admin])),
        ),
    );
    assert!(log.resolve("user:ann", decision, true).is_ok());
}

#[test]
fn roles_come_from_every_credential_of_the_actor_and_of_its_kind() {
    let mut log = Log::new();
    let extra = credential(ADAPTER, &[Role::Viewer, Role::Agent]);
    log.run(
        "user:root",
        Operation::IssueCredential("extra".to_owned(), Box::new(extra)),
    );
    assert_eq!(log.writer.roles_of(ADAPTER), [Role::Agent, Role::Viewer]);
    assert_eq!(log.writer.roles_of("adapter:x"), [Role::Agent]);
    assert_eq!(log.writer.roles_of("agent:x"), []);
}

#[test]
fn only_a_person_approves_and_never_for_themselves() {
    let mut log = Log::new();
    log.publish([policy("ask", Some("exec"), Effect::RequireApproval)]);
    log.run(
        "user:bob",
        Operation::RequestDecision(request("exec", "e1").into()),
    );
    let (decision, _) = log.last_decision();
    assert_eq!(
        log.resolve("user:bob", decision, true),
        Err(Rejected::SelfApproval)
    );
    assert_eq!(
        log.resolve("user:bob", decision, false),
        Err(Rejected::SelfApproval)
    );
    assert_eq!(
        log.resolve("agent:robot", decision, true),
        Err(Rejected::NotAPerson)
    );
    assert!(log.resolve("user:ann", decision, true).is_ok());
}

#[test]
fn an_adapter_asks_in_its_own_name() {
    let mut log = Log::new();
    for adapter in [None, Some("other".to_owned())] {
        let operation = Operation::RequestDecision(
            Request {
                adapter,
                ..request("exec", "e1")
            }
            .into(),
        );
        assert_eq!(
            log.call(ADAPTER, operation).unwrap_err(),
            Rejected::AdapterMismatch
        );
    }
}

#[test]
fn an_adapter_does_not_switch_itself_on() {
    let mut log = Log::new();
    let off = AdapterRegistered {
        enabled: false,
        ..adapter("coder")
    };
    log.run("user:ops", Operation::RegisterAdapter(Box::new(off)));
    log.run(
        ADAPTER,
        Operation::RegisterAdapter(Box::new(adapter("coder"))),
    );
    assert!(!log.writer.directory.adapters["coder"].enabled);
    log.run(
        "user:ops",
        Operation::RegisterAdapter(Box::new(adapter("coder"))),
    );
    assert!(log.writer.directory.adapters["coder"].enabled);
}
