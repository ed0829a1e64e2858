//! Ten times what the server can take, for a while: what it answers, how much memory it needs, whether every decision that it acknowledged is
//! there, and how long it is until it answers as before.

use crate::client::{Connection, Target};
use crate::drive::drive;
use crate::options::Options;
use crate::server::Server;
use crate::work::Work;
use hdrhistogram::Histogram;
use hyper::header::RETRY_AFTER;
use std::time::{Duration, Instant};

/// Connections that ask for what can be sustained, and that ask for more.
const SUSTAINED: usize = 256;
const TOO_MANY: usize = 2_048;

/// Commands that may wait, so that so many connections can be too many.
const QUEUE: &str = "512";

/// How many times what can be sustained is asked for.
const TIMES: f64 = 10.0;

/// How long there may be no answer as before, after which it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of the requests of one connection, or of all.
struct Answers {
    acknowledged: Histogram<u64>,
    refused: Histogram<u64>,
    /// Refusals that did not say when to come back, and anything else.
    wrong: u64,
}

/// Runs it, and tells.
pub async fn overload(options: &Options, store: &str) {
    let server = Server::start_with(store, &["--queue", QUEUE]).await;
    println!("overload on {}", server.durability());
    let target = server.prepare(Work::Decide, options.records).await;
    let sustained = drive(options, &target, Work::Decide, SUSTAINED, Some(&server)).await;
    println!("{sustained}");
    let usual = Duration::from_micros(sustained.p99_micros);
    let before = server.size().await;
    let all = press(&target, sustained.rate * TIMES, options.seconds).await;
    let pressed = Instant::now();
    let recovered = recovery(&target, usual, pressed).await;
    let after = server.size().await;
    let (told, refused) = (all.acknowledged.len(), all.refused.len());
    println!(
        "due {:.0}/s for {} s on {TOO_MANY} connections: {:.0}/s acknowledged (p50 {} ms, p99 {} ms), {:.0}/s refused with 503 and \
         Retry-After (p50 {} ms, p99 {} ms), {} answered otherwise",
        sustained.rate * TIMES,
        options.seconds,
        told as f64 / options.seconds,
        all.acknowledged.value_at_quantile(0.5) / 1000,
        all.acknowledged.value_at_quantile(0.99) / 1000,
        refused as f64 / options.seconds,
        all.refused.value_at_quantile(0.5) / 1000,
        all.refused.value_at_quantile(0.99) / 1000,
        all.wrong,
    );
    println!(
        "{told} acknowledged, {} records more in the log; memory at its highest {} MiB; as before after {:.2} s",
        after - before,
        server.memory_mib(),
        recovered.as_secs_f64()
    );
    assert!(after - before >= told, "acknowledged, and not there");
    assert_eq!(
        all.wrong, 0,
        "neither acknowledged nor refused as it should be"
    );
    server.stop().await;
}

/// Asks for so many decisions a second, as far as connections are free.
async fn press(target: &Target, rate: f64, seconds: f64) -> Answers {
    let begun = Instant::now();
    let end = begun + Duration::from_secs_f64(seconds);
    let tasks = (0..TOO_MANY).map(|at| {
        let target = target.clone();
        tokio::spawn(async move {
            let mut connection = Connection::open(&target).await;
            let mut seen = Answers::new();
            for number in (at as u64..).step_by(TOO_MANY) {
                let due = begun + Duration::from_secs_f64(number as f64 / rate);
                tokio::time::sleep_until(due.into()).await;
                if Instant::now() >= end {
                    break;
                }
                let asked = Instant::now();
                let answer = connection
                    .send(Work::Decide.ask(number, &target).unwrap())
                    .await;
                let status = answer.status().as_u16();
                let says_when = answer.headers().contains_key(RETRY_AFTER);
                Connection::read_out(answer).await;
                seen.note(status, says_when, asked.elapsed());
            }
            seen
        })
    });
    let mut all = Answers::new();
    for task in tasks.collect::<Vec<_>>() {
        all.add(&task.await.unwrap());
    }
    all
}

/// How long it is until ten answers in a row come as fast as before.
async fn recovery(target: &Target, usual: Duration, since: Instant) -> Duration {
    let mut connection = Connection::open(target).await;
    let (mut in_a_row, mut number) = (0, u64::MAX / 2);
    loop {
        let asked = Instant::now();
        let (status, _) = connection
            .ask(Work::Decide.ask(number, target).unwrap())
            .await;
        number += 1;
        in_a_row = if status == 200 && asked.elapsed() <= usual {
            in_a_row + 1
        } else {
            0
        };
        if in_a_row == 10 {
            return since.elapsed();
        }
        assert!(since.elapsed() < PATIENCE, "it does not recover");
    }
}

impl Answers {
    fn new() -> Self {
        let histogram = || Histogram::new_with_bounds(1, 120_000_000, 3).unwrap();
        Self {
            acknowledged: histogram(),
            refused: histogram(),
            wrong: 0,
        }
    }

    fn note(&mut self, status: u16, says_when: bool, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match (status, says_when) {
            (200, _) => self.acknowledged.saturating_record(micros),
            (503, true) => self.refused.saturating_record(micros),
            _ => self.wrong += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.acknowledged.add(&other.acknowledged).unwrap();
        self.refused.add(&other.refused).unwrap();
        self.wrong += other.wrong;
    }
}
