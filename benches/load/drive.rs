//! Connections that ask for a while, and what came of it.

use crate::client::{Connection, Target};
use crate::options::Options;
use crate::server::Server;
use crate::usage::{Usage, Used};
use crate::work::Work;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Part of the time that is not measured, at the beginning.
const WARM_UP: f64 = 0.2;

/// One figure.
#[derive(Serialize)]
pub struct Measured {
    pub work: &'static str,
    pub store: String,
    pub durability: String,
    pub connections: usize,
    /// Requests due a second; none in a closed loop.
    pub due: Option<f64>,
    /// Units of work a second.
    pub rate: f64,
    /// The same of the echo.
    pub echo: f64,
    pub p50_micros: u64,
    pub p99_micros: u64,
    pub p999_micros: u64,
    pub longest_micros: u64,
    /// Latency at each permille, for the plot.
    pub curve_micros: Vec<u64>,
    /// Answers that were not a success, by status.
    pub refused: u64,
    pub used: Used,
}

/// What one connection saw.
struct Seen {
    latencies: Histogram<u64>,
    units: u64,
    refused: u64,
}

/// Asks from `connections` connections for the time that was told.
pub async fn drive(
    options: &Options,
    target: &Target,
    work: Work,
    connections: usize,
    server: Option<&Server>,
) -> Measured {
    let counter = Arc::new(AtomicU64::new(0));
    let begun = Instant::now() + Duration::from_secs_f64(options.seconds * WARM_UP);
    let end = begun + Duration::from_secs_f64(options.seconds);
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let connection = Connection::open(target).await;
        let (target, counter) = (target.clone(), Arc::clone(&counter));
        let due = options.rate;
        tasks.push(tokio::spawn(ask(
            connection, target, work, counter, due, begun, end,
        )));
    }
    tokio::time::sleep_until(begun.into()).await;
    let usage = Usage::of(server.map(Server::id));
    let mut all = Seen::new();
    for task in tasks {
        all.add(&task.await.unwrap());
    }
    let took = begun.elapsed();
    let at = |quantile: f64| all.latencies.value_at_quantile(quantile);
    Measured {
        work: work.name(),
        store: String::new(),
        durability: String::new(),
        connections,
        due: options.rate,
        rate: all.units as f64 / took.as_secs_f64(),
        echo: 0.0,
        p50_micros: at(0.5),
        p99_micros: at(0.99),
        p999_micros: at(0.999),
        longest_micros: all.latencies.max(),
        curve_micros: (0..1000)
            .map(|mille| at(f64::from(mille) / 1000.0))
            .collect(),
        refused: all.refused,
        used: usage.until_now(took),
    }
}

async fn ask(
    mut connection: Connection,
    target: Target,
    work: Work,
    counter: Arc<AtomicU64>,
    due: Option<f64>,
    begun: Instant,
    end: Instant,
) -> Seen {
    let mut seen = Seen::new();
    let first = Instant::now();
    loop {
        let number = counter.fetch_add(1, Ordering::Relaxed);
        let mut from = Instant::now();
        if let Some(rate) = due {
            from = first + Duration::from_secs_f64(number as f64 / rate);
            tokio::time::sleep_until(from.into()).await;
        }
        if Instant::now() >= end {
            return seen;
        }
        let Some(ask) = work.ask(number, &target) else {
            return seen;
        };
        let (status, _) = connection.ask(ask).await;
        let now = Instant::now();
        if now < begun {
            continue;
        }
        let latency = now.duration_since(from).as_micros();
        seen.latencies
            .saturating_record(u64::try_from(latency).unwrap_or(u64::MAX));
        if (200..300).contains(&status) {
            seen.units += work.units();
        } else {
            seen.refused += 1;
        }
    }
}

impl Seen {
    fn new() -> Self {
        Self {
            latencies: Histogram::new_with_bounds(1, 120_000_000, 3).unwrap(),
            units: 0,
            refused: 0,
        }
    }

    fn add(&mut self, other: &Self) {
        self.latencies.add(&other.latencies).unwrap();
        self.units += other.units;
        self.refused += other.refused;
    }
}

impl Measured {
    /// The sample in the middle, by rate.
    pub fn median(mut samples: Vec<Self>) -> Self {
        samples.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        samples.swap_remove(samples.len() / 2)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |micros: u64| micros as f64 / 1000.0;
        let share = 100.0 * self.rate / self.echo;
        let beside = match self.echo {
            0.0 => String::new(),
            echo => format!("echo {echo:>7.0}/s ({share:>4.1} %)  "),
        };
        write!(
            f,
            "{:<12} {:<9} {:>4} connections {:>9.0}/s  p50 {:>8.2} ms  p99 {:>8.2} ms  p99.9 {:>8.2} ms  {}refused {}  {}  {}",
            self.work,
            self.store,
            self.connections,
            self.rate,
            millis(self.p50_micros),
            millis(self.p99_micros),
            millis(self.p999_micros),
            beside,
            self.refused,
            self.used,
            self.durability,
        )
    }
}
