//! What evidence costs its reader: the shipped judge on a bundle of observations beside `openssl dgst -sha256` on its lines, and
//! the proof of one record.
//!
//! `cargo build --release && cargo bench --bench walk -- evidence`. The log: PROBITY_BENCH_RECORDS records, 1,000,000 unless set,
//! once each of a subject of its own, once four of each subject, as a decision, its approval and its reports are. The programs take turns, five times each; figures are medians. Memory is
//! read in runs of its own, for looking on takes time from what is looked at.

use crate::log::{Place, batch_of, tenant};
use crate::measure::{Rate, SAMPLES, median, print, records, time};
use probity_ledger::Ledger;
use probity_ledger::export::{DirectorySink, End, Shown, export, export_part};
use probity_schemas::bundle::BundleFilter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Records of one append.
const BATCH: usize = 1000;

/// Records whose proofs are made.
const PROOFS: usize = 1000;

/// How long it takes until the tiles of the log are kept.
const TILES: Duration = Duration::from_secs(75);

/// How often a program's memory is read.
const LOOK: Duration = Duration::from_millis(2);

/// Judge a whole log, prove a record.
pub async fn run() {
    let records = records(1_000_000);
    for together in [1, 4] {
        println!("{together} records of each subject");
        log(records, together).await;
    }
}

async fn log(records: usize, together: usize) {
    let place = Place::sqlite();
    let ledger = place.open("evidence").await;
    for number in 0..records / BATCH {
        let batch = batch_of(number, BATCH, together);
        ledger.submit(&tenant(), batch).await.unwrap();
    }
    let root = tempfile::tempdir().unwrap();
    let bundle = root.path().join("bundle");
    let mut sink = DirectorySink::create(&bundle).unwrap();
    let (reader, keys) = (ledger.reader(), root.path());
    export(&reader, &tenant(), keys, SHOWN, &mut sink, &mut |_, _| {})
        .await
        .unwrap();
    let key = ledger.verifier_key(&tenant()).await.unwrap().unwrap();
    // What the ledger does when it has time would be measured too.
    ledger.close().await;
    judged(&key, &bundle, records);
    if together > 1 {
        return;
    }
    let ledger = place.open("evidence").await;
    tokio::time::sleep(TILES).await;
    receipts(&ledger, records).await;
    parts(&ledger, root.path(), records).await;
    ledger.close().await;
}

const SHOWN: Shown<'static> = Shown {
    end: End::Newest,
    persons: None,
};

fn judged(key: &str, bundle: &Path, records: usize) {
    let lines = bundle.join("records.jsonl");
    let bytes = std::fs::metadata(&lines).unwrap().len();
    println!("{records} records, {bytes} bytes of lines");
    let judge = || {
        let mut judge = Command::new(judge_program());
        judge.arg(bundle).args(["--key", key]);
        judge
    };
    let mut samples = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let openssl = Command::new("openssl")
            .args(["dgst", "-sha256"])
            .arg(&lines)
            .run();
        let plain = judge().arg("--no-adjudication").run();
        let whole = judge().run();
        samples.0.push(Rate::of(records as u64, openssl));
        samples.1.push(Rate::of(records as u64, plain));
        samples.2.push(Rate::of(records as u64, whole));
    }
    let (limit, beside) = (median(samples.0), "openssl dgst of the lines");
    for (name, rates) in [
        ("probity-verify, no adjudication", samples.1),
        ("probity-verify", samples.2),
    ] {
        let rate = median(rates);
        print(name, "records", rate, beside, limit);
        println!(
            "{name:<34} {:>12.2} times the wall time of openssl",
            limit.0 / rate.0
        );
    }
    let memory = judge()
        .arg("--no-adjudication")
        .memory()
        .max(judge().memory());
    println!("probity-verify, memory             {memory:>12} KiB");
}

/// The receipt of single records, evenly over the log.
async fn receipts(ledger: &Ledger, records: usize) {
    let mut longest = 0;
    let mut took = Vec::new();
    for at in 0..PROOFS {
        let sequence = (at * (records / PROOFS)) as u64;
        let begun = std::time::Instant::now();
        let receipt = ledger
            .inclusion(&tenant(), sequence)
            .await
            .unwrap()
            .unwrap();
        took.push(begun.elapsed());
        longest = longest.max(receipt.len());
    }
    spread("receipt of one record", took, longest);
}

/// A bundle of single records: the file of its proofs, and how long the whole bundle takes.
async fn parts(ledger: &Ledger, root: &Path, records: usize) {
    let mut longest = 0;
    let mut took = Vec::new();
    for at in 0..PROOFS / 10 {
        let sequence = (at * (records / PROOFS) * 10) as u64;
        let filter = BundleFilter {
            from: Some(sequence),
            to: Some(sequence),
            ..BundleFilter::default()
        };
        let out = root.join(format!("part-{at}"));
        let mut sink = DirectorySink::create(&out).unwrap();
        let begun = std::time::Instant::now();
        let reader = ledger.reader();
        export_part(
            &reader,
            &tenant(),
            root,
            SHOWN,
            &filter,
            &mut sink,
            &mut |_, _| {},
        )
        .await
        .unwrap();
        took.push(begun.elapsed());
        longest = longest.max(std::fs::metadata(out.join("proofs.jsonl")).unwrap().len() as usize);
    }
    spread("bundle of one record, its proofs", took, longest);
}

fn spread(name: &str, mut took: Vec<Duration>, bytes: usize) {
    took.sort_unstable();
    let at = |of: usize| took[took.len() * of / 100].as_micros();
    println!(
        "{name:<34} {:>12} µs p50 {:>8} µs p99 {bytes:>8} bytes at most",
        at(50),
        at(99)
    );
}

/// Beside this program, which cargo put into `deps`.
fn judge_program() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let program = here
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("probity-verify");
    assert!(program.exists(), "first: cargo build --release");
    program
}

/// Runs to its end, and well.
trait Run {
    /// How long it took.
    fn run(&mut self) -> Duration;
    /// KiB of memory at most.
    fn memory(&mut self) -> u64;
}

impl Run for Command {
    fn run(&mut self) -> Duration {
        self.stdout(Stdio::null()).stderr(Stdio::null());
        let (status, took) = time(|| self.status().unwrap());
        assert!(status.success(), "{self:?}: {status}");
        took
    }

    fn memory(&mut self) -> u64 {
        self.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = self.spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut memory = 0;
        loop {
            let seen = std::fs::read_to_string(&status).unwrap_or_default();
            let peak = seen.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            memory = memory.max(peak.unwrap_or(0));
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{self:?}: {status}");
                return memory;
            }
            std::thread::sleep(LOOK);
        }
    }
}
