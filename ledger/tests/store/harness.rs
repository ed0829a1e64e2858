//! A database for one story, and a writer that keeps the log's row as the real one does.

use std::collections::HashMap;
use std::sync::Arc;

use probity_ledger::store::{
    self, Append, DatabaseUrl, Head, Mode, NewRecord, Span, Store, StoredRecord,
};
use probity_schemas::hash::leaf_hash;
use probity_schemas::subject::Tenant;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

/// A database that one story has for itself.
pub(crate) struct Database {
    pub(crate) url: DatabaseUrl,
    pub(crate) store: Arc<dyn Store>,
    place: Place,
}

enum Place {
    Sqlite(tempfile::TempDir),
    Postgres(Box<PgConnectOptions>),
}

impl Database {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::sqlite(directory.path().join("records.db"));
        let store = store::open(&url, Mode::Write).await.unwrap();
        Self {
            url,
            store,
            place: Place::Sqlite(directory),
        }
    }

    /// A new database on the server that the environment names.
    pub(crate) async fn postgres() -> Self {
        let Ok(server) = std::env::var("PROBITY_TEST_POSTGRES") else {
            panic!(
                "this test needs a PostgreSQL server: set PROBITY_TEST_POSTGRES to a URL like \
                 postgres://postgres@127.0.0.1:5432/postgres whose user may create databases"
            );
        };
        let options: PgConnectOptions = server.parse().unwrap();
        let name = format!("probity_test_{}", uuid::Uuid::now_v7().simple());
        let mut connection = options.connect().await.unwrap();
        connection
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .unwrap();
        connection.close().await.unwrap();
        let options = options.database(&name);
        let url = postgres_url(&options);
        let store = store::open(&url, Mode::Write).await.unwrap();
        Self {
            url,
            store,
            place: Place::Postgres(Box::new(options)),
        }
    }

    /// Closes the store and opens it again.
    pub(crate) async fn reopen(&self) -> Arc<dyn Store> {
        self.store.close().await;
        store::open(&self.url, Mode::Write).await.unwrap()
    }

    /// Changes the tables behind the store's back.
    pub(crate) async fn tamper(&self, sql: &'static str) {
        match &self.place {
            Place::Sqlite(directory) => {
                let path = directory.path().join("records.db");
                let options = SqliteConnectOptions::new().filename(path);
                let mut connection = options.connect().await.unwrap();
                connection.execute(sql).await.unwrap();
                connection.close().await.unwrap();
            }
            Place::Postgres(_) => {
                let mut connection = self.connect().await;
                connection.execute(sql).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// A connection of the story's own to its PostgreSQL database.
    pub(crate) async fn connect(&self) -> PgConnection {
        let Place::Postgres(options) = &self.place else {
            panic!("only on PostgreSQL")
        };
        let options = options
            .as_ref()
            .clone()
            .options([("search_path", "probity")]);
        options.connect().await.unwrap()
    }

    /// Another node's store on the same PostgreSQL database.
    pub(crate) async fn second_node(&self) -> Arc<dyn Store> {
        store::open(&self.url, Mode::Write).await.unwrap()
    }

    /// Removes what the story made; a story that fails leaves it for a look.
    pub(crate) async fn remove(self) {
        self.store.close().await;
        match self.place {
            Place::Sqlite(directory) => directory.close().unwrap(),
            Place::Postgres(options) => {
                let name = options.get_database().unwrap();
                let drop = format!("DROP DATABASE {name} WITH (FORCE)");
                let mut connection = options
                    .clone()
                    .database("postgres")
                    .connect()
                    .await
                    .unwrap();
                connection.execute(AssertSqlSafe(drop)).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Everything of a log from a sequence on.
    pub(crate) async fn all(&self, head: &Head) -> Vec<StoredRecord> {
        self.store
            .read(head.log, Span::From(0), u32::MAX, usize::MAX)
            .await
            .unwrap()
    }

    /// The log's row as the store has it.
    pub(crate) async fn head(&self, tenant: &str) -> Head {
        self.store.head(&name(tenant)).await.unwrap().unwrap()
    }
}

/// The URL of a database, with whatever the server's URL said about user, password and TLS.
fn postgres_url(options: &PgConnectOptions) -> DatabaseUrl {
    options.to_url_lossy().as_str().parse().unwrap()
}

pub(crate) fn name(tenant: &str) -> Tenant {
    Tenant::parse(tenant).unwrap()
}

/// Keeps a log's row from append to append, as the ledger's writer does.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) head: Head,
    revisions: HashMap<String, u64>,
}

impl Writer {
    /// The first writer of a new log.
    pub(crate) async fn new(store: &dyn Store, tenant: &str) -> Self {
        let head = store.create(&name(tenant)).await.unwrap();
        Self {
            head,
            revisions: HashMap::new(),
        }
    }

    /// An append of one record for each subject; `line` makes its line from its sequence.
    pub(crate) fn prepare_lines(
        &mut self,
        subjects: &[&str],
        line: impl Fn(u64) -> String,
    ) -> Append {
        let mut next = self.head.clone();
        let mut records = Vec::new();
        for subject in subjects {
            let sequence = next.range.size();
            let line = line(sequence);
            let leaf = leaf_hash(line.as_bytes());
            let revision = self.revisions.entry((*subject).to_owned()).or_default();
            next.range.push(leaf);
            next.bytes += line.len() as u64 + 1;
            records.push(NewRecord {
                line: line.into_bytes().into(),
                leaf,
                subject: (*subject).to_owned(),
                revision: *revision,
                time_micros: time(sequence),
            });
            *revision += 1;
        }
        next.checkpoint = format!("checkpoint of {}", next.range.size());
        Append {
            expected: self.head.clone(),
            next,
            records,
            aliases: Vec::new(),
            idempotency: Vec::new(),
            attachments: Vec::new(),
            disclosures: Vec::new(),
            erased: Vec::new(),
            erased_attachments: Vec::new(),
            keep_checkpoint: false,
            named: Vec::new(),
        }
    }

    /// An append of one short record for each subject.
    pub(crate) fn prepare(&mut self, subjects: &[&str]) -> Append {
        let log = self.head.log;
        self.prepare_lines(subjects, |sequence| {
            format!("record {sequence} of log {log}")
        })
    }

    /// Writes an append that was prepared, and goes on from it.
    pub(crate) async fn commit(&mut self, store: &dyn Store, append: Append) {
        let next = append.next.clone();
        store.append(append).await.unwrap();
        self.head = next;
    }

    /// Prepares and writes.
    pub(crate) async fn write(&mut self, store: &dyn Store, subjects: &[&str]) {
        let append = self.prepare(subjects);
        self.commit(store, append).await;
    }
}

/// The time of a record: ten records share each microsecond.
pub(crate) fn time(sequence: u64) -> i64 {
    1_800_000_000_000_000 + (sequence / 10).cast_signed()
}

/// Sequences of records, for comparing.
pub(crate) fn sequences(records: &[StoredRecord]) -> Vec<u64> {
    records.iter().map(|record| record.sequence).collect()
}
