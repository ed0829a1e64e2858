//! The signer's key is rotated twice under load; an auditor who knows the first key follows. Whoever stole it is refused: after its
//! time by anybody, before its time by those who were told.

use crate::harness::{Engine, Home, Server, accepted, judge, run};
use crate::judges::oracle;
use probity_ledger::signer::{FileSigner, Signer as _, sign_checkpoint};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::hash::leaf_hash;
use probity_schemas::subject::Tenant;
use probity_schemas::tree::root_of;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[tokio::test]
async fn a_rotated_key_on_sqlite() {
    story(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_rotated_key_on_postgres() {
    story(Engine::Postgres).await;
}

async fn story(engine: Engine) {
    let home = Home::new(engine).await;
    let admin = home.issue_key("local", "admin");
    let first = home.vkey("local");
    let keys = stolen_keys(&home, engine);

    let server = home.serve().await;
    let (_, approver) = post(&server, &admin, "credentials", json!({"role": "approver"})).await;
    let approver = approver["key"].as_str().unwrap();
    let (status, body) = post(&server, approver, "signers", json!({})).await;
    assert_eq!(status, 403, "{body}");
    assert_eq!(observe(&server, &admin, 1).await, 201);
    let load = load(&server, &admin);
    let mut named = vec![(first.clone(), 0)];
    for _ in 0..2 {
        let (status, body) = post(&server, &admin, "signers", json!({"reason": "yearly"})).await;
        assert_eq!(status, 201, "{body}");
        let key = body["signer"].as_str().unwrap().to_owned();
        named.push((key, body["sequence"].as_u64().unwrap()));
    }
    for task in load {
        task.await.unwrap();
    }
    let (_, listed) = server.get(&admin, "/v1/logs/local/signers").await;
    server.stop();
    let third = run(home.probity(&["key", "rotate"]).args(["--tenant", "local"]));
    let third = String::from_utf8(third.stdout).unwrap().trim().to_owned();
    assert_eq!(home.vkey("local"), third);
    assert!(named.iter().all(|(key, _)| listed.contains(key)));
    let history = run(home.probity(&["vkey", "--all"]).args(["--tenant", "local"]));
    let history = String::from_utf8(history.stdout).unwrap();
    assert_eq!(history.lines().count(), 4, "{history}");

    let bundle = home.export("local", "honest");
    for key in [&first, &named[1].0, &third] {
        let text = accepted(&bundle, key);
        assert!(text.contains("4 keys, each handed on"), "{text}");
        let (code, text) = oracle(&bundle, key, &[]);
        assert_eq!(code, 0, "{text}");
    }
    let part = home.path("part");
    let asked = ["export", "--tenant", "local", "--subject", "note/1"];
    run(home.probity(&asked).arg("--out").arg(&part));
    for key in [&first, &named[1].0, &third] {
        let (code, text) = judge(&part, key, &["--partial"]);
        assert_eq!(code, 0, "{text}");
        let (code, text) = oracle(&part, key, &["--partial"]);
        assert_eq!(code, 0, "{text}");
    }
    let server = home.serve().await;
    assert_eq!(observe(&server, &admin, 0).await, 201, "the log goes on");
    server.stop();

    signs_on(&home, &bundle, &keys, &first, named[1].1);
    before_its_time(&home, &bundle, &keys, &first, &third, named[1].1);
    home.remove().await;
}

/// What the thief of the first key makes of the log as it is now.
fn signs_on(home: &Home, honest: &Path, keys: &Path, first: &str, rotated: u64) {
    let forged = forge(home, honest, keys, None);
    let (code, text) = judge(&forged, first, &[]);
    let named = format!("record {rotated}: checkpoint.retired_key");
    assert!(code == 1 && text.contains(&named), "{code} {text}");
    assert_eq!(oracle(&forged, first, &[]).0, 1);
}

/// What the thief makes of the log as it was before the rotation, when the key was good.
fn before_its_time(
    home: &Home,
    honest: &Path,
    keys: &Path,
    first: &str,
    newest: &str,
    rotated: u64,
) {
    let forged = forge(home, honest, keys, Some(rotated as usize));
    assert_eq!(judge(&forged, first, &[]).0, 0, "nobody was told");
    let last_trusted = rotated.to_string();
    let compromised = [
        "key",
        "compromised",
        "--key",
        first,
        "--last-trusted",
        &last_trusted,
    ];
    run(home.probity(&compromised).args(["--tenant", "local"]));
    let bundle = home.export("local", "after");
    let text = accepted(&bundle, newest);
    assert!(text.contains("was compromised: trusted up to"), "{text}");
    let (code, text) = judge(&bundle, first, &[]);
    assert!(code == 2 && text.contains("bring a later key"), "{text}");
    let (code, text) = oracle(&bundle, first, &[]);
    assert_eq!(code, 2, "{text}");
    let told = format!("{first}@{rotated}");
    let (code, text) = judge(&forged, first, &["--compromised", &told]);
    assert!(
        code == 1 && text.contains("checkpoint.compromised_key"),
        "{code} {text}"
    );
    assert_eq!(oracle(&forged, first, &["--compromised", &told]).0, 1);
}

/// A bundle of the first records (of all, without a number), a record more, and the stolen key's signature.
fn forge(home: &Home, honest: &Path, keys: &Path, records: Option<usize>) -> PathBuf {
    let text = std::fs::read_to_string(honest.join("records.jsonl")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.truncate(records.unwrap_or(lines.len()));
    let is_note = |line: &&String| line.contains("\"subject\":\"note/1\"");
    let note = lines.iter().rev().find(is_note).unwrap().clone();
    let mut forged: Value = serde_json::from_str(&note).unwrap();
    let last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    let revision: u64 = forged["revision"].as_str().unwrap().parse().unwrap();
    forged["id"] = json!(uuid::Uuid::now_v7().to_string());
    forged["previous"] = json!(leaf_hash(lines.last().unwrap().as_bytes()));
    forged["revision"] = json!((revision + 1).to_string());
    forged["sequence"] = json!(format!("{:016}", lines.len()));
    forged["subjectprevious"] = json!(leaf_hash(note.as_bytes()));
    forged["time"] = last["time"].clone();
    lines.push(forged.to_string());
    let to = home.path(&format!("forged-{}", lines.len()));
    run(std::process::Command::new("cp")
        .arg("-a")
        .arg(honest)
        .arg(&to));
    let all: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(to.join("records.jsonl"), all).unwrap();
    let stolen = FileSigner::load(keys, &Tenant::parse("local").unwrap());
    let stolen = stolen.unwrap().unwrap();
    let checkpoint = Checkpoint {
        origin: stolen.verifier_key().name().to_owned(),
        size: lines.len() as u64,
        root: root_of(lines.iter().map(|line| leaf_hash(line.as_bytes()))),
    };
    let signed = sign_checkpoint(&[&stolen], &checkpoint).unwrap();
    std::fs::write(to.join("checkpoint"), signed).unwrap();
    to
}

/// The keys as they were before any rotation.
fn stolen_keys(home: &Home, engine: Engine) -> PathBuf {
    let keys = match engine {
        Engine::Sqlite => home.data().join("keys"),
        Engine::Postgres => home.path("keys"),
    };
    let to = home.path("stolen");
    run(std::process::Command::new("cp")
        .arg("-a")
        .arg(keys)
        .arg(&to));
    to
}

/// Clients that observe all the while.
fn load(server: &Server, key: &str) -> Vec<tokio::task::JoinHandle<()>> {
    let client = |number: u32| {
        let (http, base, key) = (server.http.clone(), server.base.clone(), key.to_owned());
        tokio::spawn(async move {
            for turn in 0..25 {
                let url = format!("{base}/v1/logs/local/records");
                let line = line(100 * number + turn);
                let call = http.post(url).bearer_auth(&key).body(line);
                let call = call.header("content-type", "application/x-ndjson");
                assert_eq!(call.send().await.unwrap().status().as_u16(), 201);
            }
        })
    };
    (0..4).map(client).collect()
}

async fn observe(server: &Server, key: &str, number: u32) -> u16 {
    let url = format!("{}/v1/logs/local/records", server.base);
    let call = server.http.post(url).bearer_auth(key).body(line(number));
    let call = call.header("content-type", "application/x-ndjson");
    call.send().await.unwrap().status().as_u16()
}

fn line(number: u32) -> String {
    json!({"kind": "note", "subject": "note/1", "data": {"number": number}}).to_string() + "\n"
}

async fn post(server: &Server, key: &str, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/v1/logs/local/{path}", server.base);
    let answer = server.http.post(url).bearer_auth(key).json(&body);
    let answer = answer.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}
