//! The server for half an hour under a steady load, its log exported and judged every minute: memory and latency are to stay flat.

use crate::drive::drive;
use crate::options::Options;
use crate::server::Server;
use crate::work::Work;
use std::time::{Duration, Instant};

/// Minutes, unless `--minutes` says otherwise.
pub const MINUTES: u64 = 30;

/// Decisions due a second, and the connections that ask for them.
const RATE: f64 = 400.0;
const CONNECTIONS: usize = 16;

/// Seconds of each minute that are measured; the rest is the judge's.
const MEASURED: f64 = 40.0;

/// What the last third may have more than the second: of memory, and of the median latency.
const GROWTH_MAX: f64 = 1.25;

/// Runs it, and tells minute by minute.
pub async fn soak(options: &Options, store: &str) {
    let server = Server::start(store).await;
    println!("soak on {}", server.durability());
    let target = server.prepare(Work::Decide, options.records).await;
    let steady = Options {
        rate: Some(RATE),
        seconds: MEASURED,
        ..Options::of(std::iter::empty())
    };
    let begun = Instant::now();
    let mut minutes = Vec::new();
    for minute in 1..=options.minutes {
        let measured = drive(&steady, &target, Work::Decide, CONNECTIONS, Some(&server)).await;
        let verdict = server.verify().await;
        let memory = server.memory_now_mib();
        println!(
            "minute {minute}: {:.0}/s, p50 {} µs, p99 {} µs, refused {}, memory {memory} MiB; {verdict}",
            measured.rate, measured.p50_micros, measured.p99_micros, measured.refused
        );
        minutes.push((memory as f64, measured.p50_micros as f64));
        let next = begun + Duration::from_secs(60 * minute);
        tokio::time::sleep_until(next.into()).await;
    }
    let third = minutes.len() / 3;
    let mean = |part: &[(f64, f64)], which: fn(&(f64, f64)) -> f64| {
        part.iter().map(which).sum::<f64>() / part.len().max(1) as f64
    };
    let (second, last) = (&minutes[third..2 * third], &minutes[2 * third..]);
    for (name, which) in [
        ("memory", (|one| one.0) as fn(&(f64, f64)) -> f64),
        ("median latency", |one| one.1),
    ] {
        let grown = mean(last, which) / mean(second, which);
        println!(
            "{name} of the last third beside the second: {:.0} %",
            100.0 * grown
        );
        assert!(second.is_empty() || grown <= GROWTH_MAX, "{name} grows");
    }
    server.stop().await;
}
