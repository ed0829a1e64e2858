//! The log as others read it: C2SP tlog-tiles of 70,000 records, judged over HTTP by Go's `sumdb/tlog`, also after every tile that was
//! kept is gone; and proofs alone, judged by `probity-verify`.

use crate::harness::{Engine, Home, Server, binary};
use crate::judges::tool;
use crate::rebuild::delete_derived;
use std::process::Command;

const RECORDS: usize = 70_000;
const BATCH: usize = 10_000;

/// Appends observations in the largest batches there are.
async fn fill(server: &Server, key: &str, records: usize) {
    for batch in 0..records / BATCH {
        let lines: String = (0..BATCH)
            .map(|at| {
                format!("{{\"kind\":\"seen\",\"subject\":\"ticket/{batch}-{at}\",\"data\":{at}}}\n")
            })
            .collect();
        let answer = server
            .http
            .post(format!("{}/v1/logs/local/records", server.base))
            .bearer_auth(key)
            .header("content-type", "application/x-ndjson")
            .body(lines)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
    }
}

/// The foreign judge's exit code and words on a log that it reads tile by tile.
fn foreign(server: &Server, key: &str, vkey: &str) -> (i32, String) {
    let output = Command::new(tool("judges/tlog"))
        .args(["tiles", &format!("{}/v1/logs/local", server.base), vkey])
        .env("PROBITY_KEY", key)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

async fn tiles_are_judged(engine: Engine, records: usize) {
    let home = Home::new(engine).await;
    let auditor = home.issue_key("local", "auditor");
    let operator = home.issue_key("local", "operator");
    let vkey = home.vkey("local");
    let server = home.serve().await;
    fill(&server, &operator, records).await;
    let (code, text) = foreign(&server, &auditor, &vkey);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("accepted"), "{text}");
    server.stop();
    delete_derived(&home).await;
    let server = home.serve().await;
    let (code, text) = foreign(&server, &auditor, &vkey);
    assert_eq!(code, 0, "{text}");
    server.stop();
    home.remove().await;
}

#[tokio::test]
async fn a_foreign_judge_reads_seventy_thousand_records_tile_by_tile() {
    tiles_are_judged(Engine::Sqlite, RECORDS).await;
}

#[tokio::test]
async fn tiles_on_postgres_are_the_same() {
    tiles_are_judged(Engine::Postgres, BATCH).await;
}

#[tokio::test]
async fn a_receipt_and_a_continuation_are_shown_without_a_bundle() {
    let home = Home::new(Engine::Sqlite).await;
    let operator = home.issue_key("local", "operator");
    let vkey = home.vkey("local");
    let server = home.serve().await;
    let log = "/v1/logs/local";
    let save = async |name: &str, path: String| {
        let (status, text) = server.get(&operator, &format!("{log}/{path}")).await;
        assert_eq!(status, 200, "{path}: {text}");
        std::fs::write(home.path(name), &text).unwrap();
        text
    };
    let size = |note: &str| note.lines().nth(1).unwrap().to_owned();
    let old = save("old", "checkpoint".to_owned()).await;
    fill(&server, &operator, BATCH).await;
    let new = save("new", "checkpoint".to_owned()).await;
    let (old, new) = (size(&old), size(&new));
    save("proof", format!("consistency?from={old}&to={new}")).await;
    save("receipt", "receipts/7000".to_owned()).await;
    save("record", "records?from=7000&limit=1".to_owned()).await;
    save("other", "records?from=7001&limit=1".to_owned()).await;
    server.stop();
    for (arguments, expected) in [
        ("receipt receipt --record record", 0),
        ("receipt receipt --record other", 1),
        ("receipt old --record record", 2),
        ("consistency old new proof", 0),
        ("consistency new old proof", 2),
        ("consistency old new receipt", 2),
    ] {
        let output = Command::new(binary("probity-verify"))
            .args(arguments.split(' '))
            .args(["--key", &vkey])
            .current_dir(home.path(""))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(expected), "{arguments}: {text}");
    }
}
