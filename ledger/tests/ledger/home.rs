//! A data directory for one test, commands to fill it, and a check that re-proves everything that can be read.

use bytes::Bytes;
use probity_governance::command::{Command, Observation, Operation};
use probity_ledger::clock::SystemClock;
use probity_ledger::store::{DatabaseUrl, Span, Store};
use probity_ledger::{Config, Idempotency, Ledger, Submission};
use probity_schemas::body::Body;
use probity_schemas::chain::{ChainTip, SubjectLink, SubjectTip};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::decision::Request;
use probity_schemas::event::registry::{AdapterRegistered, CredentialIssued};
use probity_schemas::note::Note;
use probity_schemas::policy::{Policy, PolicySubject, Scope, SubjectKind};
use probity_schemas::proof::TlogProof;
use probity_schemas::record::Record;
use probity_schemas::subject::{Subject, Tenant};
use probity_schemas::tree::CompactRange;
use probity_schemas::vkey::VerifierKey;
use probity_schemas::vocabulary::{CredentialMethod, Effect, RiskClass, Role};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// One data directory.
pub(crate) struct Home {
    pub(crate) root: tempfile::TempDir,
    pub(crate) database: DatabaseUrl,
    pub(crate) tenant: Tenant,
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        let root = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::sqlite(root.path().join("ledger.db"));
        Self {
            root,
            database,
            tenant: Tenant::parse("local").unwrap(),
        }
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            data: self.root.path().to_owned(),
            keys: self.root.path().join("keys"),
            database: self.database.clone(),
            origin: Some("ledger.example".to_owned()),
            address: "127.0.0.1:0".to_owned(),
            settings: vec![("mode".to_owned(), Some("guarded".to_owned()))],
            credentials: None,
            queue_commands_max: 4096,
            witnesses: None,
            authority: None,
        }
    }

    pub(crate) async fn open(&self) -> Ledger {
        Ledger::open(self.config()).await.unwrap()
    }

    /// Over a store that injects faults.
    pub(crate) async fn open_on(&self, store: Arc<dyn Store>) -> Ledger {
        Ledger::on(store, Arc::new(SystemClock), self.config())
            .await
            .unwrap()
    }

    /// Opens the log; an adapter, an approver, and three policies: `read` passes, payments wait, the rest is refused.
    pub(crate) async fn prepare(&self, ledger: &Ledger) {
        ledger.create_log(&self.tenant).await.unwrap();
        let credential = |actor: &str, role| CredentialIssued {
            actor: actor.to_owned(),
            digest: "00".repeat(32),
            method: CredentialMethod::Key,
            roles: vec![role],
        };
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
        for operation in [
            Operation::IssueCredential(
                "adapters".to_owned(),
                Box::new(credential("adapter:*", Role::Agent)),
            ),
            Operation::IssueCredential(
                "ann".to_owned(),
                Box::new(credential("user:ann", Role::Approver)),
            ),
            Operation::RegisterAdapter(Box::new(adapter)),
            Operation::PublishPolicy(Box::new(policy(
                "allow-read",
                Some("read"),
                Effect::Allow,
                10,
            ))),
            Operation::PublishPolicy(Box::new(policy(
                "pay",
                Some("send_payment"),
                Effect::RequireApproval,
                10,
            ))),
            Operation::PublishPolicy(Box::new(policy("fallback", None, Effect::Deny, -100))),
        ] {
            ledger
                .submit(&self.tenant, submission("system", operation))
                .await
                .unwrap();
        }
    }

    /// Reads the whole log and checks links, root and signature.
    pub(crate) async fn check(&self, ledger: &Ledger) -> u64 {
        let reader = ledger.reader();
        let head = reader.log(&self.tenant).await.unwrap().unwrap();
        let (mut tip, mut links, mut range) = (
            ChainTip::START,
            HashMap::<String, SubjectTip>::new(),
            CompactRange::new(),
        );
        while range.size() < head.size {
            let page = reader
                .read(head.log, Span::From(range.size()), 1000, 1 << 20)
                .await
                .unwrap();
            for stored in &page {
                let record = Record::parse(&stored.line).unwrap();
                tip.follow(&record).unwrap();
                let subject = record.envelope.subject.to_string();
                SubjectLink::of(&record)
                    .follows(links.get(&subject))
                    .unwrap();
                links.insert(subject, SubjectTip::of(&record));
                record.event().unwrap();
                assert_eq!(record.leaf, stored.leaf);
                range.push(record.leaf);
            }
        }
        let key: VerifierKey = ledger
            .verifier_key(&self.tenant)
            .await
            .unwrap()
            .unwrap()
            .parse()
            .unwrap();
        let note = Note::parse(&head.checkpoint).unwrap();
        let checkpoint = Checkpoint::open(&note, &[key]).unwrap();
        assert_eq!(
            (checkpoint.size, checkpoint.root),
            (head.size, range.root())
        );
        head.size
    }

    pub(crate) async fn check_receipts(&self, ledger: &Ledger, sequences: &[u64]) {
        let reader = ledger.reader();
        let head = reader.log(&self.tenant).await.unwrap().unwrap();
        let key: VerifierKey = ledger
            .verifier_key(&self.tenant)
            .await
            .unwrap()
            .unwrap()
            .parse()
            .unwrap();
        for sequence in sequences {
            let text = ledger
                .inclusion(&self.tenant, *sequence)
                .await
                .unwrap()
                .unwrap();
            let leaf = reader.leaves(head.log, *sequence, 1).await.unwrap()[0];
            TlogProof::parse(&text)
                .unwrap()
                .verify(&leaf, std::slice::from_ref(&key))
                .unwrap();
        }
        assert_eq!(
            ledger.inclusion(&self.tenant, head.size).await.unwrap(),
            None
        );
    }

    /// A copy of the database's files; the ledger must be closed.
    pub(crate) fn copy_database(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.database_files()
            .into_iter()
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect()
    }

    /// Puts a copy back in place of what is there.
    pub(crate) fn restore_database(&self, copy: &[(PathBuf, Vec<u8>)]) {
        for path in self.database_files() {
            std::fs::remove_file(path).unwrap();
        }
        for (path, content) in copy {
            std::fs::write(path, content).unwrap();
        }
    }

    fn database_files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.root.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        files
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with("ledger.db")
            })
            .collect()
    }
}

