//! What only the store in a file has: its lock, the death of its process, its settings.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use probity_ledger::store::{self, DatabaseUrl, FileLock, Mode, StoreError};

use crate::harness::{Database, Writer};

#[tokio::test]
async fn only_one_may_write_and_the_lock_goes_with_the_store() {
    let db = Database::sqlite().await;
    assert!(matches!(
        store::open(&db.url, Mode::Write).await.err(),
        Some(StoreError::Locked)
    ));
    let store = db.reopen().await;
    assert_eq!(store.heads().await.unwrap(), []);
    store.close().await;
    db.remove().await;
}

#[test]
fn a_lock_is_held_once_and_its_file_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let lock = FileLock::take(&path).unwrap();
    assert!(matches!(FileLock::take(&path), Err(StoreError::Locked)));
    drop(lock);
    assert!(path.exists());
    FileLock::take(&path).unwrap();
    assert!(matches!(
        FileLock::take(&directory.path().join("no/such/lock")),
        Err(StoreError::Io(_))
    ));
}

/// Names the file that the child process of the next test writes to.
const CHILD: &str = "PROBITY_TEST_CHILD_DATABASE";

#[tokio::test]
async fn a_killed_writer_leaves_its_records_and_no_lock() {
    if let Ok(path) = std::env::var(CHILD) {
        return write_until_killed(Path::new(&path)).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "sqlite::a_killed_writer_leaves_its_records_and_no_lock",
            "--nocapture",
        ])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged =
        || lines.find_map(|line| line.unwrap().strip_prefix("durable ")?.parse::<u64>().ok());
    while acknowledged().unwrap() < 300 {}
    let url = DatabaseUrl::sqlite(&path);
    assert!(matches!(
        store::open(&url, Mode::Write).await.err(),
        Some(StoreError::Locked)
    ));
    child.kill().unwrap();
    child.wait().unwrap();
    let last = std::iter::from_fn(acknowledged).last().unwrap_or(300);

    let store = store::open(&url, Mode::Write).await.unwrap();
    let head = store.heads().await.unwrap().remove(0);
    let leaves = store.leaves(head.log, 0, u32::MAX).await.unwrap();
    assert!(
        head.range.size() >= last,
        "{last} records were acknowledged, {} are there",
        head.range.size()
    );
    assert_eq!(leaves.len() as u64, head.range.size());
    assert_eq!(probity_schemas::tree::root_of(leaves), head.range.root());
    store.close().await;
}

async fn write_until_killed(path: &Path) {
    let store = store::open(&DatabaseUrl::sqlite(path), Mode::Write)
        .await
        .unwrap();
    let mut writer = Writer::new(&*store, "acme").await;
    loop {
        writer
            .write(&*store, &["decision/1", "decision/2", "decision/3"])
            .await;
        let mut out = std::io::stdout().lock();
        writeln!(out, "durable {}", writer.head.range.size()).unwrap();
    }
}

#[tokio::test]
async fn the_durability_is_what_sqlite_says() {
    let db = Database::sqlite().await;
    let durability = db.store.durability();
    assert!(
        durability.starts_with("sqlite 3.") && durability.ends_with(" WAL synchronous=FULL"),
        "{durability}"
    );
    db.remove().await;
}

#[tokio::test]
async fn to_read_the_file_must_be_there_and_of_this_version() {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::sqlite(directory.path().join("none.db"));
    assert!(matches!(
        store::open(&url, Mode::Read).await.err(),
        Some(StoreError::Database(_))
    ));
    assert!(!directory.path().join("none.db").exists());

    let db = Database::sqlite().await;
    db.store.close().await;
    db.tamper("UPDATE _sqlx_migrations SET version = 99 WHERE version = (SELECT max(version) FROM _sqlx_migrations)").await;
    let answer = store::open(&db.url, Mode::Read).await.err();
    assert!(
        matches!(answer, Some(StoreError::SchemaVersion { found: 99, .. })),
        "{answer:?}"
    );
    assert!(matches!(
        store::open(&db.url, Mode::Write).await.err(),
        Some(StoreError::Migrate(_))
    ));
}
