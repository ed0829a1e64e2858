//! PostgreSQL dies under load, once as an operator ends it in a hurry and once by SIGKILL, and comes back: the server stays up, waits, and
//! goes on by itself.
//!
//! The story has a PostgreSQL of its own. `PROBITY_DATABASE_KILLS` says how often it dies (2 unless set).

use crate::harness::{Home, PATIENCE, accepted, run};
use crate::load::{Load, all_there};
use crate::rebuild::view_rows;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[tokio::test]
async fn postgres_dies_under_load_and_comes_back() {
    let kills: u32 =
        std::env::var("PROBITY_DATABASE_KILLS").map_or(2, |text| text.parse().expect("a number"));
    let mut postgres = Postgres::start().await;
    let home = Home::on(Some(postgres.url()));
    let (key, auditor) = (
        home.issue_key("local", "agent"),
        home.issue_key("local", "auditor"),
    );
    let server = home.serve().await;
    let load = Load::start(&server, &key, "pg", 32);
    for kill in 0..kills {
        load.goes_on(200).await;
        let hurry = [Signal::QUIT, Signal::KILL][kill as usize % 2];
        postgres.die(hurry);
        // What needs no database is answered, and what does says so.
        assert_eq!(server.get(&auditor, "/health").await.0, 200);
        let ((), (status, said)) = tokio::join!(
            load.is_put_off(1),
            server.get(&auditor, "/v1/logs/local/checkpoint")
        );
        let away = ["store_unavailable", "timeout"];
        assert!(
            status == 503 && away.iter().any(|code| said.contains(code)),
            "{status} {said}"
        );
        postgres.live().await;
        load.goes_on(200).await;
    }
    let heard = load.stop().await;
    all_there(&server, &auditor, &heard.acknowledged).await;
    view_rows(&server, &auditor).await;
    server.stop();
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
    eprintln!(
        "{kills} deaths of PostgreSQL, {} acknowledged records, none lost; put off: {:?}",
        heard.acknowledged.len(),
        heard.put_off
    );
}

/// A PostgreSQL server, its data gone at the end.
struct Postgres {
    directory: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
}

impl Postgres {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);
        if rustix::process::geteuid().is_root() {
            run(Command::new("chown").arg("postgres:").arg(directory.path()));
        }
        let mut postgres = Self {
            directory,
            port,
            process: None,
        };
        let data = postgres.data();
        run(as_postgres("initdb")
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ])
            .args(["--no-sync", "--pgdata"])
            .arg(data));
        postgres.live().await;
        postgres
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it, and waits until it has recovered.
    async fn live(&mut self) {
        let begun = Instant::now();
        while PgConnection::connect(&self.url()).await.is_err() {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not come back");
            // Where backends of the one before are still there it ends at once.
            let gone = self
                .process
                .as_mut()
                .is_none_or(|process| process.try_wait().unwrap().is_some());
            if gone {
                self.process = Some(self.spawn());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn spawn(&self) -> Child {
        let place = self.directory.path().display();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.directory.path().join("log"))
            .unwrap();
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={place}"),
            "fsync=on".to_owned(),
        ];
        let mut command = as_postgres("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(log);
        for setting in settings {
            command.args(["-c", &setting]);
        }
        command.spawn().unwrap()
    }

    fn die(&mut self, signal: Signal) {
        let process = self.process.as_mut().unwrap();
        kill_process(Pid::from_child(process), signal).unwrap();
        process.wait().unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = kill_process(Pid::from_child(process), Signal::QUIT);
            let _ = process.wait();
        }
    }
}

/// A program of PostgreSQL, which refuses to run as root.
fn as_postgres(program: &str) -> Command {
    let program = bin().join(program);
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
            "--",
        ])
        .arg(program)
        .current_dir("/");
    command
}

/// Where the server programs are, which Debian keeps out of the path.
fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let kept = versions.map(|version| version.unwrap().path().join("bin"));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut places = kept.chain(std::env::split_paths(&paths));
    let found =
        places.find(|place| place.join("initdb").exists() && place.join("postgres").exists());
    found.expect("no PostgreSQL is installed: tests/run installs one")
}
