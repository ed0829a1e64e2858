//! A log in memory: commands go in, sealed records come out, and after every step everything is proved again.
//!
//! The writer's state forgets its closed cases after each command, so that they are folded again when needed; the judge
//! keeps all. Both must come to the same digest, a snapshot must give the same state, and each record must be judged good.

use probity_governance::adjudicate::adjudicate;
use probity_governance::command::{Alias, Command, Moment, Operation, Reply, Resolution};
use probity_governance::execute::{Decided, Index, Rejected, execute};
use probity_governance::state::{Applied, Closed, State, closed_of, decision_id};
use probity_schemas::body::Body;
use probity_schemas::canonical;
use probity_schemas::event::Event;
use probity_schemas::event::decision::{DecisionMade, Request};
use probity_schemas::event::log::{LogOpened, SettingChanged};
use probity_schemas::event::registry::{AdapterRegistered, CredentialIssued};
use probity_schemas::hash::{Hash, leaf_hash, sha256};
use probity_schemas::policy::{
    Condition, Operator, Policy, PolicySubject, Scalar, Scope, SubjectKind,
};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{CredentialMethod, Effect, RiskClass, Role};
use std::collections::HashMap;
use uuid::Uuid;

/// The adapter of most stories.
pub(crate) const ADAPTER: &str = "adapter:coder";

/// A record, sealed by nothing but a unique leaf.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) leaf: Hash,
    pub(crate) sequence: u64,
    pub(crate) subject: String,
    pub(crate) actor: String,
    pub(crate) time: Time,
    pub(crate) workspace: Option<String>,
    pub(crate) event: Event,
}

impl Sealed {
    pub(crate) fn applied(&self) -> Applied<'_> {
        Applied {
            leaf: self.leaf,
            sequence: self.sequence,
            subject: &self.subject,
            actor: &self.actor,
            time: self.time,
            workspace: self.workspace.as_deref(),
            event: &self.event,
        }
    }
}

/// The log, its writer and its judge.
#[derive(Clone, Default)]
pub(crate) struct Log {
    pub(crate) writer: State,
    pub(crate) judge: State,
    pub(crate) records: Vec<Sealed>,
    pub(crate) seconds: i64,
    pub(crate) workspace: Option<String>,
    aliases: HashMap<String, String>,
    fresh: u64,
}

impl Index for Log {
    fn alias(&self, alias: &Alias) -> Option<String> {
        self.aliases.get(alias.as_str()).cloned()
    }

    fn closed(&self, decision: Uuid) -> Option<Closed> {
        let subject = format!("decision/{decision}");
        closed_of(
            self.records
                .iter()
                .filter(|record| record.subject == subject)
                .map(|record| &record.event),
        )
    }
}

impl Log {
    /// An open log with people, one adapter and a workspace.
    pub(crate) fn new() -> Self {
        let mut log = Self::empty();
        for (id, actor, roles) in [
            ("root", "user:root", vec![Role::Admin]),
            ("ann", "user:ann", vec![Role::Approver]),
            ("bob", "user:bob", vec![Role::Approver, Role::Agent]),
            ("ops", "user:ops", vec![Role::Operator]),
            ("aud", "user:aud", vec![Role::Auditor]),
            ("view", "user:view", vec![Role::Viewer]),
            ("robot", "agent:robot", vec![Role::Approver]),
            ("adapters", "adapter:*", vec![Role::Agent]),
        ] {
            log.run(
                "system",
                Operation::IssueCredential(id.to_owned(), Box::new(credential(actor, &roles))),
            );
        }
        log.set("template.workspace.root", "/ws/repo");
        log.run(
            ADAPTER,
            Operation::RegisterAdapter(Box::new(adapter("coder"))),
        );
        log
    }