pub(crate) fn policy(id: &str, tool: Option<&str>, effect: Effect, precedence: i32) -> Policy {
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

pub(crate) fn command(actor: &str, operation: Operation) -> Command {
    Command {
        actor: actor.to_owned(),
        surface: "test",
        workspace: None,
        correlation: None,
        causation: None,
        traceparent: None,
        operation,
    }
}

pub(crate) fn submission(actor: &str, operation: Operation) -> Submission {
    Submission {
        command: command(actor, operation),
        idempotency: None,
        attachments: Vec::new(),
    }
}

pub(crate) fn request(execution: &str, action: &str) -> Submission {
    let request = Request {
        action: action.to_owned(),
        adapter: Some("robot".to_owned()),
        capabilities: vec!["pay".to_owned()],
        execution: Some(execution.to_owned()),
        ..Request::default()
    };
    submission("adapter:robot", Operation::RequestDecision(request.into()))
}

pub(crate) fn observation(text: &str, key: Option<&str>) -> Submission {
    let body = Body::from_foreign(format!("{{\"text\":\"{text}\"}}").as_bytes()).unwrap();
    let one = Observation {
        attachments: Vec::new(),
        kind: "note".to_owned(),
        subject: Subject::new("note", text).unwrap(),
        body,
        personal: Vec::new(),
        correlation: None,
        causation: None,
        traceparent: None,
    };
    Submission {
        idempotency: key.map(|key| Idempotency {
            key: key.to_owned(),
            body: Bytes::from(text.to_owned()),
        }),
        ..submission("adapter:robot", Operation::Observe(vec![one]))
    }
}
