//! Commands that cannot be met, and what is said of them.

use super::{budget, observation};
use crate::support::{ADAPTER, Log, adapter, credential, policy, request, request_in, when};
use probity_governance::command::{Operation, Resolution};
use probity_governance::execute::Rejected;
use probity_schemas::event::decision::Request;
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::registry::{AdapterRegistered, BudgetSet};
use probity_schemas::policy::Operator::{AllUnder, AtLeast, Eq, Exists, In, Prefix};
use probity_schemas::policy::{Condition, Policy, Scalar};
use probity_schemas::subject::RESERVED_THINGS;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{Effect, Role};
use uuid::Uuid;

#[test]
fn nothing_reported_lands_on_a_stream_that_carries_state() {
    let mut log = Log::new();
    for thing in RESERVED_THINGS {
        let subject = format!("{thing}/1");
        let batch = vec![observation("door/1"), observation(&subject)];
        let found = log.call(ADAPTER, Operation::Observe(batch)).unwrap_err();
        assert_eq!(found, Rejected::ReservedSubject { subject }, "all or none");
    }
    assert_eq!(
        log.run(ADAPTER, Operation::Observe(vec![observation("door/1"); 3]))
            .0
            .len(),
        3
    );
}

#[test]
fn policies_that_cannot_be_meant_are_refused() {
    let base = || policy("p", Some("exec"), Effect::Allow);
    let many = |count: usize| {
        let condition = Condition {
            field: "tool".to_owned(),
            operator: Eq,
            values: vec![Scalar::Bool(true)],
        };
        Policy {
            conditions: vec![condition; count],
            ..base()
        }
    };
    let mut log = Log::new();
    for bad in [
        Policy {
            id: String::new(),
            ..base()
        },
        Policy {
            explanation: Some("x".repeat(3000)),
            ..base()
        },
        Policy {
            explanation: Some("bell \u{7}".to_owned()),
            ..base()
        },
        when(base(), "", Eq, &["a"]),
        when(base(), "tool", Eq, &[]),
        when(base(), "tool", Eq, &["a", "b"]),
        when(base(), "tool", In, &[]),
        when(base(), "tool", Exists, &["a"]),
        when(base(), "cost_micros", AtLeast, &["a"]),
        when(base(), "tool", Prefix, &["5"]),
        when(base(), "context.p", AllUnder, &["true"]),
        when(base(), "context.n", Eq, &["9007199254740992"]),
        many(500),
    ] {
        let found = log.call("user:ann", Operation::PublishPolicy(Box::new(bad.clone())));
        assert!(
            matches!(found, Err(Rejected::PolicyInvalid { .. })),
            "{bad:?}: {found:?}"
        );
    }
    let gone = log
        .call("user:ann", Operation::RetirePolicy("p".to_owned()))
        .unwrap_err();
    assert_eq!(gone, Rejected::PolicyUnknown { id: "p".to_owned() });
}

#[test]
fn other_things_that_cannot_be_met() {
    let mut log = Log::new();
    let big = format!(r#"{{"x":"{}"}}"#, "y".repeat(33_000));
    let found = log.call(
        ADAPTER,
        Operation::RequestDecision(request_in("exec", &big).into()),
    );
    assert!(
        matches!(found, Err(Rejected::FactsTooLarge { .. })),
        "{found:?}"
    );
    let wide = Request {
        capabilities: vec!["c".repeat(100); 280],
        ..request("exec", "e1")
    };
    log.set("mode", "permissive");
    let found = log.call(ADAPTER, Operation::RequestDecision(wide.into()));
    assert!(
        matches!(found, Err(Rejected::FactsTooLarge { .. })),
        "the grant repeats them: {found:?}"
    );
    let costly = Request {
        cost_micros: Some(1 << 53),
        ..request("exec", "e1")
    };
    let found = log.call(ADAPTER, Operation::RequestDecision(costly.into()));
    assert!(
        matches!(found, Err(Rejected::NumberTooLarge { .. })),
        "{found:?}"
    );
    let empty = BudgetSet {
        period_end: Time::from_micros(1),
        ..budget()
    };
    assert_eq!(
        log.call("user:root", Operation::SetBudget(empty))
            .unwrap_err(),
        Rejected::BudgetInvalid
    );
    let vast = BudgetSet {
        micros: 1 << 53,
        ..budget()
    };
    let found = log
        .call("user:root", Operation::SetBudget(vast))
        .unwrap_err();
    assert!(matches!(found, Rejected::NumberTooLarge { .. }));
    for bad in [
        credential("user:x", &[]),
        credential("robot:x", &[Role::Agent]),
        credential("system", &[Role::Admin]),
    ] {
        let found = log.call(
            "user:root",
            Operation::IssueCredential("x".to_owned(), Box::new(bad)),
        );
        assert_eq!(found.unwrap_err(), Rejected::CredentialInvalid);
    }
    let lenient = SettingChanged {
        name: "mode".to_owned(),
        value: Some("lenient".to_owned()),
    };
    let found = log
        .call("user:root", Operation::ChangeSetting(lenient))
        .unwrap_err();
    assert!(matches!(found, Rejected::SettingInvalid { .. }));
    let nameless = AdapterRegistered {
        id: String::new(),
        ..adapter("x")
    };
    let found = log
        .call("user:ops", Operation::RegisterAdapter(Box::new(nameless)))
        .unwrap_err();
    assert_eq!(found, Rejected::NameInvalid { what: "adapter" });
}

#[test]
fn nothing_happens_before_record_0() {
    let mut log = Log::default();
    let found = log.call("system", Operation::ExpireDue).unwrap_err();
    assert_eq!(found, Rejected::NotOpened);
    let mut log = Log::empty();
    let twice = log.records[0].event.clone();
    let probity_schemas::event::Event::LogOpened(opened) = twice else {
        panic!("record 0")
    };
    assert_eq!(
        log.call("system", Operation::OpenLog(opened)).unwrap_err(),
        Rejected::OpenedTwice
    );
    let id = Uuid::from_u128(5);
    let resolution = Resolution {
        decision: id,
        grant: true,
        justification: None,
        note: None,
        signature: None,
    };
    let found = log
        .call("system", Operation::ResolveApproval(resolution))
        .unwrap_err();
    assert!(
        matches!(found, Rejected::NotEntitled { .. }),
        "the ledger approves nothing: {found:?}"
    );
}
