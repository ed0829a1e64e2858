//! The server as its log grows: what it did with a short log, it is asked for again with a long one; and what only a long log can
//! show: reading all of it, starting over it, its size on the disk.

use crate::client::{Connection, Target};
use crate::drive::{Measured, drive};
use crate::options::Options;
use crate::server::Server;
use crate::usage::Usage;
use crate::work::{Work, get};
use std::time::{Duration, Instant};

/// Connections that fill the log.
const FILLERS: usize = 4;

/// Connections of each measurement.
const DECIDERS: usize = 256;
const READERS: usize = 32;

/// How often the views are asked how far they are.
const LOOK: Duration = Duration::from_millis(500);

/// A server is at rest when it takes less than this for so many looks, which are longer than it pauses between chores.
const QUIET_CORES: f64 = 0.1;
const QUIET_LOOKS: u32 = 2;
const LONG_LOOK: Duration = Duration::from_secs(6);

/// How long rest is waited for.
const REST_MAX: Duration = Duration::from_secs(180);

/// Measures with a short log, fills it, and measures again.
pub async fn grow(options: &Options, store: &str) -> Vec<Measured> {
    let mut server = Server::start(store).await;
    println!("growth on {}", server.durability());
    let targets = server.prepare_growth().await;
    let mut all = Vec::new();
    let small = measure(options, &server, &targets, &mut all).await;
    let (short, records) = (small, options.records.max(1) as u64);
    let begun = Instant::now();
    fill(&targets.native, records).await;
    let filled = begun.elapsed().as_secs_f64();
    println!(
        "filled with {records} records by NDJSON: {:.0}/s",
        records as f64 / filled
    );
    follow(&targets.native).await;
    let followed = begun.elapsed().as_secs_f64();
    println!(
        "all views at the head: {:.0} records/s from the first to the last",
        records as f64 / followed
    );
    let rested = rest(&server).await;
    println!(
        "tiles and seals of what was filled in are done after another {:.0} s",
        rested.as_secs_f64()
    );
    let long = measure(options, &server, &targets, &mut all).await;
    println!(
        "decisions a second with {records} records more: {:.0} %",
        100.0 * long / short
    );
    let (lines, bytes, took) = replay(&targets.native).await;
    println!(
        "records read from the first to the last: {:.0}/s, {:.0} MB/s",
        lines as f64 / took,
        bytes as f64 / took / 1e6
    );
    println!("memory at its highest: {} MiB", server.memory_mib());
    for _ in 0..3 {
        let took = server.restart().await;
        println!("stopped, and ready again after {:.2} s", took.as_secs_f64());
    }
    if let Some((kept, views)) = server.disk() {
        println!(
            "on the disk: records {:.2} times their lines, views {:.2} times",
            kept as f64 / bytes as f64,
            views as f64 / bytes as f64
        );
    }
    server.stop().await;
    all
}

/// Who asks for what.
pub struct Targets {
    pub adapter: Target,
    pub native: Target,
    pub reads: Target,
}

/// Decisions, pages, points and receipts; the rate of decisions.
async fn measure(
    options: &Options,
    server: &Server,
    targets: &Targets,
    all: &mut Vec<Measured>,
) -> f64 {
    let mut decided = 0.0;
    for (work, connections, target) in [
        (Work::Decide, DECIDERS, &targets.adapter),
        (Work::Page, READERS, &targets.reads),
        (Work::Point, READERS, &targets.reads),
        (Work::Receipt, READERS, &targets.reads),
    ] {
        let mut samples = Vec::new();
        for _ in 0..options.samples {
            let mut one = drive(options, target, work, connections, Some(server)).await;
            one.durability = server.durability();
            samples.push(one);
        }
        let median = Measured::median(samples);
        println!("{median}");
        if work == Work::Decide {
            decided = median.rate;
        }
        all.push(median);
    }
    decided
}

/// Appends so many records.
async fn fill(target: &Target, records: u64) {
    let requests = records.div_ceil(Work::Ndjson.units());
    let tasks = (0..FILLERS as u64).map(|filler| {
        let target = target.clone();
        tokio::spawn(async move {
            let mut connection = Connection::open(&target).await;
            for number in (filler..requests).step_by(FILLERS) {
                loop {
                    let ask = Work::Ndjson.ask(number, &target).unwrap();
                    let (status, answer) = connection.ask(ask).await;
                    if status < 300 {
                        break;
                    }
                    assert_eq!(status, 503, "{answer:?}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// Waits until the server has nothing left to do: what it goes on doing after it was filled is the filling's.
async fn rest(server: &Server) -> Duration {
    let begun = Instant::now();
    let mut quiet = 0;
    while quiet < QUIET_LOOKS && begun.elapsed() < REST_MAX {
        let usage = Usage::of(Some(server.id()));
        tokio::time::sleep(LONG_LOOK).await;
        let used = usage.until_now(LONG_LOOK);
        quiet = if used.server_cores < QUIET_CORES {
            quiet + 1
        } else {
            0
        };
    }
    begun.elapsed()
}

/// Waits until every view has all records.
async fn follow(target: &Target) {
    let mut connection = Connection::open(target).await;
    loop {
        let (status, answer) = connection.ask(get("/metrics")).await;
        assert_eq!(status, 200);
        let text = String::from_utf8_lossy(&answer);
        let behind = |line: &str| {
            line.strip_prefix("probity_view_lag_records{")
                .is_some_and(|rest| !rest.ends_with(" 0"))
        };
        if !text.lines().any(behind) {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Reads the whole log as one stream: lines, bytes, seconds.
async fn replay(target: &Target) -> (u64, u64, f64) {
    let mut connection = Connection::open(target).await;
    let begun = Instant::now();
    let (mut lines, mut bytes) = (0, 0);
    let status = connection
        .stream(get("/v1/logs/local/records?from=0"), |piece| {
            lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
            bytes += piece.len() as u64;
        })
        .await;
    assert_eq!(status, 200);
    (lines, bytes, begun.elapsed().as_secs_f64())
}
