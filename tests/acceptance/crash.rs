//! kill -9 under load, again and again: what was acknowledged is there, the log is one history, the views come back the same.
//!
//! `PROBITY_KILLS` says how often on each store (5 unless set); docs/RELIABILITY.md names the command for the full count.

use crate::harness::{Engine, Home, accepted};
use crate::load::{Load, all_there};
use crate::rebuild::{delete_derived, view_rows};
use std::collections::BTreeMap;
use std::time::Duration;

/// As many connections as there are commands in several batches of the writer.
const CLIENTS: usize = 64;

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
    let mut acknowledged = BTreeMap::new();
    for round in 0..kills {
        let server = home.serve().await;
        let load = Load::start(&server, &key, &round.to_string(), CLIENTS);
        load.goes_on(1).await;
        // Not the same moment of a batch each time.
        tokio::time::sleep(Duration::from_millis(100 + 37 * (round % 7))).await;
        if round % 2 == 0 {
            // Whoever answered before it was durable is caught here.
            load.is_acknowledged().await;
        }
        server.kill();
        acknowledged.extend(load.end().await.acknowledged);
    }
    let server = home.serve().await;
    assert!(acknowledged.len() > CLIENTS, "the load did nothing");
    all_there(&server, &auditor, &acknowledged).await;
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
        acknowledged.len()
    );
    home.remove().await;
}
