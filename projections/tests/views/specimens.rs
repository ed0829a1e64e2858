//! Events as an adapter called `coder` and its operator would cause them, and a small log made of them.

use crate::log::{Logs, OPENED};
use probity_schemas::body::Body;
use probity_schemas::event::decision::{
    ApprovalDenied, ApprovalGranted, ApprovalNeeded, DecisionExpired, DecisionMade, Facts,
    GrantConsumed, MatchedPolicy, OutcomeRecorded, Request, Risk,
};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::registry::{AdapterRegistered, PolicyPublished, PolicyRetired};
use probity_schemas::event::telemetry::{
    AttachmentRef, AuditIngested, CostIngested, MetricIngested, TraceIngested, ViolationIngested,
};
use probity_schemas::hash::Hash;
use probity_schemas::policy::{Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::vocabulary::{
    ConsumedBy, Effect, ExpiredPart, Mode, OutcomeStatus, Reason, RiskClass, RiskLevel, Role,
    Verdict,
};
use std::collections::BTreeMap;

pub(crate) const ADAPTER: &str = "adapter:coder";
pub(crate) const OPERATOR: &str = "user:ann";

/// The subject of the n-th decision of a story.
pub(crate) fn decision(number: u64) -> String {
    format!("decision/{}", decision_id(number))
}

pub(crate) fn decision_id(number: u64) -> String {
    format!("019ab9d0-0000-7000-8000-{number:012x}")
}

pub(crate) fn made(execution: &str, action: &str, verdict: Verdict) -> DecisionMade {
    let pending = verdict == Verdict::RequireApproval;
    let policy = format!("{action}-policy");
    DecisionMade {
        approval: pending.then(|| ApprovalNeeded {
            expires: OPENED.plus_seconds(3_600),
            role: Role::Approver,
        }),
        engine: 1,
        explanation: format!("{action}: {verdict}"),
        facts: Facts {
            adapter: None,
            approval_seconds: 3_600,
            budget: None,
            grant_seconds: 900,
            mode: Mode::Guarded,
            request: Request {
                action: action.to_owned(),
                adapter: Some("coder".to_owned()),
                execution: Some(execution.to_owned()),
                ..Request::default()
            },
            request_digest: Hash([7; 32]),
            roles: vec![Role::Agent],
            salt: Hash([9; 32]),
            templates: BTreeMap::new(),
            time: OPENED,
        },
        grant: None,
        matched: vec![MatchedPolicy {
            effect: Effect::Allow,
            explanation: None,
            id: policy.clone(),
            unjudged: Vec::new(),
        }],
        policyset: Hash::EMPTY,
        reason: pending.then_some(Reason::PolicyRequiresApproval),
        risk: Risk {
            adapter: 10,
            custom: 0,
            data: 20,
            level: RiskLevel::Low,
            model: 35,
            score: 18,
            skill: 50,
            tool: 15,
        },
        verdict,
        winner: Some(policy),
        withheld: Vec::new(),
    }
}

pub(crate) fn granted() -> ApprovalGranted {
    ApprovalGranted {
        expires: OPENED.plus_seconds(1_800),
        justification: Some("the change was reviewed".to_owned()),
        note: Some("go ahead".to_owned()),
        request_digest: Hash([7; 32]),
        role: Role::Approver,
        signature: None,
    }
}

pub(crate) fn denied() -> ApprovalDenied {
    ApprovalDenied {
        justification: Some("not on a Friday".to_owned()),
        note: None,
        request_digest: Hash([7; 32]),
        role: Role::Approver,
        signature: None,
    }
}

pub(crate) fn expired(part: ExpiredPart) -> DecisionExpired {
    DecisionExpired {
        expired: OPENED.plus_seconds(3_600),
        part,
    }
}

pub(crate) fn consumed() -> GrantConsumed {
    GrantConsumed {
        by: ConsumedBy::Request,
        request_digest: Hash([7; 32]),
    }
}

pub(crate) fn outcome(execution: &str, status: OutcomeStatus) -> OutcomeRecorded {
    OutcomeRecorded {
        body: Some(Body::from_canonical(r#"{"exit":0}"#.to_owned()).unwrap()),
        event: format!("tool_execution_{status}"),
        execution: Some(execution.to_owned()),
        message: Some("done".to_owned()),
        occurred: Some(OPENED),
        status,
        trace: Some("trace-1".to_owned()),
        signature: None,
    }
}

pub(crate) fn audit(execution: &str, event: &str) -> AuditIngested {
    AuditIngested {
        body: None,
        event: event.to_owned(),
        execution: execution.to_owned(),
        message: Some("a word".to_owned()),
        occurred: OPENED,
        trace: "trace-1".to_owned(),
        signature: None,
    }
}

pub(crate) fn violation(execution: &str) -> ViolationIngested {
    ViolationIngested {
        body: None,
        execution: execution.to_owned(),
        message: "an outcome that nobody allowed".to_owned(),
        occurred: OPENED,
        trace: "trace-1".to_owned(),
        violation: "outcome_without_allow".to_owned(),
        signature: None,
    }
}

pub(crate) fn cost(model: Option<&str>, tokens: u64, cost_micros: u64) -> CostIngested {
    CostIngested {
        cost_micros,
        execution: "run-1".to_owned(),
        model: model.map(str::to_owned),
        occurred: OPENED,
        provider: None,
        tokens_in: tokens,
        tokens_out: tokens / 10,
        trace: "trace-1".to_owned(),
        signature: None,
    }
}

pub(crate) fn metric() -> MetricIngested {
    MetricIngested {
        duration_micros: 1_500,
        execution: "run-1".to_owned(),
        occurred: OPENED,
        steps: 12,
        trace: "trace-1".to_owned(),
        signature: None,
    }
}

pub(crate) fn trace(execution: &str, trace: &str, cost_micros: u64) -> TraceIngested {
    TraceIngested {
        agent_role: Some("engineer".to_owned()),
        attachment: AttachmentRef {
            blake3: "ab".repeat(32),
            bytes: 4_096,
            media_type: "application/json".to_owned(),
        },
        completed: None,
        cost_micros,
        duration_micros: Some(2_000_000),
        error: None,
        execution: execution.to_owned(),
        integrity: "verified".to_owned(),
        integrity_failures: Vec::new(),
        model: "opal-2".to_owned(),
        provider: "example".to_owned(),
        started: OPENED,
        steps: 12,
        tokens_in: 900,
        tokens_out: 100,
        trace: trace.to_owned(),
        violations: 0,
        signature: None,
    }
}

pub(crate) fn adapter(id: &str, version: &str, tools: &[&str]) -> AdapterRegistered {
    AdapterRegistered {
        capabilities: vec!["exec".to_owned()],
        certification: "experimental".to_owned(),
        display_name: format!("The {id} adapter"),
        enabled: true,
        id: id.to_owned(),
        risk_class: RiskClass::Medium,
        tool_capabilities: tools.iter().map(|tool| (*tool).to_owned()).collect(),
        version: version.to_owned(),
    }
}

pub(crate) fn policy(
    id: &str,
    tool: Option<&str>,
    effect: Effect,
    precedence: i32,
) -> PolicyPublished {
    PolicyPublished {
        policy: Policy {
            conditions: Vec::new(),
            effect,
            enabled: true,
            explanation: None,
            id: id.to_owned(),
            precedence,
            scope: Scope::default(),
            subject: PolicySubject {
                kind: SubjectKind::Tool,
                name: tool.map(str::to_owned),
            },
        },
    }
}

pub(crate) fn retired(id: &str) -> PolicyRetired {
    PolicyRetired { id: id.to_owned() }
}

pub(crate) fn setting(name: &str, value: Option<&str>) -> SettingChanged {
    SettingChanged {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    }
}

/// A log of one tenant in which every view has something to show: five decisions, told to their ends.
pub(crate) fn told(logs: &Logs, name: &str) {
    logs.open(name, &"a1".repeat(16));
    let adapter_id = "adapter/coder";
    logs.append(
        name,
        ADAPTER,
        adapter_id,
        adapter("coder", "1.0.0", &["read", "write"]).into(),
    );
    logs.append(
        name,
        OPERATOR,
        "policy/read",
        policy("read", Some("read"), Effect::Allow, 10).into(),
    );
    logs.append(
        name,
        OPERATOR,
        "policy/rest",
        policy("rest", None, Effect::RequireApproval, -100).into(),
    );
    logs.append(
        name,
        "system",
        "setting/mode",
        setting("mode", Some("guarded")).into(),
    );
    for (number, (action, verdict)) in [
        ("read", Verdict::Allow),
        ("write", Verdict::RequireApproval),
        ("delete", Verdict::RequireApproval),
        ("deploy", Verdict::RequireApproval),
        ("drop", Verdict::Deny),
    ]
    .into_iter()
    .enumerate()
    {
        let number = number as u64 + 1;
        let execution = format!("run-{number}");
        logs.append(
            name,
            ADAPTER,
            &decision(number),
            made(&execution, action, verdict).into(),
        );
    }
    logs.append(name, OPERATOR, &decision(2), granted().into());
    logs.append(name, ADAPTER, &decision(2), consumed().into());
    logs.append(
        name,
        ADAPTER,
        &decision(2),
        outcome("run-2", OutcomeStatus::Completed).into(),
    );
    logs.append(name, OPERATOR, &decision(3), denied().into());
    logs.append(
        name,
        "system",
        &decision(4),
        expired(ExpiredPart::Approval).into(),
    );
    logs.append(
        name,
        ADAPTER,
        &decision(2),
        trace("run-2", "trace-1", 1_200).into(),
    );
    logs.append(
        name,
        ADAPTER,
        &decision(2),
        cost(Some("opal-2"), 900, 1_200).into(),
    );
    logs.append(
        name,
        ADAPTER,
        &decision(2),
        cost(Some("opal-2"), 100, 300).into(),
    );
    logs.append(name, ADAPTER, &decision(2), metric().into());
    logs.append(
        name,
        ADAPTER,
        &decision(2),
        audit("run-2", "approval_seen").into(),
    );
    logs.append(name, ADAPTER, "execution/stray", violation("stray").into());
}