    /// A log with record 0 only.
    pub(crate) fn empty() -> Self {
        let mut log = Self {
            seconds: 1_700_000_000,
            ..Self::default()
        };
        let opened = LogOpened {
            engine: 1,
            format: 1,
            log_id: "00112233445566778899aabbccddeeff".to_owned(),
            origin: "ledger.example/acme".to_owned(),
            signer: "ledger.example/acme+00000000+AQ==".to_owned(),
            tenant: "acme".to_owned(),
        };
        log.run("system", Operation::OpenLog(Box::new(opened)));
        log
    }

    /// Sets a setting.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let changed = SettingChanged {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        };
        self.run("system", Operation::ChangeSetting(changed));
    }

    /// Publishes policies.
    pub(crate) fn publish(&mut self, policies: impl IntoIterator<Item = Policy>) {
        for policy in policies {
            self.run("user:ann", Operation::PublishPolicy(Box::new(policy)));
        }
    }

    /// A command that must be met; its events and its reply.
    pub(crate) fn run(&mut self, actor: &str, operation: Operation) -> (Vec<Event>, Reply) {
        self.call(actor, operation).unwrap()
    }

    /// Asks as the adapter of most stories, and expects a fresh decision.
    pub(crate) fn ask(&mut self, request: Request) -> (Uuid, DecisionMade) {
        let (_, reply) = self.run(ADAPTER, Operation::RequestDecision(request.into()));
        assert_eq!(reply, Reply::Recorded);
        self.last_decision()
    }

    /// A person's answer.
    pub(crate) fn resolve(
        &mut self,
        actor: &str,
        decision: Uuid,
        grant: bool,
    ) -> Result<Vec<Event>, Rejected> {
        let resolution = Resolution {
            decision,
            grant,
            justification: None,
            note: None,
            signature: None,
        };
        self.call(actor, Operation::ResolveApproval(resolution))
            .map(|(events, _)| events)
    }

    /// The newest decision.
    pub(crate) fn last_decision(&self) -> (Uuid, DecisionMade) {
        let made = self
            .records
            .iter()
            .rev()
            .find_map(|record| match &record.event {
                Event::DecisionMade(made) => {
                    Some((decision_id(&record.subject).unwrap(), (**made).clone()))
                }
                _ => None,
            });
        made.unwrap()
    }

    /// Types of the records of a decision.
    pub(crate) fn story_of(&self, decision: Uuid) -> Vec<&'static str> {
        let subject = format!("decision/{decision}");
        self.records
            .iter()
            .filter(|record| record.subject == subject)
            .map(|record| record.event.type_name())
            .collect()
    }

    /// A command; its events and its reply.
    pub(crate) fn call(
        &mut self,
        actor: &str,
        operation: Operation,
    ) -> Result<(Vec<Event>, Reply), Rejected> {
        let command = Command {
            actor: actor.to_owned(),
            surface: "test",
            workspace: self.workspace.clone(),
            correlation: None,
            causation: None,
            traceparent: None,
            operation,
        };
        let moment = self.moment();
        let (drafts, reply) =
            execute(&self.writer, self, &command, &moment).map(Decided::into_parts)?;
        let mut events = Vec::new();
        for draft in drafts {
            let sequence = self.records.len() as u64;
            for alias in draft.aliases {
                self.aliases
                    .insert(alias.as_str().to_owned(), draft.subject.to_string());
            }
            events.push(draft.event.clone());
            self.seal(Sealed {
                leaf: leaf_hash(&sequence.to_be_bytes()),
                sequence,
                subject: draft.subject.to_string(),
                actor: actor.to_owned(),
                time: moment.time,
                workspace: self.workspace.clone(),
                event: draft.event,
            });
        }
        self.check();
        Ok((events, reply))
    }

    fn seal(&mut self, record: Sealed) {
        let json = serde_json::to_string(&record.event).unwrap();
        Body::from_canonical(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(
            Event::parse(record.event.type_name(), &json).unwrap(),
            record.event
        );
        let judged = adjudicate(&self.judge, &record.applied());
        assert_eq!(
            judged,
            Ok(()),
            "record {}: {}: {json}",
            record.sequence,
            record.event.type_name()
        );
        self.judge.apply(&record.applied()).unwrap();
        self.writer.apply(&record.applied()).unwrap();
        self.records.push(record);
    }

    fn check(&mut self) {
        self.writer.closed.clear();
        let digest = self.judge.digest();
        assert_eq!(self.writer.digest(), digest);
        assert_eq!(canonical::check(&self.writer.register()), Ok(()));
        let restored = State::from_snapshot(&self.writer.to_snapshot().unwrap()).unwrap();
        assert_eq!(restored.digest(), digest);
        let far = Time::from_micros(i64::MAX);
        assert!(
            restored.due(far).eq(self.writer.due(far)),
            "deadlines follow from the open cases"
        );
        assert_eq!(restored.directory, self.writer.directory);
        self.writer = restored;
    }

    /// The moment of the next command.
    pub(crate) fn moment(&mut self) -> Moment {
        self.fresh += 1;
        let bytes = sha256(&[b"fresh", &self.fresh.to_be_bytes()]);
        let id = u128::from(self.fresh) << 80 | 0x7 << 76 | 0x2 << 62;
        Moment {
            time: Time::from_micros(self.seconds * 1_000_000),
            id: Uuid::from_u128(id),
            salt: bytes,
        }
    }
}

