//! Whatever is derived can be deleted and comes back the same: views, snapshots, tiles.

use crate::harness::{Engine, Home, PATIENCE, Server, accepted};
use crate::player::play;
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use std::time::{Duration, Instant};

const LISTS: [&str; 7] = [
    "decisions",
    "adapters",
    "policies",
    "traces",
    "audit",
    "spend",
    "posture",
];

/// Every view's rows, once the views have seen the whole log.
pub(crate) async fn view_rows(server: &Server, auditor: &str) -> Vec<(&'static str, Value)> {
    let size = size(server, auditor).await;
    let mut all = Vec::new();
    for list in LISTS {
        let begun = Instant::now();
        let rows = loop {
            let (status, body) = server
                .get(
                    auditor,
                    &format!("/v1/logs/local/{list}?min_position={size}&limit=500"),
                )
                .await;
            if status == 200 {
                break serde_json::from_str::<Value>(&body).unwrap();
            }
            assert_eq!(status, 409, "{list}: {body}");
            assert!(begun.elapsed() < PATIENCE, "{list} does not catch up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        all.push((list, rows));
    }
    all
}

pub(crate) async fn size(server: &Server, auditor: &str) -> u64 {
    let (status, note) = server.get(auditor, "/v1/logs/local/checkpoint").await;
    assert_eq!(status, 200, "{note}");
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// Deletes views, snapshots and tiles; the server must be stopped.
pub(crate) async fn delete_derived(home: &Home) {
    if let Some(url) = home.postgres_url() {
        let mut database = PgConnection::connect(url).await.unwrap();
        let sql = "DROP SCHEMA probity_views CASCADE; DELETE FROM probity.snapshots; DELETE FROM probity.tiles";
        database.execute(sqlx::raw_sql(sql)).await.unwrap();
        return;
    }
    let mut views = 0;
    for entry in std::fs::read_dir(home.data()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("views.db")
        {
            std::fs::remove_file(path).unwrap();
            views += 1;
        }
    }
    assert!(views > 0, "there were no views to delete");
    let path = home.data().join("probity.db");
    let mut database = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .unwrap();
    database
        .execute(sqlx::raw_sql("DELETE FROM snapshots; DELETE FROM tiles"))
        .await
        .unwrap();
}

/// The writer's state as it was kept when the server stopped: sealed bytes, the same for the same state.
pub(crate) async fn kept_state(home: &Home) -> Vec<u8> {
    match home.postgres_url() {
        Some(url) => {
            let mut database = PgConnection::connect(url).await.unwrap();
            let sql = "SELECT content FROM probity.snapshots";
            sqlx::query_scalar(sql).fetch_one(&mut database).await
        }
        None => {
            let url = format!("sqlite:{}", home.data().join("probity.db").display());
            let mut database = SqliteConnection::connect(&url).await.unwrap();
            let sql = "SELECT content FROM snapshots";
            sqlx::query_scalar(sql).fetch_one(&mut database).await
        }
    }
    .unwrap()
}

#[tokio::test]
async fn deleted_views_snapshots_and_tiles_come_back_the_same() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let home = Home::new(engine).await;
        let auditor = home.issue_key("local", "auditor");
        let server = home.serve().await;
        play(&server, "refund_agent").await;
        let rows = view_rows(&server, &auditor).await;
        assert!(
            rows[0].1.to_string().len() > 1000,
            "the decisions are there: {}",
            rows[0].1
        );
        server.stop();
        let server = home.serve().await;
        let root = server.get(&auditor, "/v1/logs/local/checkpoint").await.1;
        server.stop();
        let state = kept_state(&home).await;
        delete_derived(&home).await;
        let server = home.serve().await;
        assert_eq!(view_rows(&server, &auditor).await, rows, "{engine:?}");
        assert_eq!(
            server.get(&auditor, "/v1/logs/local/checkpoint").await.1,
            root,
            "{engine:?}"
        );
        let (status, receipt) = server.get(&auditor, "/v1/logs/local/receipts/3").await;
        assert_eq!(status, 200, "{receipt}");
        assert!(receipt.starts_with("c2sp.org/tlog-proof@v1\n"), "{receipt}");
        server.stop();
        assert!(
            kept_state(&home).await == state,
            "{engine:?}: another state"
        );
        accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
        home.remove().await;
    }
}
