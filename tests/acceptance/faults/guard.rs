//! The guard is ahead of the database, because the database was put back to an earlier state, or the guard's file is broken: the log is read and
//! not signed, until the right file is back or a person accepts the loss.

use crate::harness::{Engine, Home, Server, accepted, run};
use std::path::PathBuf;

#[tokio::test]
async fn a_database_that_was_put_back_is_read_and_not_signed() {
    let home = Home::new(Engine::Sqlite).await;
    let key = home.issue_key("local", "admin");
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    server.stop();
    let (database, backup, newest) = (records(&home), home.path("backup"), home.path("newest"));
    std::fs::copy(&database, &backup).unwrap();
    let server = home.serve().await;
    for _ in 0..3 {
        assert_eq!(server.observe(&key).await.0, 201);
    }
    server.stop();
    std::fs::copy(&database, &newest).unwrap();

    std::fs::copy(&backup, &database).unwrap();
    let server = home.serve().await;
    only_reads(&server, &key, "were signed: it was restored from a backup").await;
    server.stop();
    accepted(&home.export("local", "earlier.tar"), &home.vkey("local"));

    // The right one is back: nobody has to say anything.
    std::fs::copy(&newest, &database).unwrap();
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    server.stop();

    // It is lost, and a person says so: the log goes on as another one, which tells of it.
    std::fs::copy(&backup, &database).unwrap();
    let output = run(&mut home.probity(&["guard", "accept", "--tenant", "local"]));
    let vkey = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    let (_, lines) = server.get(&key, "/v1/logs/local/records").await;
    assert!(lines.contains("\"type\":\"log.restored.v1\""));
    server.stop();
    accepted(&home.export("local", "later.tar"), &vkey);
}

#[tokio::test]
async fn a_broken_guard_file_is_told_from_a_missing_one() {
    let home = Home::new(Engine::Sqlite).await;
    let key = home.issue_key("local", "admin");
    let server = home.serve().await;
    assert_eq!(server.observe(&key).await.0, 201);
    server.stop();
    let file = home.data().join("keys/guard/local.checkpoint");
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[30] ^= 1;
    for broken in [&flipped, &whole[..whole.len() - 9].to_vec(), &Vec::new()] {
        std::fs::write(&file, broken).unwrap();
        let server = home.serve().await;
        only_reads(&server, &key, "holds no checkpoint signed for this log").await;
        // Put right, it is looked at again.
        std::fs::write(&file, &whole).unwrap();
        assert_eq!(server.observe(&key).await.0, 201);
        server.stop();
    }
}

async fn only_reads(server: &Server, key: &str, why: &str) {
    let (status, said) = server.observe(key).await;
    assert!(
        status == 503 && said.contains("\"read_only\"") && said.contains(why),
        "{status} {said}"
    );
    let (status, _) = server.get(key, "/v1/logs/local/records").await;
    assert_eq!(status, 200);
}

fn records(home: &Home) -> PathBuf {
    home.data().join("probity.db")
}
