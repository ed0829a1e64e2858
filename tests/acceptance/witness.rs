//! Witnesses: our own beside our server, theirs (PyPI `witness-log`) beside our server, ours beside their log. What a database, a guard
//! and a log key in one hand can do is done here, and a witness is what shows it.

use crate::harness::{Engine, Home, binary, judge, repository, run};
use crate::judges::tool;
use crate::player::play;
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A witness that runs.
struct Witness {
    child: Child,
    vkey: String,
    url: String,
}

impl Witness {
    /// Starts a program that prints a key and then where it listens.
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let vkey = lines.next().expect("it prints its key").unwrap();
        let listening = lines.next().expect("it prints where it listens").unwrap();
        let (_, url) = listening.split_once("listening on ").unwrap();
        let url = url.to_owned();
        Self { child, vkey, url }
    }

    fn ours(data: &Path, logs: &[&str]) -> Self {
        let mut command = Command::new(binary("probity"));
        command.args([
            "witness",
            "--listen",
            "127.0.0.1:0",
            "--name",
            "witness.example/w1",
        ]);
        for log in logs {
            command.args(["--log", log]);
        }
        Self::start(command.arg("--data").arg(data))
    }

    /// A policy file that asks for this one.
    fn policy(&self, home: &Home) -> String {
        let file = home.path("witnesses.policy");
        let text = format!("witness w {} {}\nquorum w\n", self.vkey, self.url);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    /// What it serves to monitors.
    async fn newest(&self, origin: &str) -> String {
        let name: String = Sha256::digest(origin)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let url = format!("{}/{name}/checkpoint", self.url);
        reqwest::get(url)
            .await
            .unwrap()
            .error_for_status()
            .unwrap()
            .text()
            .await
            .unwrap()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    run(Command::new("cp").arg("-a").arg(from).arg(to));
}

fn evidence(witness: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(witness.join("evidence")).unwrap();
    found.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_witness_shows_what_database_guard_and_key_in_one_hand_can_hide() {
    let home = Home::new(Engine::Sqlite).await;
    let key = home.issue_key("local", "admin");
    let vkey = home.vkey("local");
    let (origin, _) = vkey.split_once('+').unwrap();
    let memory = home.path("witness");
    let witness = Witness::ours(&memory, &[&vkey]);
    let policy = witness.policy(&home);
    let watched = ["--witness-policy", policy.as_str()];

    let server = home.serve_as("data", &watched).await;
    play(&server, "refund_agent").await;
    let early = home.path("early.tar");
    let words = server.bundle(&key, &early).await;
    assert!(
        words.starts_with("witnessed at size ") && words.ends_with(" by 1"),
        "{words}"
    );
    let asked = ["--witness", witness.vkey.as_str()];
    let (code, text) = judge(&early, &vkey, &asked);
    assert!(
        code == 0 && text.contains("cosigned by witness.example/w1"),
        "{code} {text}"
    );
    let (code, text) = judge(&early, &vkey, &["--policy", &policy]);
    assert_eq!(code, 0, "{text}");
    let (_, status) = server.get(&key, "/v1/logs/local/witnesses").await;
    assert!(status.contains("\"quorum\":true"), "{status}");
    server.stop();
    // The record of that export is not cosigned yet, and the offline exporter asks nobody.
    let offline = home.export("local", "offline.tar");
    let (code, text) = judge(&offline, &vkey, &asked);
    assert!(code == 2 && text.contains("not witnessed"), "{code} {text}");

    // The backup is of database, keys and guard: nothing inside shows that it is old.
    copy(&home.data(), &home.path("backup"));
    let server = home.serve_as("data", &watched).await;
    assert_eq!(server.observe(&key).await.0, 201);
    let words = server.bundle(&key, &home.path("late.tar")).await;
    assert!(words.starts_with("witnessed at size "), "{words}");
    server.stop();
    let newest = home.path("newest");
    std::fs::write(&newest, witness.newest(origin).await).unwrap();

    copy(&home.path("backup"), &home.data());
    let server = home.serve_as("data", &watched).await;
    let (code, answer) = server.observe(&key).await;
    assert!(
        code == 503 && answer.contains("restored from a backup"),
        "{code} {answer}"
    );
    let (_, status) = server.get(&key, "/v1/logs/local/witnesses").await;
    assert!(status.contains("\"refusal\":\"witness w"), "{status}");
    server.stop();
    assert_eq!(
        evidence(&memory).len(),
        1,
        "a smaller checkpoint, signed by the log"
    );

    // Without the witness nobody would know, and the log goes on as a fork.
    let server = home.serve().await;
    play(&server, "pipeline_agent").await;
    server.stop();
    let fork = home.export("local", "fork.tar");
    assert_eq!(judge(&fork, &vkey, &[]).0, 0, "the judge alone cannot know");
    let (code, text) = judge(&fork, &vkey, &asked);
    assert_eq!(code, 2, "{text}");
    let since = ["--since", newest.to_str().unwrap()];
    let (code, text) = judge(&fork, &vkey, &since);
    assert!(
        code == 1 && text.contains("consistency.root"),
        "{code} {text}"
    );
    let (code, text) = judge(&early, &vkey, &since);
    assert!(
        code == 1 && text.contains("consistency.shorter"),
        "cut off: {code} {text}"
    );

    let server = home.serve_as("data", &watched).await;
    let (code, answer) = server.observe(&key).await;
    assert!(
        code == 503 && answer.contains("rewritten"),
        "{code} {answer}"
    );
    server.stop();
    let kept = evidence(&memory);
    assert_eq!(kept.len(), 2, "{kept:?}");
    for place in kept {
        for note in ["cosigned", "presented"] {
            let note = std::fs::read_to_string(place.join(note)).unwrap();
            assert!(note.contains(&format!("\u{2014} {origin} ")), "{note}");
        }
    }
}

/// A witness believes the keys that its own operator gave it, and no handing on.
#[tokio::test]
async fn after_a_rotation_a_witness_goes_on_once_it_is_given_the_new_key() {
    let home = Home::new(Engine::Sqlite).await;
    let admin = home.issue_key("local", "admin");
    let first = home.vkey("local");
    let memory = home.path("witness");
    let bundle_under = async |witness: &Witness, name: &str| {
        let policy = witness.policy(&home);
        let server = home
            .serve_as("data", &["--witness-policy", policy.as_str()])
            .await;
        assert_eq!(server.observe(&admin).await.0, 201);
        let bundle = home.path(name);
        server.bundle(&admin, &bundle).await;
        server.stop();
        judge(&bundle, &first, &["--witness", witness.vkey.as_str()])
    };
    let witness = Witness::ours(&memory, &[&first]);
    let (code, text) = bundle_under(&witness, "before.tar").await;
    assert_eq!(code, 0, "{text}");

    let rotated = run(home.probity(&["key", "rotate"]).args(["--tenant", "local"]));
    let second = String::from_utf8(rotated.stdout).unwrap().trim().to_owned();
    let (code, text) = bundle_under(&witness, "meanwhile.tar").await;
    assert!(code == 2 && text.contains("not witnessed"), "{code} {text}");

    let cosigned_by = witness.vkey.clone();
    drop(witness);
    let witness = Witness::ours(&memory, &[&first, &second]);
    assert_eq!(witness.vkey, cosigned_by);
    let (code, text) = bundle_under(&witness, "after.tar").await;
    assert!(
        code == 0 && text.contains("cosigned by witness.example/w1"),
        "{code} {text}"
    );
    assert!(evidence(&memory).is_empty(), "nothing contradicted itself");
}

#[tokio::test]
async fn a_foreign_witness_cosigns_our_honest_log_and_refuses_a_fork() {
    let home = Home::new(Engine::Sqlite).await;
    let key = home.issue_key("local", "admin");
    let vkey = home.vkey("local");
    let witness = Witness::start(foreign().args(["witness", &vkey]));
    let policy = witness.policy(&home);
    let watched = ["--witness-policy", policy.as_str()];
    let asked = ["--witness", witness.vkey.as_str()];
    copy(&home.data(), &home.path("backup"));

    let server = home.serve_as("data", &watched).await;
    for name in ["first.tar", "second.tar"] {
        assert_eq!(server.observe(&key).await.0, 201);
        let out = home.path(name);
        let words = server.bundle(&key, &out).await;
        assert!(words.starts_with("witnessed at size "), "{words}");
        let (code, text) = judge(&out, &vkey, &asked);
        assert!(
            code == 0 && text.contains("cosigned by foreign.example/witness"),
            "{code} {text}"
        );
    }
    server.stop();

    copy(&home.path("backup"), &home.data());
    let server = home.serve().await;
    play(&server, "refund_agent").await;
    server.stop();
    let server = home.serve_as("data", &watched).await;
    let (code, answer) = server.observe(&key).await;
    assert!(
        code == 503 && answer.contains("rewritten"),
        "{code} {answer}"
    );
    server.stop();
}

#[test]
fn our_witness_serves_a_foreign_log() {
    let home = tempfile::tempdir().unwrap();
    let key = run(foreign().arg("key")).stdout;
    let key = String::from_utf8(key).unwrap().trim().to_owned();
    let first = Witness::ours(home.path(), &[&key]);
    let (vkey, url) = (first.vkey.clone(), first.url.clone());
    let told = run(foreign().args(["submit", &url])).stdout;
    let told = String::from_utf8(told).unwrap();
    let expected = [
        ("first 200", "\u{2014} witness.example/w1 "),
        ("conflict 409", "1"),
        ("grown 200", "\u{2014} witness.example/w1 "),
        ("again 200", "\u{2014} witness.example/w1 "),
        ("fork 422", ""),
        ("rollback 400", ""),
    ];
    assert_eq!(told.lines().count(), expected.len(), "{told}");
    for (line, (answer, body)) in told.lines().zip(expected) {
        assert!(line.starts_with(answer) && line.contains(body), "{told}");
    }
    assert_eq!(evidence(home.path()).len(), 2, "the fork and the rollback");
    drop(first);
    // What it cosigned outlives it, killed as it was: the foreign log is salted, so this is another history under the same key.
    let again = Witness::ours(home.path(), &[&key]);
    assert_eq!(again.vkey, vkey);
    let told = run(foreign().args(["submit", &again.url])).stdout;
    let told = String::from_utf8(told).unwrap();
    assert!(
        told.starts_with("first 409 3\n") && told.contains("again 422"),
        "{told}"
    );
}

fn foreign() -> Command {
    let mut command = Command::new(tool("venv/bin/python"));
    command.arg(repository().join("tests/judges/python/foreign.py"));
    command
}
