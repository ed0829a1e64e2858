//! The disk is full: under records, views, keys, guard and the server's own log at once; under the keys alone; under a bundle.

use super::disk::Disk;
use crate::attachments::named;
use crate::harness::{Engine, Home, PATIENCE, Server, accepted, judge};
use crate::load::{Load, all_there};
use crate::rebuild::{size, view_rows};
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};

/// More than fits beside anything else.
const EVIDENCE_BYTES: usize = 100_000;

#[tokio::test]
async fn a_full_disk_puts_writes_off_until_there_is_room() {
    let mut home = Home::new(Engine::Sqlite).await;
    let disk = Disk::at(&home.data(), &mut home);
    let (key, auditor) = (
        home.issue_key("local", "agent"),
        home.issue_key("local", "auditor"),
    );
    let server = home.serve().await;
    let load = Load::start(&server, &key, "full", 16);
    load.goes_on(100).await;

    disk.fill(&server);
    load.is_put_off(50).await;
    for path in ["checkpoint", "records?from=0&limit=100", "decisions"] {
        let (status, said) = server
            .get(&auditor, &format!("/v1/logs/local/{path}"))
            .await;
        assert_eq!(status, 200, "{path}: {said}");
    }
    let evidence = vec![7; EVIDENCE_BYTES];
    let name = named(&home, &evidence);
    assert_eq!(upload(&server, &key, &name, evidence.clone()).await, 503);
    for person in ["ada", "grace", "mary"] {
        let (status, said) = letter_from(&server, &key, person).await;
        assert!(
            status == 503 && said.contains("\"code\":"),
            "{status} {said}"
        );
    }
    load.is_put_off(50).await;

    disk.free(&server);
    load.goes_on(100).await;
    assert_eq!(upload(&server, &key, &name, evidence).await, 201);
    for person in ["ada", "emmy"] {
        let (status, said) = letter_from(&server, &key, person).await;
        assert_eq!(status, 201, "{said}");
    }
    let heard = load.stop().await;
    all_there(&server, &auditor, &heard.acknowledged).await;
    view_rows(&server, &auditor).await;
    server.stop();
    let server = home.serve().await;
    all_there(&server, &auditor, &heard.acknowledged).await;
    server.stop();
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
    eprintln!(
        "a full disk ({}): {} acknowledged records, none lost; put off: {:?}",
        disk.what(),
        heard.acknowledged.len(),
        heard.put_off
    );
}

/// On a connection of its own: one whose upload was not taken is closed.
async fn upload(server: &Server, key: &str, name: &str, content: Vec<u8>) -> u16 {
    let url = format!("{}/v1/logs/local/attachments/{name}", server.base);
    let call = reqwest::Client::new().put(url).bearer_auth(key);
    call.body(content).send().await.unwrap().status().as_u16()
}

/// Reports something personal, for which a person who is not known yet needs a key of their own.
async fn letter_from(server: &Server, key: &str, person: &str) -> (u16, String) {
    let line = json!({"kind": "letter", "subject": "letter/1", "data": {"from": person},
        "personal": [{"pointer": "/from", "person": person}]});
    let url = format!("{}/v1/logs/local/records", server.base);
    let call = server.http.post(url).bearer_auth(key);
    let call = call.header("content-type", "application/x-ndjson");
    let answer = call.body(format!("{line}\n")).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The guard lags behind then, which it may; what would take a checkpoint out of the house waits for it.
#[tokio::test]
async fn a_full_disk_under_the_keys_holds_up_no_append_and_lets_no_bundle_out() {
    let mut home = Home::new(Engine::Postgres).await;
    let disk = Disk::at(&home.path("keys"), &mut home);
    let (key, auditor) = (
        home.issue_key("local", "agent"),
        home.issue_key("local", "auditor"),
    );
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    guard_comes_to(&disk, size(&server, &auditor).await).await;

    disk.fill(&server);
    let before = size(&server, &auditor).await;
    assert_eq!(server.observe(&key).await.0, 201);
    let url = format!("{}/v1/logs/local/bundles", server.base);
    let answer = server
        .http
        .post(url)
        .bearer_auth(&auditor)
        .send()
        .await
        .unwrap();
    let whole = answer.error_for_status().unwrap().bytes().await;
    assert!(
        whole.is_err(),
        "a bundle went out that the guard does not know of"
    );
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(guarded(&disk), before, "what was kept is there, whole");

    disk.free(&server);
    guard_comes_to(&disk, size(&server, &auditor).await).await;
    server.bundle(&auditor, &home.path("bundle.tar")).await;
    server.stop();
    accepted(&home.path("bundle.tar"), &home.vkey("local"));
    eprintln!(
        "a full disk under the keys ({}): the guard came back",
        disk.what()
    );
    home.remove().await;
}

fn size_of(note: &str) -> u64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}

fn guarded(disk: &Disk) -> u64 {
    let note = std::fs::read_to_string(disk.file("guard/local.checkpoint"));
    note.map_or(0, |note| size_of(&note))
}

async fn guard_comes_to(disk: &Disk, size: u64) {
    let begun = Instant::now();
    while guarded(disk) < size {
        assert!(
            begun.elapsed() < PATIENCE,
            "the guard stays at {}",
            guarded(disk)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A bundle that does not fit is none: as a tar it is not there, as a directory the judge does not take it.
#[tokio::test]
async fn a_bundle_that_does_not_fit_on_the_disk_is_none() {
    let home = Home::new(Engine::Sqlite).await;
    let key = home.issue_key("local", "agent");
    let server = home.serve().await;
    let load = Load::start(&server, &key, "bundle", 4);
    load.goes_on(300).await;
    load.stop().await;
    let vkey = home.vkey("local");
    for name in ["small.tar", "small"] {
        let whole = home.probity(&["export", "--tenant", "local", "--out", name]);
        let mut limited = Command::new("sh");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""]);
        limited.arg(whole.get_program()).args(whole.get_args());
        limited.current_dir(home.path(""));
        let output = limited.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("File too large"), "{said}");
        let left = home.path(name);
        assert!(!left.exists() || judge(&left, &vkey, &[]).0 != 0, "{name}");
    }
    assert!(!home.path("small.tar").exists() && !home.path("small.tar.partial").exists());
    server.stop();
}
