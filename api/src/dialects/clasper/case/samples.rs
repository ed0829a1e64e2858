//! Decisions for tests: decided by the real rules over facts that a test changes where it matters.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::Case;
use probity_governance::engine::{Beside, PolicySet, decide, request_digest};
use probity_governance::state::{Directory, InForce, policyset_digest};
use probity_projections::Entry;
use probity_schemas::event::Event;
use probity_schemas::event::decision::{
    AdapterFacts, ApprovalDenied, ApprovalGranted, Facts, GrantConsumed, Request,
};
use probity_schemas::hash::Hash;
use probity_schemas::policy::{Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::subject::Subject;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{ConsumedBy, Effect, Mode, RiskClass, Role};
use std::collections::BTreeMap;
use uuid::Uuid;

/// 2027-01-15T08:00:00Z.
pub(crate) const START: Time = Time::from_micros(1_800_000_000_000_000);

/// The id of every decision here.
pub(crate) const DECISION: Uuid = Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0001);

/// A policy about a tool (none: any tool).
pub(crate) fn policy(id: &str, tool: Option<&str>, effect: Effect, precedence: i32) -> Policy {
    Policy {
        conditions: Vec::new(),
        effect,
        enabled: true,
        explanation: Some(format!("Words of {id}.")),
        id: id.to_owned(),
        precedence,
        scope: Scope::default(),
        subject: PolicySubject {
            kind: SubjectKind::Tool,
            name: tool.map(str::to_owned),
        },
    }
}

/// What is in force: these policies, and the adapter `desk`.
pub(crate) fn directory(policies: &[Policy]) -> Directory {
    let in_force = |policy: &Policy| InForce {
        policy: policy.clone(),
        leaf: Hash::EMPTY,
    };
    let policies: BTreeMap<String, InForce> = policies
        .iter()
        .map(|policy| (format!("policy/{}", policy.id), in_force(policy)))
        .collect();
    let mut directory = Directory::default();
    directory.policyset = policyset_digest(&policies);
    directory.policies = policies;
    directory
}

/// What a decision on this request knows.
pub(crate) fn facts(request: Request) -> Facts {
    Facts {
        adapter: Some(AdapterFacts {
            capabilities: 1,
            enabled: true,
            risk_class: RiskClass::Low,
        }),
        approval_seconds: 3_600,
        budget: None,
        grant_seconds: 900,
        mode: Mode::Guarded,
        request_digest: request_digest(&Hash::EMPTY, &request),
        request,
        roles: vec![Role::Agent],
        salt: Hash::EMPTY,
        templates: BTreeMap::new(),
        time: START,
    }
}

/// A request of the adapter `desk` for a tool.
pub(crate) fn request(tool: &str) -> Request {
    Request {
        action: tool.to_owned(),
        adapter: Some("desk".to_owned()),
        capabilities: vec!["read".to_owned()],
        execution: Some("exec-1".to_owned()),
        cost_micros_max: Some(1_500_000),
        ..Request::default()
    }
}

/// The decision on facts, and what came after it, each a minute after the one before.
pub(crate) fn case(facts: Facts, policies: &Directory, after: Vec<(&str, Event)>) -> Case {
    let made =
        decide(&PolicySet::of(&policies.policies), &facts, Beside::Nothing).with_facts(facts);
    let told = std::iter::once(("adapter:desk", Event::from(made))).chain(after);
    let entries = told
        .enumerate()
        .map(|(at, (actor, event))| entry(at, actor, event))
        .collect();
    Case::fold(entries).unwrap().unwrap()
}

fn entry(at: usize, actor: &str, event: Event) -> Entry {
    Entry {
        sequence: at as u64,
        leaf: Hash::EMPTY,
        previous: Hash::EMPTY,
        time: START.plus_seconds(60 * i64::try_from(at).unwrap()),
        actor: actor.to_owned(),
        subject: Subject::of("decision", DECISION),
        surface: "test".to_owned(),
        workspace: None,
        correlation: None,
        event,
    }
}

/// A person allows it; the grant holds until 08:16.
pub(crate) fn granted() -> (&'static str, Event) {
    let granted = ApprovalGranted {
        expires: START.plus_seconds(960),
        justification: Some("looks right".to_owned()),
        note: None,
        request_digest: Hash::EMPTY,
        role: Role::Approver,
        signature: None,
    };
    ("user:local-operator", granted.into())
}

/// A person refuses it.
pub(crate) fn denied() -> (&'static str, Event) {
    let denied = ApprovalDenied {
        justification: None,
        note: None,
        request_digest: Hash::EMPTY,
        role: Role::Approver,
        signature: None,
    };
    ("user:local-operator", denied.into())
}

/// The grant is used.
pub(crate) fn consumed() -> (&'static str, Event) {
    (
        "adapter:desk",
        GrantConsumed {
            by: ConsumedBy::Report,
            request_digest: Hash::EMPTY,
        }
        .into(),
    )
}
