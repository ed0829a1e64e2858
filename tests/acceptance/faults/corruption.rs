//! Bytes change on the disk, under records, views and snapshots. What is no longer what was written is not given out: a read of it fails, the
//! judge names it, and everything else goes on. What can be made again is made again.

use crate::harness::{Engine, Home, PATIENCE, Server, accepted, judge};
use crate::player::play;
use crate::rebuild::{delete_derived, kept_state, size, view_rows};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// As `ledger/src/store/limits.rs` has it.
const PAGE_BYTES: usize = 8192;

/// SQLite's own.
const VIEW_PAGE_BYTES: usize = 4096;

const TRUTH: &str = "refund of 120 approved";

/// The same length, and another story.
const UNTRUTH: &str = "refund of 920 approved";

/// A log in the middle of which something true is recorded; it is stopped. The place of that, and an auditor's key.
async fn recorded(home: &Home) -> (u64, String) {
    let auditor = home.issue_key("local", "auditor");
    let key = home.issue_key("local", "agent");
    let server = home.serve().await;
    play(&server, "refund_agent").await;
    let line = json!({"kind": "note", "subject": "note/truth", "data": {"said": TRUTH}});
    let url = format!("{}/v1/logs/local/records", server.base);
    let call = server.http.post(url).bearer_auth(&key);
    let call = call.header("content-type", "application/x-ndjson");
    let answer = call.body(format!("{line}\n")).send().await.unwrap();
    let appended: Value = answer.json().await.unwrap();
    assert_eq!(server.observe(&key).await.0, 201);
    view_rows(&server, &auditor).await;
    server.stop();
    (appended["first"].as_u64().unwrap(), auditor)
}

fn records(home: &Home) -> PathBuf {
    home.data().join("probity.db")
}

fn views(home: &Home) -> PathBuf {
    home.data().join("views.db")
}

/// Changes a file, of a server that is stopped; what it was.
fn change(file: &Path, how: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let before = std::fs::read(file).unwrap();
    let mut after = before.clone();
    how(&mut after);
    assert!(before != after && before.len() == after.len());
    std::fs::write(file, after).unwrap();
    before
}

fn place_of(bytes: &[u8], text: &str) -> usize {
    let mut windows = bytes.windows(text.len());
    let found = windows.position(|window| window == text.as_bytes());
    found.unwrap_or_else(|| panic!("{text} is not in the file"))
}

fn rewrite(bytes: &mut [u8]) {
    let at = place_of(bytes, TRUTH);
    bytes[at..at + UNTRUTH.len()].copy_from_slice(UNTRUTH.as_bytes());
}

/// The page that a text is on becomes nothing.
fn wipe(bytes: &mut [u8], text: &str) {
    let at = place_of(bytes, text) / PAGE_BYTES * PAGE_BYTES;
    bytes[at..at + PAGE_BYTES].fill(0);
}

/// The lines that were given out until the answer ended, or broke off. A word of the catalogue stands for an answer that is an error.
async fn given_out(server: &Server, auditor: &str, from: u64) -> String {
    let url = format!("{}/v1/logs/local/records?from={from}", server.base);
    let call = server.http.get(url).bearer_auth(auditor);
    let mut answer = call.send().await.unwrap();
    if answer.status().as_u16() == 500 {
        let problem: Value = answer.json().await.unwrap();
        return problem["code"].as_str().unwrap().to_owned();
    }
    let mut all = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        all.extend_from_slice(&piece);
    }
    String::from_utf8(all).unwrap()
}

/// Neither writes nor answers.
async fn refused(server: &Server, key: &str, auditor: &str) {
    for (status, said) in [
        server.observe(key).await,
        server.get(auditor, "/v1/logs/local/audit").await,
        server.get(auditor, "/v1/logs/local/records").await,
    ] {
        assert!(
            status >= 500 && said.contains("\"code\":"),
            "{status} {said}"
        );
    }
}

