//! What clients ask of the log: batches of observations, decisions, answers of people, reports, policies. What must come of each is
//! `model.rs`'s.

use crate::random::Dice;
use bytes::Bytes;
use probity_governance::command::{
    Command, Observation, Operation, Report, ReportBody, Resolution,
};
use probity_ledger::{Idempotency, Ledger, Submission, SubmitError};
use probity_schemas::body::Body;
use probity_schemas::event::decision::Request;
use probity_schemas::event::registry::{AdapterRegistered, CredentialIssued};
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::policy::{Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::subject::{Subject, Tenant};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{CredentialMethod, Effect, RiskClass, Role};
use uuid::Uuid;

/// Something a client wants done, once.
#[derive(Clone)]
pub(crate) struct Job {
    /// Stands in its records, and is its idempotency key where it has one.
    pub(crate) mark: String,
    pub(crate) kind: Kind,
    pub(crate) submission: Submission,
}

/// What it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// So many observations, all or none.
    Observe(usize),
    Decide,
    Resolve(Uuid),
    Report,
    Publish,
}

impl Job {
    /// Whether it may be sent again after an answer was lost, without being done twice.
    pub(crate) fn may_repeat(&self) -> bool {
        self.submission.idempotency.is_some() || !matches!(self.kind, Kind::Observe(_))
    }
}

/// What a client thinks of next; `pending` are decisions that wait for a person.
pub(crate) fn next(dice: &Dice, mark: String, client: usize, pending: &[Uuid]) -> Job {
    let roll = dice.within(0..100);
    let (kind, actor, operation) = match roll {
        0..35 => {
            let count = dice.within(1..5) as usize;
            let all = (0..count).map(|part| observation(dice, &mark, part));
            let operation = Operation::Observe(all.collect());
            (Kind::Observe(count), "adapter:robot", operation)
        }
        35..65 => (Kind::Decide, "adapter:robot", request(dice, client)),
        65..80 if !pending.is_empty() => {
            let decision = *dice.pick(pending);
            let actor = *dice.pick(&["user:ann", "user:eve"]);
            (Kind::Resolve(decision), actor, resolution(dice, decision))
        }
        65..95 => (Kind::Report, "adapter:robot", report(dice, &mark, client)),
        _ => (Kind::Publish, "system", publish(dice)),
    };
    let keyed = dice.chance(if matches!(kind, Kind::Observe(_)) {
        850
    } else {
        500
    });
    let key = |key: &String| Idempotency {
        key: key.clone(),
        body: Bytes::from(key.clone()),
    };
    Job {
        submission: Submission {
            idempotency: keyed.then(|| key(&mark)),
            ..submission(actor, operation)
        },
        mark,
        kind,
    }
}

/// An observation that nobody else makes, for a probe of the end.
pub(crate) fn probe(dice: &Dice, mark: &str) -> Job {
    let operation = Operation::Observe(vec![observation(dice, mark, 0)]);
    Job {
        mark: mark.to_owned(),
        kind: Kind::Observe(1),
        submission: Submission {
            idempotency: Some(Idempotency {
                key: mark.to_owned(),
                body: Bytes::from(mark.to_owned()),
            }),
            ..submission("adapter:robot", operation)
        },
    }
}

pub(crate) fn submission(actor: &str, operation: Operation) -> Submission {
    Submission {
        command: Command {
            actor: actor.to_owned(),
            surface: "simulation",
            workspace: None,
            correlation: None,
            causation: None,
            traceparent: None,
            operation,
        },
        idempotency: None,
        attachments: Vec::new(),
    }
}

/// Few subjects, so that clients meet in their streams.
fn observation(dice: &Dice, mark: &str, part: usize) -> Observation {
    let body = format!("{{\"mark\":\"{mark}\",\"part\":{part}}}");
    Observation {
        attachments: Vec::new(),
        kind: "note".to_owned(),
        subject: Subject::new("note", &dice.within(0..6).to_string()).unwrap(),
        body: Body::from_foreign(body.as_bytes()).unwrap(),
        personal: Vec::new(),
        correlation: None,
        causation: None,
        traceparent: None,
    }
}

