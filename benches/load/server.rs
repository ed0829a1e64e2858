//! The shipped server, with a log that is ready for the work.

use crate::client::{Ask, Connection, Target};
use crate::growth::Targets;
use crate::work::{ADAPTER, DENIED, WAITING, Work, decide, get, policies};
use hyper::Method;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const ADAPTER_SECRET: &str = "the bench's own adapter secret, 32 bytes or more";
const OPS_KEY: &str = "the bench's own operator key";

/// Decisions that wait for a person before people are measured, at most.
const WAITING_DECISIONS: u64 = 40_000;

/// Decisions that are there before reads are measured.
const READ_DECISIONS: u64 = 20_000;

/// Connections that prepare.
const CONNECTIONS: u64 = 64;

/// Rows of a page of decisions.
const PAGE: u64 = 500;

pub struct Server {
    child: Child,
    address: SocketAddr,
    durability: String,
    key: String,
    database: Option<(String, String)>,
    arguments: Vec<String>,
    data: tempfile::TempDir,
}

impl Server {
    pub async fn start(store: &str) -> Self {
        Self::start_with(store, &[]).await
    }

    /// Starts it with more on its command line.
    pub async fn start_with(store: &str, more: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut arguments = vec!["--data".to_owned(), data.path().display().to_string()];
        let database = match store {
            "sqlite" => None,
            "postgres" => Some(make_database().await),
            other => panic!("{other} is neither sqlite nor postgres"),
        };
        if let Some((_, url)) = &database {
            arguments.extend(["--database".to_owned(), url.clone()]);
        }
        let issued = Command::new(probity())
            .args(["key", "issue", "--tenant", "local", "--role", "admin"])
            .args(&arguments)
            .output()
            .unwrap();
        assert!(issued.status.success(), "{issued:?}");
        arguments.extend(more.iter().map(|word| (*word).to_owned()));
        let (child, durability, address) = serve(&arguments);
        Self {
            child,
            address,
            durability,
            key: String::from_utf8(issued.stdout).unwrap().trim().to_owned(),
            database,
            arguments,
            data,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn durability(&self) -> String {
        self.durability.clone()
    }

    /// Adapter, policies, and what the work needs to be there; where and as whom to ask.
    pub async fn prepare(&self, work: Work, records: usize) -> Target {
        let operator = self.target(("x-ops-api-key", OPS_KEY.to_owned()));
        let adapter = self.target(("x-adapter-token", adapter_token()));
        let native = self.native();
        let registration = json!({
            "adapter_id": ADAPTER, "display_name": "Bench", "risk_class": "low", "capabilities": ["tool"], "version": "1.0.0", "enabled": true,
        });
        one(&adapter, "/adapters/register", &registration).await;
        for policy in policies() {
            one(&operator, "/ops/api/policies", &policy).await;
        }
        many(
            &native,
            Work::Ndjson,
            (records as u64).div_ceil(Work::Ndjson.units()),
        )
        .await;
        match work {
            Work::Decide | Work::Audit | Work::Cost | Work::Metrics | Work::Violations => adapter,
            Work::Ndjson => native,
            Work::Resolve => {
                decided(&adapter, WAITING, WAITING_DECISIONS).await;
                let ids = decisions(&native, "status=pending", WAITING_DECISIONS).await;
                Target {
                    asks_max: ids.len() as u64,
                    ids: ids.into(),
                    ..native
                }
            }
            Work::Page | Work::Point | Work::Receipt => self.reads(&adapter, records as u64).await,
        }
    }

    /// Makes decisions, to be read.
    async fn reads(&self, adapter: &Target, records: u64) -> Target {
        let native = self.native();
        decided(adapter, DENIED, READ_DECISIONS).await;
        let ids = decisions(&native, "verdict=deny", READ_DECISIONS).await;
        Target {
            ids: ids.into(),
            size: READ_DECISIONS + records,
            ..native
        }
    }

    fn native(&self) -> Target {
        self.target(("authorization", format!("Bearer {}", self.key)))
    }

    fn target(&self, credential: (&'static str, String)) -> Target {
        Target {
            address: self.address,
            credential,
            ids: Arc::default(),
            size: 0,
            asks_max: u64::MAX,
        }
    }

    /// Adapter and policies, and decisions that are there to be read.
    pub async fn prepare_growth(&self) -> Targets {
        let adapter = self.prepare(Work::Decide, 0).await;
        let reads = self.reads(&adapter, 0).await;
        Targets {
            native: self.native(),
            adapter,
            reads,
        }
    }

    /// Stops it as an operator would, and starts it again: how long until it is ready.
    pub async fn restart(&mut self) -> Duration {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
        let begun = Instant::now();
        (self.child, self.durability, self.address) = serve(&self.arguments);
        loop {
            let mut connection = Connection::open(&self.native()).await;
            if connection.ask(get("/ready")).await.0 == 200 {
                return begun.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Memory at its highest.
    pub fn memory_mib(&self) -> u64 {
        crate::usage::memory(self.id()) / 1024
    }

    /// Memory now.
    pub fn memory_now_mib(&self) -> u64 {
        crate::usage::memory_now(self.id()) / 1024
    }

    /// Records of the log.
    pub async fn size(&self) -> u64 {
        let mut connection = Connection::open(&self.native()).await;
        let (status, answer) = connection.ask(get("/v1/logs/local/checkpoint")).await;
        assert_eq!(status, 200, "{answer:?}");
        let text = String::from_utf8(answer.to_vec()).unwrap();
        text.lines().nth(1).unwrap().parse().unwrap()
    }

    /// Exports the log and has it judged: the judge's last line.
    pub async fn verify(&self) -> String {
        let bundle = self.data.path().join("soak.tar");
        let mut file = std::fs::File::create(&bundle).unwrap();
        let mut connection = Connection::open(&self.native()).await;
        let write = |piece: &[u8]| file.write_all(piece).unwrap();
        let ask = Ask {
            method: Method::POST,
            path: "/v1/logs/local/bundles".to_owned(),
            content_type: "application/json",
            body: b"{}".to_vec(),
        };
        let status = connection.stream(ask, write).await;
        assert_eq!(status, 200);
        let key = Command::new(probity())
            .args(["vkey", "--tenant", "local", "--data"])
            .arg(self.data.path())
            .output()
            .unwrap();
        let key = String::from_utf8(key.stdout).unwrap();
        let judged = Command::new(probity().with_file_name("probity-verify"))
            .arg(&bundle)
            .args(["--key", key.trim()])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&judged.stdout).into_owned();
        assert!(judged.status.success(), "{text}");
        text.lines().last().unwrap_or_default().to_owned()
    }

    /// Bytes of the files of records, and of those of views; none where a database server has them.
    pub fn disk(&self) -> Option<(u64, u64)> {
        if self.database.is_some() {
            return None;
        }
        let bytes = |beginning: &str| {
            let files = std::fs::read_dir(self.data.path()).unwrap();
            let all = files.map(|file| file.unwrap());
            let of = all.filter(|file| file.file_name().to_string_lossy().starts_with(beginning));
            of.map(|file| file.metadata().unwrap().len()).sum()
        };
        Some((bytes("probity.db"), bytes("views.db")))
    }

    pub async fn stop(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if let Some((name, _)) = &self.database {
            let mut admin = PgConnection::connect(&postgres()).await.unwrap();
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            let dropped = admin.execute(sqlx::raw_sql(AssertSqlSafe(sql)));
            dropped.await.unwrap();
        }
    }
}

/// A load program that broke down leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the server: its process, how durable its commits are, where it listens.
fn serve(arguments: &[String]) -> (Child, String, SocketAddr) {
    let mut child = Command::new(probity())
        .arg("serve")
        .args(arguments)
        .args(["--listen", "127.0.0.1:0", "--origin", "bench.example"])
        .env("ADAPTER_JWT_SECRET", ADAPTER_SECRET)
        .env("OPS_LOCAL_API_KEY", OPS_KEY)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut after = |words: &str| loop {
        let line = lines.next().unwrap().unwrap();
        if let Some((_, rest)) = line.split_once(words) {
            return rest.trim().to_owned();
        }
    };
    let durability = after("record store: ");
    let address = after("listening on http://").parse().unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    (child, durability, address)
}

async fn one(target: &Target, path: &str, body: &Value) {
    let ask = Ask {
        method: Method::POST,
        path: path.to_owned(),
        content_type: "application/json",
        body: serde_json::to_vec(body).unwrap(),
    };
    let (status, answer) = Connection::open(target).await.ask(ask).await;
    assert_eq!(status, 200, "{path}: {answer:?}");
}

/// So many decisions about this tool.
async fn decided(target: &Target, tool: &'static str, count: u64) {
    let tasks = (0..CONNECTIONS).map(|_| {
        let target = target.clone();
        tokio::spawn(async move {
            let mut connection = Connection::open(&target).await;
            for _ in 0..count.div_ceil(CONNECTIONS) {
                let (status, answer) = connection.ask(decide(tool)).await;
                assert_eq!(status, 200, "{answer:?}");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// So many requests of this work, one after the other.
async fn many(target: &Target, work: Work, count: u64) {
    let mut connection = Connection::open(target).await;
    for number in 0..count {
        let (status, answer) = connection.ask(work.ask(number, target).unwrap()).await;
        assert!(status < 300, "{answer:?}");
    }
}

/// The ids of decisions, newest first.
async fn decisions(target: &Target, which: &str, count: u64) -> Vec<String> {
    let mut connection = Connection::open(target).await;
    let mut ids = Vec::new();
    while (ids.len() as u64) < count {
        let ask = get(&format!(
            "/v1/logs/local/decisions?{which}&limit={PAGE}&offset={}",
            ids.len()
        ));
        let (status, answer) = connection.ask(ask).await;
        assert_eq!(status, 200, "{answer:?}");
        let page: Value = serde_json::from_slice(&answer).unwrap();
        let rows = page["items"].as_array().unwrap();
        if rows.is_empty() {
            break;
        }
        ids.extend(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
    }
    ids
}

fn adapter_token() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = json!({
        "type": "adapter", "adapter_id": ADAPTER, "tenant_id": "local", "workspace_id": "local",
        "allowed_capabilities": ["tool"], "sub": format!("adapter:{ADAPTER}"), "iat": now, "exp": now + 86_400,
    });
    let key = EncodingKey::from_secret(ADAPTER_SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).unwrap()
}

fn postgres() -> String {
    std::env::var("PROBITY_TEST_POSTGRES").unwrap()
}

async fn make_database() -> (String, String) {
    let server = postgres();
    let name = format!("bench_{}", Uuid::now_v7().simple());
    let mut admin = PgConnection::connect(&server).await.unwrap();
    let sql = format!("CREATE DATABASE {name}");
    let made = admin.execute(sqlx::raw_sql(AssertSqlSafe(sql)));
    made.await.unwrap();
    let root = server.rsplit_once('/').unwrap().0;
    (name.clone(), format!("{root}/{name}"))
}

/// Beside this program, which cargo put into `deps`.
fn probity() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let program = here.parent().unwrap().parent().unwrap().join("probity");
    assert!(program.exists(), "first: cargo build --release");
    program
}