async fn forget_snapshots(home: &Home) {
    let url = format!("sqlite:{}", records(home).display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    database.execute("DELETE FROM snapshots").await.unwrap();
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_record_that_changed_on_the_disk_is_not_given_out() {
    let home = Home::new(Engine::Sqlite).await;
    let (truth, auditor) = recorded(&home).await;
    let key = home.issue_key("local", "agent");
    let vkey = home.vkey("local");
    change(&records(&home), |bytes| rewrite(bytes));

    // Started from its snapshot the log goes on, and what was changed is not read to anybody.
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    for from in [0, truth] {
        assert_eq!(given_out(&server, &auditor, from).await, "internal");
    }
    let (status, before) = server
        .get(&auditor, &format!("/v1/logs/local/records?limit={truth}"))
        .await;
    assert_eq!((status, before.lines().count() as u64), (200, truth));
    let after = given_out(&server, &auditor, truth + 1).await;
    assert!(after.lines().count() > 1, "the rest is there");
    server.stop();
    let said = std::fs::read_to_string(home.log("data")).unwrap();
    let words = format!("record {truth} does not have the hash it was written with");
    assert!(said.contains(&words), "{said}");

    // The judge is shown what is there, and names it.
    let bundle = home.export("local", "changed.tar");
    let (code, text) = judge(&bundle, &vkey, &[]);
    assert!(
        code == 1 && text.contains(&format!("record {truth}")),
        "{code} {text}"
    );

    // What is to be made of all records stops there: views do not show it, and without a snapshot nothing is decided over it.
    delete_derived(&home).await;
    let server = home.serve_unready().await;
    refused(&server, &key, &auditor).await;
    server.stop();

    // With the bytes back, so is everything.
    change(&records(&home), |bytes| {
        let at = place_of(bytes, UNTRUTH);
        bytes[at..at + TRUTH.len()].copy_from_slice(TRUTH.as_bytes());
    });
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    view_rows(&server, &auditor).await;
    server.stop();
    accepted(&home.export("local", "whole.tar"), &vkey);
}

#[tokio::test]
async fn a_page_of_records_that_is_gone_is_an_error_and_not_a_shorter_log() {
    let home = Home::new(Engine::Sqlite).await;
    let (_, auditor) = recorded(&home).await;
    let key = home.issue_key("local", "agent");
    let vkey = home.vkey("local");
    forget_snapshots(&home).await;
    let whole = change(&records(&home), |bytes| wipe(bytes, TRUTH));
    let server = home.serve_unready().await;
    refused(&server, &key, &auditor).await;
    server.stop();
    let mut export = home.probity(&["export", "--tenant", "local", "--out", "gone.tar"]);
    let output = export.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && !home.path("gone.tar").exists(),
        "{said}"
    );
    assert!(
        said.contains("malformed") || said.contains("missing"),
        "{said}"
    );

    // The first page says what file it is.
    std::fs::write(records(&home), &whole).unwrap();
    change(&records(&home), |bytes| bytes[..PAGE_BYTES].fill(0));
    let said = home.refuses_to_serve();
    assert!(said.contains("file is not a database"), "{said}");

    std::fs::write(records(&home), &whole).unwrap();
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    server.stop();
    accepted(&home.export("local", "whole.tar"), &vkey);
}

/// Views are derived: a file that cannot be opened is made again, and one with a hole fails where the hole is, until it is deleted.
#[tokio::test]
async fn a_page_of_views_that_is_gone_is_an_error_or_comes_back() {
    let home = Home::new(Engine::Sqlite).await;
    let (_, auditor) = recorded(&home).await;
    let server = home.serve().await;
    let rows = view_rows(&server, &auditor).await;
    server.stop();

    let whole = change(&views(&home), |bytes| bytes[..100].fill(0));
    let server = home.serve().await;
    assert_eq!(view_rows(&server, &auditor).await, rows, "made again");
    server.stop();

    // Where the hole is met when the file is opened it is made again too; where it is met later, that answer is an error.
    let pages = whole.len() / VIEW_PAGE_BYTES;
    let mut errors = 0;
    for page in (1..pages).step_by((pages / 8).max(1)) {
        std::fs::write(views(&home), &whole).unwrap();
        let hole = page * VIEW_PAGE_BYTES..(page + 1) * VIEW_PAGE_BYTES;
        change(&views(&home), |bytes| bytes[hole].fill(0));
        let server = home.serve().await;
        errors += answers_or_errors(&server, &auditor, &rows).await;
        server.stop();
    }
    assert!(errors > 0, "nobody met a hole");
    std::fs::remove_file(views(&home)).unwrap();
    let server = home.serve().await;
    assert_eq!(view_rows(&server, &auditor).await, rows);
    server.stop();
}

/// Every list is as it was, or an error (a view that cannot be followed over the hole is not there yet): how many are.
async fn answers_or_errors(server: &Server, auditor: &str, rows: &[(&str, Value)]) -> usize {
    let size = size(server, auditor).await;
    let mut errors = 0;
    for (list, shown) in rows {
        let path = format!("/v1/logs/local/{list}?min_position={size}&limit=500");
        let begun = Instant::now();
        let (status, said) = loop {
            let (status, said) = server.get(auditor, &path).await;
            if status != 409 || begun.elapsed() > Duration::from_secs(3) {
                break (status, said);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        match status {
            409 | 500 => errors += 1,
            _ => assert!(
                status == 200 && serde_json::from_str::<Value>(&said).unwrap() == *shown,
                "{list}: {status}"
            ),
        }
    }
    errors
}

#[tokio::test]
async fn a_broken_snapshot_is_passed_over_on_sqlite() {
    broken_snapshots(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_broken_snapshot_is_passed_over_on_postgres() {
    broken_snapshots(Engine::Postgres).await;
}

async fn broken_snapshots(engine: Engine) {
    let home = Home::new(engine).await;
    let (_, auditor) = recorded(&home).await;
    let server = home.serve().await;
    let checkpoint = server.get(&auditor, "/v1/logs/local/checkpoint").await.1;
    server.stop();
    let state = kept_state(&home).await;
    let flipped = |at: usize| {
        let mut bytes = state.clone();
        bytes[at] ^= 1;
        bytes
    };
    let last = state.len() - 1;
    for (story, broken) in [
        ("its seal changed", flipped(0)),
        ("its middle changed", flipped(state.len() / 2)),
        ("its end changed", flipped(last)),
        ("it was cut", state[..last].to_vec()),
        ("little of it is left", state[..20].to_vec()),
        ("nothing of it is left", Vec::new()),
    ] {
        keep_state(&home, &broken).await;
        let before = std::fs::read_to_string(home.log("data")).unwrap().len();
        let begun = Instant::now();
        let server = home.serve().await;
        assert!(begun.elapsed() < PATIENCE);
        let found = server.get(&auditor, "/v1/logs/local/checkpoint").await.1;
        assert_eq!(found, checkpoint, "{story}");
        server.stop();
        let said = std::fs::read_to_string(home.log("data")).unwrap();
        assert!(
            said[before..].contains("the snapshot is of no use"),
            "{story}"
        );
        assert!(kept_state(&home).await == state, "{story}: another state");
    }
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
    home.remove().await;
}

/// Puts these bytes in the snapshot's place.
async fn keep_state(home: &Home, content: &[u8]) {
    let content = content.to_vec();
    let changed = if let Some(url) = home.postgres_url() {
        let mut database = PgConnection::connect(url).await.unwrap();
        let put = sqlx::query("UPDATE probity.snapshots SET content = $1").bind(content);
        put.execute(&mut database).await.unwrap().rows_affected()
    } else {
        let url = format!("sqlite:{}", records(home).display());
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        let put = sqlx::query("UPDATE snapshots SET content = ?").bind(content);
        put.execute(&mut database).await.unwrap().rows_affected()
    };
    assert_eq!(changed, 1);
}
