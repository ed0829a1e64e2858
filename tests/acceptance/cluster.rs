//! Many clients, two servers, one database: one linear history, and a stale owner that is fenced.

use crate::harness::{Engine, Home, PATIENCE, Server, accepted};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Appends one observation; status and answer.
async fn append(http: &Client, base: &str, key: &str, marker: &str) -> (u16, Value) {
    let line =
        json!({"kind": "note", "subject": format!("note/{marker}"), "data": {"marker": marker}});
    let call = http
        .post(format!("{base}/v1/logs/local/records"))
        .bearer_auth(key)
        .header("idempotency-key", marker);
    let answer = call
        .header("content-type", "application/x-ndjson")
        .body(format!("{line}\n"))
        .send()
        .await;
    match answer {
        Ok(answer) => (
            answer.status().as_u16(),
            answer.json().await.unwrap_or(Value::Null),
        ),
        Err(_) => (0, Value::Null),
    }
}

/// Appends until it is acknowledged, with the same key each time.
async fn append_surely(http: &Client, base: &str, key: &str, marker: &str) -> u64 {
    let begun = Instant::now();
    loop {
        let (status, answer) = append(http, base, key, marker).await;
        if (200..300).contains(&status) {
            return answer["first"].as_u64().unwrap();
        }
        assert!(
            [0, 409, 503].contains(&status),
            "{marker}: {status} {answer}"
        );
        assert!(begun.elapsed() < PATIENCE, "{marker}: {status} {answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn sixty_four_clients_make_one_history() {
    let home = Home::new(Engine::Postgres).await;
    let key = home.issue_key("local", "agent");
    let server = home.serve().await;
    let clients: Vec<_> = (0..64)
        .map(|client| {
            let (http, base, key) = (server.http.clone(), server.base.clone(), key.clone());
            tokio::spawn(async move {
                let mut sequences = Vec::new();
                for turn in 0..20 {
                    sequences.push(
                        append_surely(&http, &base, &key, &format!("c{client}-t{turn}")).await,
                    );
                }
                sequences
            })
        })
        .collect();
    let mut all = BTreeSet::new();
    for client in clients {
        all.extend(client.await.unwrap());
    }
    assert_eq!(
        all.len(),
        64 * 20,
        "each acknowledged record has a place of its own"
    );
    server.stop();
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
    home.remove().await;
}

#[tokio::test]
async fn a_frozen_owner_is_fenced_and_its_clients_find_their_first_receipt() {
    let home = Home::new(Engine::Postgres).await;
    let key = home.issue_key("local", "agent");
    let first = home.serve_as("node-a", &[]).await;
    let second = home.serve_as("node-b", &[]).await;
    let http = first.http.clone();
    let one = append_surely(&http, &first.base, &key, "one").await;
    let passed_on = append_surely(&http, &second.base, &key, "two").await;
    assert_eq!(
        passed_on,
        one + 1,
        "the node that does not own the log passes the request on"
    );
    assert_eq!(
        append_surely(&http, &second.base, &key, "one").await,
        one,
        "the first receipt, through the other node"
    );

    // Frozen in the middle of load, past its lease.
    let impatient = Client::builder()
        .timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let load: Vec<_> = (0..8)
        .map(|client| {
            let (http, base, key) = (impatient.clone(), first.base.clone(), key.clone());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for turn in 0..10_000 {
                    let marker = format!("load-{client}-{turn}");
                    match append(&http, &base, &key, &marker).await {
                        (200..300, answer) => {
                            acknowledged.push((marker, answer["first"].as_u64().unwrap()))
                        }
                        _ => return (acknowledged, marker),
                    }
                }
                panic!("the owner was never frozen")
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    first.signal(Signal::STOP);
    let mut outcomes = Vec::new();
    for client in load {
        outcomes.push(client.await.unwrap());
    }
    let taken = append_surely(&http, &second.base, &key, "after").await;
    first.signal(Signal::CONT);

    // Whatever the old owner still tries, everything goes on in the new owner's history.
    let later = append_surely(&http, &first.base, &key, "resumed").await;
    assert!(later > taken, "{later} after {taken}");
    for (acknowledged, in_doubt) in outcomes {
        for (marker, sequence) in acknowledged.iter().rev().take(5) {
            assert_eq!(
                append_surely(&http, &second.base, &key, marker).await,
                *sequence,
                "{marker}"
            );
        }
        let settled = append_surely(&http, &second.base, &key, &in_doubt).await;
        assert_eq!(
            append_surely(&http, &first.base, &key, &in_doubt).await,
            settled,
            "{in_doubt}"
        );
    }
    stop_both(first, second);
    let text = accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
    assert!(text.contains("chain"), "{text}");
    home.remove().await;
}

fn stop_both(first: Server, second: Server) {
    first.stop();
    second.stop();
}
