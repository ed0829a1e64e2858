//! Trusted time, on a server that runs: an authority nobody here wrote (`openssl ts`) stamps its checkpoints, and agrees on the tokens.

use crate::harness::{Engine, Home, judge, repository, run};
use probity_schemas::timestamp::request;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) struct Authority {
    child: Child,
    url: String,
}

impl Authority {
    pub(crate) fn start(directory: &Path) -> Self {
        std::fs::create_dir(directory).unwrap();
        let mut command = Command::new("python3");
        command.arg(repository().join("tests/judges/openssl/tsa.py"));
        let mut child = command
            .arg(directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next().expect("it prints where it listens").unwrap();
        Self { child, url }
    }

    /// A stamp of a message, now.
    pub(crate) async fn stamp(&self, message: &[u8]) -> Vec<u8> {
        let query = request(message, [7; 16]).unwrap();
        let call = reqwest::Client::new().post(&self.url).body(query);
        let answer = call.send().await.unwrap().error_for_status().unwrap();
        answer.bytes().await.unwrap().to_vec()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn stamps_before_an_export(engine: Engine) {
    let home = Home::new(engine).await;
    let key = home.issue_key("local", "admin");
    let vkey = home.vkey("local");
    let place = home.path("authority");
    let authority = Authority::start(&place);
    let root = place.join("root.pem").display().to_string();
    let asked = ["--tsa", root.as_str()];

    let server = home
        .serve_as("data", &["--timestamp-url", &authority.url])
        .await;
    for name in ["first.tar", "second.tar"] {
        assert_eq!(server.observe(&key).await.0, 201);
        server.bundle(&key, &home.path(name)).await;
        let (code, text) = judge(&home.path(name), &vkey, &asked);
        assert!(
            code == 0 && text.contains("CN=an authority at 2"),
            "{name}: {code} {text}"
        );
    }
    // Nobody stamps any more: bundles are made all the same, and say what they hold.
    drop(authority);
    assert_eq!(server.observe(&key).await.0, 201);
    server.bundle(&key, &home.path("third.tar")).await;
    let (code, text) = judge(&home.path("third.tar"), &vkey, &asked);
    assert!(
        code == 0 && text.contains("2 looked at the log"),
        "{code} {text}"
    );
    server.stop();

    let unpacked = home.path("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    run(Command::new("tar")
        .arg("-xf")
        .arg(home.path("third.tar"))
        .arg("-C")
        .arg(&unpacked));
    let tokens: Vec<_> = std::fs::read_dir(unpacked.join("timestamps"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(tokens.len(), 2);
    for token in tokens {
        let size = token.file_stem().unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["ts", "-verify", "-CAfile", &root, "-in"]);
        openssl.arg(&token).arg("-data");
        let said = run(openssl.arg(unpacked.join("checkpoints").join(size)));
        assert!(String::from_utf8_lossy(&said.stdout).contains("Verification: OK"));
    }
    home.remove().await;
}

#[tokio::test]
async fn an_authority_stamps_what_is_exported_sqlite() {
    stamps_before_an_export(Engine::Sqlite).await;
}

#[tokio::test]
async fn an_authority_stamps_what_is_exported_postgres() {
    stamps_before_an_export(Engine::Postgres).await;
}