/// Few executions, each always for the same act, so that a request meets its own decision again. Every third is shared by all.
fn execution(dice: &Dice, client: usize) -> (String, &'static str) {
    let number = dice.within(0..9);
    let action = ["read", "send_payment", "send_payment"][(number % 3) as usize];
    if number < 3 {
        (format!("shared-{number}"), action)
    } else {
        (format!("{client}-{number}"), action)
    }
}

fn request(dice: &Dice, client: usize) -> Operation {
    let (execution, action) = execution(dice, client);
    let request = Request {
        action: action.to_owned(),
        adapter: Some("robot".to_owned()),
        capabilities: vec!["pay".to_owned()],
        execution: Some(execution),
        ..Request::default()
    };
    Operation::RequestDecision(request.into())
}

fn resolution(dice: &Dice, decision: Uuid) -> Operation {
    Operation::ResolveApproval(Resolution {
        decision,
        grant: dice.chance(700),
        justification: None,
        note: None,
        signature: None,
    })
}

fn report(dice: &Dice, mark: &str, client: usize) -> Operation {
    let (execution, _) = execution(dice, client);
    let cost = CostIngested {
        cost_micros: dice.within(1..1000),
        execution: execution.clone(),
        model: None,
        occurred: Time::from_micros(0),
        provider: None,
        signature: None,
        tokens_in: 1,
        tokens_out: 1,
        trace: mark.to_owned(),
    };
    Operation::Report(Box::new(Report {
        execution,
        dedup: mark.to_owned(),
        body: ReportBody::Cost(Box::new(cost)),
        signature: None,
    }))
}

fn publish(dice: &Dice) -> Operation {
    let id = format!("extra-{}", dice.within(0..2));
    let precedence = dice.within(0..5) as i32;
    Operation::PublishPolicy(Box::new(policy(
        &id,
        Some("write"),
        Effect::Allow,
        precedence,
    )))
}

fn policy(id: &str, tool: Option<&str>, effect: Effect, precedence: i32) -> Policy {
    Policy {
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
    }
}

/// The log, an adapter, two approvers, and three policies: `read` passes, payments wait, the rest is refused.
pub(crate) async fn prepare(ledger: &Ledger, tenant: &Tenant) -> Result<(), SubmitError> {
    ledger.create_log(tenant).await?;
    let credential = |actor: &str, role| CredentialIssued {
        actor: actor.to_owned(),
        digest: "00".repeat(32),
        method: CredentialMethod::Key,
        roles: vec![role],
    };
    let issue = |id: &str, issued| Operation::IssueCredential(id.to_owned(), Box::new(issued));
    let adapter = AdapterRegistered {
        capabilities: vec!["pay".to_owned()],
        certification: "experimental".to_owned(),
        display_name: "Robot".to_owned(),
        enabled: true,
        id: "robot".to_owned(),
        risk_class: RiskClass::Low,
        tool_capabilities: Vec::new(),
        version: "1".to_owned(),
    };
    let publish = |id, tool, effect, precedence| {
        Operation::PublishPolicy(Box::new(policy(id, tool, effect, precedence)))
    };
    for operation in [
        issue("adapters", credential("adapter:*", Role::Agent)),
        issue("ann", credential("user:ann", Role::Approver)),
        issue("eve", credential("user:eve", Role::Approver)),
        Operation::RegisterAdapter(Box::new(adapter)),
        publish("read", Some("read"), Effect::Allow, 10),
        publish("pay", Some("send_payment"), Effect::RequireApproval, 10),
        publish("fallback", None, Effect::Deny, -100),
    ] {
        ledger
            .submit(tenant, submission("system", operation))
            .await?;
    }
    Ok(())
}