pub(crate) fn credential(actor: &str, roles: &[Role]) -> CredentialIssued {
    CredentialIssued {
        actor: actor.to_owned(),
        digest: "ab".repeat(32),
        method: CredentialMethod::Key,
        roles: roles.to_vec(),
    }
}

pub(crate) fn adapter(id: &str) -> AdapterRegistered {
    AdapterRegistered {
        capabilities: vec!["shell.exec".to_owned()],
        certification: "experimental".to_owned(),
        display_name: "Coder".to_owned(),
        enabled: true,
        id: id.to_owned(),
        risk_class: RiskClass::Low,
        tool_capabilities: vec!["exec".to_owned(), "send-mail".to_owned()],
        version: "1.0.0".to_owned(),
    }
}

/// A request of the adapter of most stories.
pub(crate) fn request(action: &str, execution: &str) -> Request {
    Request {
        action: action.to_owned(),
        adapter: Some("coder".to_owned()),
        capabilities: vec!["shell.exec".to_owned()],
        execution: Some(execution.to_owned()),
        ..Request::default()
    }
}

/// A request with a context.
pub(crate) fn request_in(action: &str, context: &str) -> Request {
    Request {
        context: Some(Body::from_foreign(context.as_bytes()).unwrap()),
        ..request(action, "e1")
    }
}

/// A policy about a tool, of precedence 10.
pub(crate) fn policy(id: &str, tool: Option<&str>, effect: Effect) -> Policy {
    Policy {
        conditions: Vec::new(),
        effect,
        enabled: true,
        explanation: None,
        id: id.to_owned(),
        precedence: 10,
        scope: Scope::default(),
        subject: PolicySubject {
            kind: SubjectKind::Tool,
            name: tool.map(str::to_owned),
        },
    }
}

/// The policy with one more condition.
pub(crate) fn when(mut policy: Policy, field: &str, operator: Operator, values: &[&str]) -> Policy {
    let values = values.iter().map(|text| scalar(text)).collect();
    policy.conditions.push(Condition {
        field: field.to_owned(),
        operator,
        values,
    });
    policy
}

/// `true`, `false` and whole numbers are read as such; anything else is a text.
pub(crate) fn scalar(text: &str) -> Scalar {
    match (text, text.parse()) {
        ("true", _) => Scalar::Bool(true),
        ("false", _) => Scalar::Bool(false),
        (_, Ok(number)) => Scalar::Int(number),
        _ => Scalar::Text(text.to_owned()),
    }
}
