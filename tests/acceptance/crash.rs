//! kill -9 under load, again and again: what was acknowledged is there, the log is one history, the views come back the same.
//!
//! `PROBITY_KILLS` says how often on each store (5 unless set); docs/RELIABILITY.md names the command for the full count.

use crate::harness::{Engine, Home, Server, accepted};
use crate::rebuild::{delete_derived, view_rows};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CLIENTS: usize = 8;

/// What was acknowledged: the marker inside the record, by sequence.
type Acknowledged = Arc<Mutex<BTreeMap<u64, String>>>;

#[tokio::test]
async fn no_acknowledged_record_is_lost_on_sqlite() {
    kill_again_and_again(Engine::Sqlite).await;
}

#[tokio::test]
async fn no_acknowledged_record_is_lost_on_postgres() {
    kill_again_and_again(Engine::Postgres).await;
}

async fn kill_again_and_again(engine: Engine) {
    let kills = std::env::var("PROBITY_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let home = Home::new(engine).await;
    let key = home.issue_key("local", "agent");
    let auditor = home.issue_key("local", "auditor");
    let acknowledged = Acknowledged::default();
    for round in 0..kills {
        let server = home.serve().await;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let append = Appender {
                    url: format!("{}/v1/logs/local/records", server.base),
                    http: server.http.clone(),
                    key: key.clone(),
                    acknowledged: Arc::clone(&acknowledged),
                };
                tokio::spawn(append.until_it_breaks(round, client))
            })
            .collect();
        // Not the same moment of a batch each time.
        tokio::time::sleep(Duration::from_millis(150 + 37 * (round % 7))).await;
        server.kill();
        for client in clients {
            client.await.unwrap();
        }
    }
    let server = home.serve().await;
    let before = acknowledged.lock().unwrap().clone();
    assert!(
        before.len() > CLIENTS,
        "the load did nothing: {}",
        before.len()
    );
    check_acknowledged(&server, &auditor, &before).await;
    let rows = view_rows(&server, &auditor).await;
    server.stop();
    delete_derived(&home).await;
    let server = home.serve().await;
    assert_eq!(
        view_rows(&server, &auditor).await,
        rows,
        "the views came back different"
    );
    server.stop();
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
    eprintln!(
        "{engine:?}: {kills} kills, {} acknowledged records, none lost",
        before.len()
    );
    home.remove().await;
}

/// A client that appends until the server is gone.
struct Appender {
    url: String,
    http: reqwest::Client,
    key: String,
    acknowledged: Acknowledged,
}

impl Appender {
    async fn until_it_breaks(self, round: u64, client: usize) {
        for turn in 0u64.. {
            let marker = format!("r{round}-c{client}-t{turn}");
            let line = json!({"kind": "note", "subject": format!("note/{marker}"), "data": {"marker": marker}});
            let call = self
                .http
                .post(&self.url)
                .bearer_auth(&self.key)
                .header("idempotency-key", &marker);
            let call = call
                .header("content-type", "application/x-ndjson")
                .body(format!("{line}\n"));
            let Ok(answer) = call.send().await else {
                return;
            };
            let status = answer.status();
            let Ok(body) = answer.json::<Value>().await else {
                return;
            };
            assert!(
                status.is_success() || status.as_u16() == 503,
                "{status}: {body}"
            );
            if let Some(first) = body["first"].as_u64() {
                self.acknowledged.lock().unwrap().insert(first, marker);
            }
        }
    }
}

async fn check_acknowledged(server: &Server, auditor: &str, acknowledged: &BTreeMap<u64, String>) {
    let mut from = 0;
    let mut found = 0;
    loop {
        let (status, page) = server
            .get(
                auditor,
                &format!("/v1/logs/local/records?from={from}&limit=1000"),
            )
            .await;
        assert_eq!(status, 200, "{page}");
        if page.is_empty() {
            break;
        }
        for line in page.lines() {
            if let Some(marker) = acknowledged.get(&from) {
                assert!(
                    line.contains(&format!("\"{marker}\"")),
                    "record {from} is not {marker}: {line}"
                );
                found += 1;
            }
            from += 1;
        }
    }
    assert_eq!(
        found,
        acknowledged.len(),
        "acknowledged records are missing"
    );
}
