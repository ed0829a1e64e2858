//! The clock is set back between two runs, and leaps while the server runs: no record is dated back or ahead, the answer says what is wrong with
//! the clock, and once it is right the log goes on.
//!
//! The program is given another time of day by libfaketime; the clock that counts from the start of the machine stays as it is.

use crate::harness::{Engine, Home, Server, accepted};
use serde_json::Value;
use std::path::PathBuf;

const HOUR: i64 = 3600;

#[tokio::test]
async fn no_record_is_dated_by_a_clock_that_cannot_be_right() {
    let mut home = Home::new(Engine::Sqlite).await;
    let hands = Hands::of(&mut home);
    hands.ahead_by(HOUR);
    let (key, auditor) = (
        home.issue_key("local", "agent"),
        home.issue_key("local", "auditor"),
    );
    let server = home.serve().await;
    assert_eq!(append(&server, &key).await, "recorded");
    server.stop();

    // Set back by an hour while nothing ran: it may be wrong now, or have been wrong before. Only a person can know.
    hands.ahead_by(0);
    let command = ["key", "issue", "--tenant", "local", "--role", "agent"];
    let output = home.probity(&command).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success()
            && said.contains("the clock is more than 10 s behind the last record"),
        "{said}"
    );
    let server = home.serve().await;
    assert_eq!(append(&server, &key).await, "clock_behind");
    let (status, lines) = server.get(&auditor, "/v1/logs/local/records").await;
    assert!(
        status == 200 && lines.contains("\"note/1\""),
        "what is there is read"
    );

    // It is set right, and runs a little behind again: the time of the last record is repeated.
    hands.ahead_by(HOUR);
    assert_eq!(append(&server, &key).await, "recorded");
    hands.ahead_by(HOUR - 5);
    assert_eq!(append(&server, &key).await, "recorded");

    // It leaps ahead of the machine: nothing is dated so, until it is back, or until the program is started over it.
    hands.ahead_by(2 * HOUR);
    assert_eq!(append(&server, &key).await, "clock_jumped");
    hands.ahead_by(HOUR);
    assert_eq!(append(&server, &key).await, "recorded");
    hands.ahead_by(2 * HOUR);
    assert_eq!(append(&server, &key).await, "clock_jumped");
    server.stop();
    let server = home.serve().await;
    assert_eq!(append(&server, &key).await, "recorded");

    let (_, lines) = server.get(&auditor, "/v1/logs/local/records").await;
    let records = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let times: Vec<String> = records
        .map(|record| record["time"].as_str().unwrap().to_owned())
        .collect();
    assert!(times.is_sorted(), "time goes back: {times:?}");
    assert_eq!(
        lines.matches("\"note/1\"").count(),
        5,
        "what was acknowledged, and no more"
    );
    server.stop();
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
}

/// What became of one more record: `recorded`, or the reason for putting it off.
async fn append(server: &Server, key: &str) -> String {
    let (status, said) = server.observe(key).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    match status {
        201 => "recorded".to_owned(),
        503 => said["code"].as_str().unwrap().to_owned(),
        _ => panic!("{status} {said}"),
    }
}

/// The hands of the clock that a home's programs see.
struct Hands(PathBuf);

impl Hands {
    fn of(home: &mut Home) -> Self {
        let hands = home.path("clock");
        let library = format!("LD_PRELOAD={}", library().display());
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", hands.display());
        let now = ["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
        let words = ["env", &library, &file, now[0], now[1]];
        home.behind(words.map(str::to_owned).to_vec());
        Self(hands)
    }

    fn ahead_by(&self, seconds: i64) {
        let next = self.0.with_extension("next");
        std::fs::write(&next, format!("{seconds:+}s\n")).unwrap();
        std::fs::rename(next, &self.0).unwrap();
    }
}

fn library() -> PathBuf {
    let places = std::fs::read_dir("/usr/lib").unwrap();
    let mut files = places.map(|place| place.unwrap().path().join("faketime/libfaketime.so.1"));
    let found = files.find(|file| file.exists());
    found.expect("libfaketime is not installed: tests/run installs it")
}
