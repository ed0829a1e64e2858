//! Evidence that is larger than a record: 64 MiB up and down in bounded memory, a crash in the middle, a bundle that a judge
//! reads, and what an insider does to it.

use crate::harness::{Engine, Home, Server, accepted, judge, run};
use serde_json::json;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::path::Path;

/// More than all that three transfers make a server grow by, caches of the database included.
const BYTES: usize = 64 * 1024 * 1024;

#[tokio::test]
async fn large_evidence_goes_in_and_out_and_is_judged_on_sqlite() {
    evidence(Engine::Sqlite).await;
}

#[tokio::test]
async fn large_evidence_goes_in_and_out_and_is_judged_on_postgres() {
    evidence(Engine::Postgres).await;
}

async fn evidence(engine: Engine) {
    let home = Home::new(engine).await;
    let agent = home.issue_key("local", "agent");
    let auditor = home.issue_key("local", "auditor");
    let content = recording();
    let name = named(&home, &content);
    crash_in_the_middle(&home, &agent, &name, &content).await;

    let server = home.serve().await;
    assert_eq!(parts(&home).await, 0, "what the crash left is deleted");
    let before = server.peak_bytes();
    assert_eq!(put(&server, &agent, &name, content.clone()).await, 201);
    assert_eq!(put(&server, &agent, &name, content.clone()).await, 200);
    assert_eq!(append(&server, &agent, &name).await, 201);
    let answer = get(&server, &auditor, &name).await;
    assert!(answer.bytes().await.unwrap() == content);
    let grown = server.peak_bytes() - before;
    assert!(
        grown < BYTES as u64,
        "the whole was in memory: {grown} bytes"
    );
    server.stop();

    let (whole, vkey) = (home.export("local", "whole.tar"), home.vkey("local"));
    let text = accepted(&whole, &vkey);
    assert!(
        text.contains("1 have the content their records name; 0 withheld"),
        "{text}"
    );
    let part = home.path("part");
    let arguments = ["export", "--tenant", "local", "--subject", "shift/1"];
    run(home.probity(&arguments).arg("--out").arg(&part));
    assert_eq!(judge(&part, &vkey, &["--partial"]).0, 0);
    forge(&part, &name, &vkey);

    // An insider changes a byte in the database: the transfer breaks off, the judge names it.
    flip(&home).await;
    let server = home.serve().await;
    assert!(get(&server, &auditor, &name).await.bytes().await.is_err());
    server.stop();
    let flipped = home.export("local", "flipped.tar");
    let (exit, text) = judge(&flipped, &vkey, &[]);
    assert!(exit == 1 && text.contains("attachments.content"), "{text}");
    home.remove().await;
}

/// Flipped, cut, extended, added, renamed: refused. Taken away: told.
fn forge(bundle: &Path, name: &str, vkey: &str) {
    let path = bundle.join("attachments").join(name);
    let content = std::fs::read(&path).unwrap();
    let flipped = content.iter().map(|byte| byte ^ 1).collect();
    let cut = content[..content.len() - 1].to_vec();
    let extended = [&content[..], b"x"].concat();
    for forged in [flipped, cut, extended] {
        std::fs::write(&path, forged).unwrap();
        told(bundle, vkey, 1, "attachments.content");
    }
    let other = bundle.join("attachments").join("0".repeat(64));
    std::fs::rename(&path, &other).unwrap();
    std::fs::write(&other, &content).unwrap();
    told(bundle, vkey, 1, "attachments.content");
    std::fs::remove_file(&other).unwrap();
    told(
        bundle,
        vkey,
        0,
        "0 have the content their records name; 1 withheld",
    );
    let stray = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"; // of nothing
    std::fs::write(bundle.join("attachments").join(stray), b"").unwrap();
    told(bundle, vkey, 1, "attachments.unnamed");
}

fn told(bundle: &Path, vkey: &str, expected: i32, words: &str) {
    let (exit, text) = judge(bundle, vkey, &["--partial"]);
    assert!(
        exit == expected && text.contains(words),
        "{words}: {exit}\n{text}"
    );
}

/// Sends half, and the server is killed.
async fn crash_in_the_middle(home: &Home, agent: &str, name: &str, content: &[u8]) {
    let server = home.serve().await;
    let half = content[..BYTES / 2].to_vec();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let body = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let request = server
        .http
        .put(address(&server, name))
        .bearer_auth(agent)
        .header("content-length", BYTES)
        .body(reqwest::Body::wrap_stream(body));
    let sent = tokio::spawn(request.send());
    sender.send(Ok(half)).await.unwrap();
    while parts(home).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.kill();
    assert!(sent.await.unwrap().is_err());
}

/// Nothing that repeats.
fn recording() -> Vec<u8> {
    let mut state: u64 = 1;
    let next = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    });
    next.take(BYTES).collect()
}

pub(crate) fn named(home: &Home, content: &[u8]) -> String {
    let file = home.path("recording.bin");
    std::fs::write(&file, content).unwrap();
    let said = run(
        std::process::Command::new(crate::harness::binary("probity"))
            .arg("blake3")
            .arg(&file),
    );
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

fn address(server: &Server, name: &str) -> String {
    format!("{}/v1/logs/local/attachments/{name}", server.base)
}

async fn put(server: &Server, key: &str, name: &str, content: Vec<u8>) -> u16 {
    let request = server.http.put(address(server, name)).bearer_auth(key);
    let answer = request.body(content).send().await.unwrap();
    answer.status().as_u16()
}

async fn get(server: &Server, key: &str, name: &str) -> reqwest::Response {
    let request = server.http.get(address(server, name)).bearer_auth(key);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer
}

async fn append(server: &Server, key: &str, name: &str) -> u16 {
    let named = json!([{"blake3": name, "bytes": BYTES, "media_type": "video/mp4"}]);
    let line = json!({"kind": "recording", "subject": "shift/1", "data": {}, "attachments": named});
    let request = server
        .http
        .post(format!("{}/v1/logs/local/records", server.base))
        .bearer_auth(key)
        .header("content-type", "application/x-ndjson");
    let answer = request.body(line.to_string()).send().await.unwrap();
    answer.status().as_u16()
}

/// How many parts of attachments the database holds.
async fn parts(home: &Home) -> i64 {
    match home.postgres_url() {
        Some(url) => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            let sql = "SELECT count(*) FROM probity.attachment_parts";
            sqlx::query_scalar(sql).fetch_one(&mut connection).await
        }
        None => {
            let mut connection = SqliteConnection::connect(&sqlite(home)).await.unwrap();
            let sql = "SELECT count(*) FROM attachment_parts";
            sqlx::query_scalar(sql).fetch_one(&mut connection).await
        }
    }
    .unwrap()
}

/// Changes a byte of the third part.
async fn flip(home: &Home) {
    let changed = match home.postgres_url() {
        Some(url) => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            let sql = "UPDATE probity.attachment_parts SET content = set_byte(content, 9, get_byte(content, 9) # 1) WHERE part = 2";
            let done = sqlx::query(sql).execute(&mut connection).await;
            done.unwrap().rows_affected()
        }
        None => {
            let mut connection = SqliteConnection::connect(&sqlite(home)).await.unwrap();
            let sql = "UPDATE attachment_parts SET content = CAST(substr(content, 2) || substr(content, 1, 1) AS BLOB) WHERE part = 2";
            let done = sqlx::query(sql).execute(&mut connection).await;
            done.unwrap().rows_affected()
        }
    };
    assert_eq!(changed, 1);
}

fn sqlite(home: &Home) -> String {
    format!("sqlite:{}", home.data().join("probity.db").display())
}
