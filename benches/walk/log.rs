//! Logs for the benches: where they live, what is appended to them.

use probity_governance::command::{Command, Observation, Operation};
use probity_governance::state::Applied;
use probity_ledger::store::{DatabaseUrl, Span, StoredRecord};
use probity_ledger::{Config, Ledger, Submission};
use probity_schemas::body::Body;
use probity_schemas::event::Event;
use probity_schemas::record::Record;
use probity_schemas::subject::{Subject, Tenant};
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::cell::RefCell;
use uuid::Uuid;

/// Bytes of the text in each observation: with the envelope, a line of about 700 bytes.
const TEXT_BYTES: usize = 120;

/// A place for databases.
pub enum Place {
    Sqlite(tempfile::TempDir),
    Postgres {
        server: String,
        made: RefCell<Vec<String>>,
        data: tempfile::TempDir,
    },
}

impl Place {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub async fn postgres(server: &str) -> Self {
        Self::Postgres {
            server: server.to_owned(),
            made: RefCell::default(),
            data: tempfile::tempdir().unwrap(),
        }
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres { .. } => "postgres",
        }
    }

    /// A fresh database; its URL.
    pub async fn database(&self, name: &str) -> String {
        match self {
            Self::Sqlite(root) => format!(
                "sqlite:{}",
                root.path().join(format!("{name}.db")).display()
            ),
            Self::Postgres { server, made, .. } => {
                let name = format!("bench_{}", Uuid::now_v7().simple());
                let mut admin = PgConnection::connect(server).await.unwrap();
                admin
                    .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
                        "CREATE DATABASE {name}"
                    ))))
                    .await
                    .unwrap();
                let root = server.rsplit_once('/').unwrap().0;
                let url = format!("{root}/{name}");
                made.borrow_mut().push(name);
                url
            }
        }
    }

    /// An empty ledger, its log opened.
    pub async fn open(&self, name: &str) -> Ledger {
        let database: DatabaseUrl = self.database(name).await.parse().unwrap();
        let root = match self {
            Self::Sqlite(root) => root.path(),
            Self::Postgres { data, .. } => data.path(),
        };
        let config = Config {
            data: root.join(name),
            keys: root.join(name).join("keys"),
            database,
            origin: Some("bench.example".to_owned()),
            address: "127.0.0.1:0".to_owned(),
            settings: Vec::new(),
            credentials: None,
            queue_commands_max: 4096,
            witnesses: None,
            authority: None,
        };
        let ledger = Ledger::open(config).await.unwrap();
        ledger.create_log(&tenant()).await.unwrap();
        ledger
    }

    pub async fn remove(self) {
        if let Self::Postgres { server, made, .. } = self {
            let mut admin = PgConnection::connect(&server).await.unwrap();
            for name in made.into_inner() {
                let sql = format!("DROP DATABASE {name} WITH (FORCE)");
                admin
                    .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
                    .await
                    .unwrap();
            }
        }
    }
}

pub fn tenant() -> Tenant {
    Tenant::parse("bench").unwrap()
}

/// A batch of observations, each of a subject of its own.
pub fn batch(number: usize, size: usize) -> Submission {
    batch_of(number, size, 1)
}

/// A batch of observations, `together` of each subject.
pub fn batch_of(number: usize, size: usize, together: usize) -> Submission {
    let subjects: Vec<Subject> = (0..size.div_ceil(together))
        .map(|_| Subject::of("note", Uuid::now_v7()))
        .collect();
    let one = |at: usize| {
        let text = format!("{:x>width$}", number * size + at, width = TEXT_BYTES);
        Observation {
            attachments: Vec::new(),
            kind: "note".to_owned(),
            subject: subjects[at / together].clone(),
            body: Body::from_foreign(format!("{{\"text\":\"{text}\"}}").as_bytes()).unwrap(),
            personal: Vec::new(),
            correlation: None,
            causation: None,
            traceparent: None,
        }
    };
    let operation = Operation::Observe((0..size).map(one).collect());
    let command = Command {
        actor: "system".to_owned(),
        surface: "bench",
        workspace: None,
        correlation: None,
        causation: None,
        traceparent: None,
        operation,
    };
    Submission {
        command,
        idempotency: None,
        attachments: Vec::new(),
    }
}

/// The newest `count` records of the log.
pub async fn rows(ledger: &Ledger, count: usize) -> Vec<StoredRecord> {
    let reader = ledger.reader();
    let head = reader.log(&tenant()).await.unwrap().unwrap();
    let mut all = Vec::with_capacity(count);
    let mut next = head.size - count as u64;
    while next < head.size {
        let page = reader
            .read(head.log, Span::From(next), 5_000, 8 << 20)
            .await
            .unwrap();
        next += page.len() as u64;
        all.extend(page);
    }
    all
}

/// A record, as the state folds it.
pub fn applied<'a>(record: &'a Record<'_>, event: &'a Event) -> Applied<'a> {
    let envelope = &record.envelope;
    Applied {
        leaf: record.leaf,
        sequence: record.sequence,
        subject: &envelope.subject,
        actor: &envelope.actor,
        time: envelope.time,
        workspace: envelope.workspace.as_deref(),
        event,
    }
}
