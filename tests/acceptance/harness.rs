//! A server under test: its data directory, its database, its process. Nothing of Probity's own code is used to talk to it.

use sqlx::{Connection as _, Executor as _, PgConnection};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

mod server;

pub(crate) use server::Server;

pub(crate) const ADAPTER_SECRET: &str = "acceptance adapter secret, 32 bytes or more";
pub(crate) const OPS_KEY: &str = "acceptance-ops-key";

/// How long anything may take on a busy machine before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Which database a story runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A data directory and a database, both gone at the end.
pub(crate) struct Home {
    root: tempfile::TempDir,
    /// Its PostgreSQL database, where it is not on SQLite.
    database: Option<String>,
    /// What stands before each command: what takes the program into another world (a small disk, another clock).
    before: Vec<String>,
}

impl Home {
    pub(crate) async fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::on(None),
            Engine::Postgres => Self::on(Some(make_database().await)),
        }
    }

    /// On this database; on SQLite where none is given.
    pub(crate) fn on(database: Option<String>) -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            database,
            before: Vec::new(),
        }
    }

    /// Runs every command from now on behind these words.
    pub(crate) fn behind(&mut self, words: Vec<String>) {
        self.before = words;
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// `--data`, `--keys`, `--database` for a node of this name; nodes share keys and database.
    pub(crate) fn store_arguments(&self, node: &str) -> Vec<String> {
        let mut all = vec!["--data".to_owned(), self.path(node).display().to_string()];
        if let Some(url) = &self.database {
            all.extend(["--keys".to_owned(), self.path("keys").display().to_string()]);
            all.extend(["--database".to_owned(), url.clone()]);
        }
        all
    }

    pub(crate) fn postgres_url(&self) -> Option<&str> {
        self.database.as_deref()
    }

    fn program(&self) -> Command {
        let (words, program) = (self.before.iter(), binary("probity"));
        let mut all = words.map(Into::into).chain([program.into_os_string()]);
        let mut command = Command::new(all.next().unwrap());
        command.args(all);
        command
    }

    pub(crate) fn probity(&self, command: &[&str]) -> Command {
        let mut all = self.program();
        all.args(command)
            .args(self.store_arguments("data"))
            .current_dir(self.root.path());
        all
    }

    pub(crate) async fn serve(&self) -> Server {
        self.serve_as("data", &[]).await
    }

    pub(crate) async fn serve_as(&self, node: &str, more: &[&str]) -> Server {
        let server = Server::start(self, node, more);
        server.ready().await;
        server
    }

    /// A server that starts and must say that it cannot serve.
    pub(crate) async fn serve_unready(&self) -> Server {
        let server = Server::start(self, "data", &[]);
        let answer = server.http.get(format!("{}/ready", server.base));
        assert_eq!(answer.send().await.unwrap().status().as_u16(), 503);
        server
    }

    /// A server that must not start: what it says.
    pub(crate) fn refuses_to_serve(&self) -> String {
        let mut child = self.server("data", &[]).spawn().unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(1), "it started: {}", tail(self, "data"));
        tail(self, "data")
    }

    fn server(&self, node: &str, more: &[&str]) -> Command {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log(node))
            .unwrap();
        let mut command = self.program();
        command
            .arg("serve")
            .args(self.store_arguments(node))
            .args(["--listen", "127.0.0.1:0", "--origin", "ledger.example"])
            .args(["--template", "workspace.root=/workspace/repo"])
            .args(more)
            .env("ADAPTER_JWT_SECRET", ADAPTER_SECRET)
            .env("OPS_LOCAL_API_KEY", OPS_KEY)
            .stdout(Stdio::piped())
            .stderr(log);
        command
    }

    /// Where a node's own log goes.
    pub(crate) fn log(&self, node: &str) -> PathBuf {
        self.path(&format!("{node}.log"))
    }

    /// A key of the default tenant, issued on the stopped data directory.
    pub(crate) fn issue_key(&self, tenant: &str, role: &str) -> String {
        let output = run(self
            .probity(&["key", "issue"])
            .args(["--tenant", tenant, "--role", role]));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn vkey(&self, tenant: &str) -> String {
        let output = run(self.probity(&["vkey"]).args(["--tenant", tenant]));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn export(&self, tenant: &str, name: &str) -> PathBuf {
        let out = self.path(name);
        run(self
            .probity(&["export"])
            .args(["--tenant", tenant, "--out"])
            .arg(&out));
        out
    }

    /// Removes the database; must be called where there is one.
    pub(crate) async fn remove(self) {
        if let Some(url) = &self.database {
            let path = url.split('?').next().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            let mut admin = PgConnection::connect(&postgres_server()).await.unwrap();
            let sql = format!("DROP DATABASE {name} WITH (FORCE)");
            admin
                .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
                .await
                .unwrap();
        }
    }
}

fn postgres_server() -> String {
    std::env::var("PROBITY_TEST_POSTGRES")
        .expect("PROBITY_TEST_POSTGRES must name a PostgreSQL server, e.g. postgres://postgres@127.0.0.1:5432/postgres (tests/run starts one)")
}

async fn make_database() -> String {
    let server = postgres_server();
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).unwrap();
    let name = format!("probity_acceptance_{:016x}", u64::from_be_bytes(random));
    let mut admin = PgConnection::connect(&server).await.unwrap();
    let sql = format!("CREATE DATABASE {name}");
    admin
        .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
        .await
        .unwrap();
    let (base, query) = server
        .split_once('?')
        .map_or((server.as_str(), None), |(base, query)| (base, Some(query)));
    let root = base.rsplit_once('/').map_or(base, |(root, _)| root);
    query.map_or_else(
        || format!("{root}/{name}"),
        |query| format!("{root}/{name}?{query}"),
    )
}

fn tail(home: &Home, node: &str) -> String {
    std::fs::read_to_string(home.log(node)).unwrap_or_default()
}

/// A shipped binary.
pub(crate) fn binary(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| repository().join("target"), PathBuf::from);
    let path = target.join("release").join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --release --locked` first",
        path.display()
    );
    path
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} ended with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The judge's exit code and what it printed.
pub(crate) fn judge(bundle: &Path, vkey: &str, more: &[&str]) -> (i32, String) {
    let output = Command::new(binary("probity-verify"))
        .arg(bundle)
        .args(["--key", vkey])
        .args(more)
        .output()
        .unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().unwrap_or(-1), text)
}

/// The judge must accept.
pub(crate) fn accepted(bundle: &Path, vkey: &str) -> String {
    let (code, text) = judge(bundle, vkey, &[]);
    assert_eq!(code, 0, "the judge refused an honest bundle:\n{text}");
    text
}
