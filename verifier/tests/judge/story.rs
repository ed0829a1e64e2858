//! An honest log in which every type of record occurs: an agent that issues refunds, asks, is held up, refused, granted,
//! runs out of time, reports, and is paid for.

use crate::erased::forgets;
use crate::sealer::{Log, Signer};
use crate::signed::{Person, signed_answer};
use probity_governance::command::{Observation, Operation, Report, ReportBody, Resolution};
use probity_schemas::body::Body;
use probity_schemas::event::decision::{OutcomeRecorded, Request};
use probity_schemas::event::log::{BundleExported, LogRestored, SettingChanged};
use probity_schemas::event::registry::{AdapterRegistered, BudgetSet, CredentialIssued};
use probity_schemas::event::telemetry::{
    AttachmentRef, AuditIngested, CostIngested, MetricIngested, TraceIngested, ViolationIngested,
};
use probity_schemas::hash::leaf_hash;
use probity_schemas::policy::{Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::subject::Subject;
use probity_schemas::time::Time;
use probity_schemas::tree::root_of;
use probity_schemas::vocabulary::{CredentialMethod, Effect, OutcomeStatus, RiskClass, Role};
use uuid::Uuid;

pub(crate) const ORIGIN: &str = "ledger.example/acme";
pub(crate) const AGENT: &str = "adapter:refunds";
pub(crate) const ANN: &str = "user:ann";
/// The content of the one attachment.
pub(crate) const TRACE: &[u8] = br#"{"steps":[{"tool":"refund"}]}"#;

pub(crate) fn signer() -> Signer {
    Signer::new(ORIGIN, 1)
}

/// The whole story.
pub(crate) fn story() -> Log {
    let mut log = furnished();
    let allowed = ask(&mut log, "lookup", "run-1");
    reports(&mut log, "run-1");
    ask(&mut log, "wire_money", "run-2");
    let granted = ask(&mut log, "refund", "run-3");
    resolve(&mut log, ANN, granted, true);
    outcome(&mut log, "run-3");
    let refused = ask(&mut log, "refund", "run-4");
    resolve(&mut log, ANN, refused, false);
    ask(&mut log, "refund", "run-5");
    log.wait_seconds(4000);
    log.run("system", Operation::ExpireDue);
    log.run(ANN, Operation::RetirePolicy("wires".to_owned()));
    let exported = BundleExported {
        count: 1,
        first: 0,
        size: 1,
    };
    log.run(ANN, Operation::RecordExport(exported));
    log.run(
        "system",
        Operation::RevokeCredential("agent".to_owned(), Some("rotated".to_owned())),
    );
    log.run(
        ANN,
        Operation::ChangeSetting(SettingChanged {
            name: "mode".to_owned(),
            value: None,
        }),
    );
    assert_ne!(allowed, granted);
    signs(&mut log);
    forgets(&mut log);
    log
}

/// Ann registers a key, signs an answer with it, and has it revoked.
fn signs(log: &mut Log) {
    let ann = Person::new(7);
    let registered = Box::new(ann.registered(ANN));
    let key = log.run(ANN, Operation::RegisterKey(registered));
    let signed = log.run("user:vera", request("refund", "run-6"));
    signed_answer(log, &ann, signed, false);
    log.run(ANN, Operation::RevokeKey(key.to_string(), None));
}

/// A log that went on after its last 4 signed records were lost, and the checkpoint over them.
pub(crate) fn restored() -> (Log, String) {
    let mut log = furnished();
    let before = log.clone();
    log.run(ANN, Operation::Observe((0..4).map(observation).collect()));
    let lost = log.signer.checkpoint(&log.lines);
    let mut log = before;
    let next = Signer::new(&format!("{ORIGIN}/2"), 2);
    let restored = LogRestored {
        lost_checkpoint: lost.clone(),
        origin: next.origin().to_owned(),
        previous_origin: ORIGIN.to_owned(),
        root: root_of(log.lines.iter().map(|line| leaf_hash(line))),
        signer: next.vkey().to_string(),
        size: log.lines.len() as u64,
    };
    log.source = next.origin().to_owned();
    log.signer = next;
    log.run("system", Operation::RestoreLog(Box::new(restored)));
    ask(&mut log, "lookup", "run-1");
    (log, lost)
}

/// A log with credentials, an adapter, policies, a budget: ready for requests.
pub(crate) fn furnished() -> Log {
    let mut log = Log::open(&signer());
    setting(&mut log, "mode", "guarded");
    setting(&mut log, "approval.seconds", "3600");
    for (id, actor, roles) in [
        ("agent", AGENT, vec![Role::Agent]),
        ("ann", ANN, vec![Role::Approver, Role::Admin]),
        ("bob", "user:bob", vec![Role::Approver]),
        ("vera", "user:vera", vec![Role::Viewer, Role::Agent]),
    ] {
        credential(&mut log, id, actor, roles);
    }
    log.run(AGENT, Operation::RegisterAdapter(Box::new(adapter())));
    for (id, tool, effect) in [
        ("lookups", "lookup", Effect::Allow),
        ("refunds", "refund", Effect::RequireApproval),
        ("wires", "wire_money", Effect::Deny),
    ] {
        log.run(
            ANN,
            Operation::PublishPolicy(Box::new(policy(id, tool, effect))),
        );
    }
    let budget = BudgetSet {
        alert_milli: 800,
        hard: false,
        micros: 1_000_000,
        period_end: Time::from_micros(log.time.micros() + 86_400_000_000),
        period_start: Time::from_micros(log.time.micros() - 1_000_000),
    };
    log.run(ANN, Operation::SetBudget(budget));
    log
}

fn setting(log: &mut Log, name: &str, value: &str) {
    let changed = SettingChanged {
        name: name.to_owned(),
        value: Some(value.to_owned()),
    };
    log.run("system", Operation::ChangeSetting(changed));
}

pub(crate) fn credential(log: &mut Log, id: &str, actor: &str, roles: Vec<Role>) {
    let issued = CredentialIssued {
        actor: actor.to_owned(),
        digest: "ab".repeat(32),
        method: CredentialMethod::Key,
        roles,
    };
    log.run(
        "system",
        Operation::IssueCredential(id.to_owned(), Box::new(issued)),
    );
}

fn adapter() -> AdapterRegistered {
    AdapterRegistered {
        capabilities: vec!["refunds".to_owned()],
        certification: "tested".to_owned(),
        display_name: "Refund desk".to_owned(),
        enabled: true,
        id: "refunds".to_owned(),
        risk_class: RiskClass::Low,
        tool_capabilities: vec!["refund".to_owned()],
        version: "1.2.0".to_owned(),
    }
}

fn policy(id: &str, tool: &str, effect: Effect) -> Policy {
    Policy {
        conditions: Vec::new(),
        effect,
        enabled: true,
        explanation: Some(format!("about {tool}")),
        id: id.to_owned(),
        precedence: 10,
        scope: Scope::default(),
        subject: PolicySubject {
            kind: SubjectKind::Tool,
            name: Some(tool.to_owned()),
        },
    }
}

/// The agent asks to use a tool; gives the decision.
pub(crate) fn ask(log: &mut Log, tool: &str, execution: &str) -> Uuid {
    log.run(AGENT, request(tool, execution))
}

pub(crate) fn request(tool: &str, execution: &str) -> Operation {
    Operation::RequestDecision(
        Request {
            action: tool.to_owned(),
            adapter: Some("refunds".to_owned()),
            capabilities: vec!["refunds".to_owned()],
            context: Some(Body::from_foreign(br#"{"order": 17, "customer": "c-9"}"#).unwrap()),
            cost_micros: Some(1200),
            execution: Some(execution.to_owned()),
            intent: Some("make a customer happy".to_owned()),
            tool_count: 1,
            tools: vec![tool.to_owned()],
            ..Request::default()
        }
        .into(),
    )
}

pub(crate) fn resolve(log: &mut Log, actor: &str, decision: Uuid, grant: bool) {
    let resolution = Resolution {
        decision,
        grant,
        justification: Some("the order was lost".to_owned()),
        note: None,
        signature: None,
    };
    log.run(actor, Operation::ResolveApproval(resolution));
}

pub(crate) fn outcome(log: &mut Log, execution: &str) {
    let body = OutcomeRecorded {
        body: None,
        event: "tool_execution_completed".to_owned(),
        execution: Some(execution.to_owned()),
        message: Some("refunded".to_owned()),
        occurred: Some(log.time),
        status: OutcomeStatus::Completed,
        trace: Some("trace-1".to_owned()),
        signature: None,
    };
    report(
        log,
        execution,
        "outcome",
        ReportBody::Outcome(Box::new(body)),
    );
}

fn report(log: &mut Log, execution: &str, dedup: &str, body: ReportBody) {
    let report = Report {
        execution: execution.to_owned(),
        dedup: dedup.to_owned(),
        body,
        signature: None,
    };
    log.run(AGENT, Operation::Report(Box::new(report)));
}

/// One report of every kind about an execution, and an observation.
fn reports(log: &mut Log, execution: &str) {
    let (run, trace, now) = (execution.to_owned(), "trace-1".to_owned(), log.time);
    outcome(log, execution);
    crate::story::trace(log, execution);
    let audit = AuditIngested {
        body: Some(Body::from_foreign(b"[1,2.5,\"three\"]").unwrap()),
        event: "tool_call_started".to_owned(),
        execution: run.clone(),
        message: None,
        occurred: now,
        trace: trace.clone(),
        signature: None,
    };
    report(log, execution, "audit", ReportBody::Audit(Box::new(audit)));
    let cost = CostIngested {
        cost_micros: 900_000,
        execution: run.clone(),
        model: Some("m-1".to_owned()),
        occurred: now,
        provider: None,
        tokens_in: 100,
        tokens_out: 20,
        trace: trace.clone(),
        signature: None,
    };
    report(log, execution, "cost", ReportBody::Cost(Box::new(cost)));
    let metric = MetricIngested {
        duration_micros: 5_000_000,
        execution: run.clone(),
        occurred: now,
        steps: 3,
        trace: trace.clone(),
        signature: None,
    };
    report(
        log,
        execution,
        "metric",
        ReportBody::Metric(Box::new(metric)),
    );
    let violation = ViolationIngested {
        body: None,
        execution: run,
        message: "looked where it should not".to_owned(),
        occurred: now,
        trace,
        violation: "scope".to_owned(),
        signature: None,
    };
    report(
        log,
        execution,
        "violation",
        ReportBody::Violation(Box::new(violation)),
    );
    log.run(
        AGENT,
        Operation::Observe(vec![observation(1), observation(2)]),
    );
}

/// Reports what an execution did, with an attachment.
pub(crate) fn trace(log: &mut Log, execution: &str) {
    let body = ReportBody::Trace(Box::new(traced(execution, log.time)));
    report(log, execution, "trace", body);
}

fn traced(execution: &str, now: Time) -> TraceIngested {
    TraceIngested {
        agent_role: None,
        attachment: AttachmentRef {
            blake3: blake3::hash(TRACE).to_hex().to_string(),
            bytes: TRACE.len() as u64,
            media_type: "application/json".to_owned(),
        },
        completed: Some(now),
        cost_micros: 900_000,
        duration_micros: Some(5_000_000),
        error: None,
        execution: execution.to_owned(),
        integrity: "verified".to_owned(),
        integrity_failures: Vec::new(),
        model: "m-1".to_owned(),
        provider: "p".to_owned(),
        started: now,
        steps: 3,
        tokens_in: 100,
        tokens_out: 20,
        trace: "trace-1".to_owned(),
        violations: 1,
        signature: None,
    }
}

pub(crate) fn observation(number: u32) -> Observation {
    Observation {
        attachments: Vec::new(),
        kind: "log_line".to_owned(),
        subject: Subject::parse("machine/m-1").unwrap(),
        body: Body::from_foreign(format!("{{\"line\": {number}}}").as_bytes()).unwrap(),
        personal: Vec::new(),
        correlation: None,
        causation: None,
        traceparent: None,
    }
}
