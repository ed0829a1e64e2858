//! Simulation: the real ledger, on one thread, over virtual time, with a database that fails, servers that crash and clocks that lie; each
//! run is drawn from its seed and held against a small model.
//!
//! Two nodes share one database (`database.rs`, `link.rs`) with one log or two, each with a model of its own. Clients ask, give up and ask again (`client.rs`); somebody breaks things
//! (`nemesis.rs`). `model.rs` says what must hold after each answer, `verdict.rs` what must hold of the whole log at the end.
//!
//! One seed is one run, but for the bytes of ids, salts and keys, which come from the operating system; nothing that happens depends on
//! them, and a test holds that. Not in here: SQLite and PostgreSQL (threads, real time), persons and their keys (a database of their own),
//! attachments, witnesses.
//!
//! `PROBITY_SIMULATION_SEEDS=1000000 cargo test --release --test simulation -- --nocapture` plays a million seeds,
//! `PROBITY_SIMULATION_SEED=N` one of them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod client;
mod clock;
mod database;
mod jobs;
mod link;
mod model;
mod nemesis;
mod node;
mod random;
mod regressions;
mod store;
mod trace;
mod verdict;
mod violations;
mod weather;
mod world;

use regressions::REGRESSIONS;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use trace::Trace;
use world::Counts;

/// Seeds of an ordinary run of the tests; fewer where nothing is optimised.
const SEEDS: u64 = if cfg!(debug_assertions) { 30 } else { 1_000 };

/// The seed that alone is to be played, told line by line.
const ONE_SEED: &str = "PROBITY_SIMULATION_SEED";

/// One seed in so many has its log judged by the shipped judge.
const JUDGED_EVERY: u64 = 20;

/// Plays a seed; gives the digest of its trace and what it came to, or what was found wrong.
fn play(seed: u64, judged: bool) -> Result<(u64, Counts), String> {
    let told = Mutex::default();
    let played = violations::found_in(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(world::play(seed, judged, &told))
    });
    let trace: Option<std::sync::Arc<Trace>> = told.into_inner().unwrap();
    let trace = trace.expect("a run begins with its trace");
    match played {
        Ok(counts) => Ok((trace.digest(), counts)),
        Err(what) => Err(format!(
            "{}\n\nseed {seed}: {what}\nagain: PROBITY_SIMULATION_SEED={seed} cargo test --release --test simulation -- --nocapture",
            trace.newest()
        )),
    }
}

/// A number from the environment.
fn asked(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().expect("a number"))
}

/// Plays seeds on all cores, until one fails.
fn play_all(seeds: u64) -> Counts {
    let (next, total) = (AtomicU64::new(0), Mutex::new(Counts::default()));
    let failed = Mutex::new(None);
    let play_some = || {
        while failed.lock().unwrap().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return;
            }
            match play(seed, seed % JUDGED_EVERY == 0) {
                Ok((_, counts)) => total.lock().unwrap().add(&counts),
                Err(what) => *failed.lock().unwrap() = Some(what),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(play_some);
        }
    });
    if let Some(what) = failed.into_inner().unwrap() {
        panic!("{what}");
    }
    total.into_inner().unwrap()
}

#[test]
fn every_seed_makes_one_true_history() {
    for (seed, found) in REGRESSIONS {
        if let Err(what) = play(*seed, true) {
            panic!("{what}\nit once found: {found}");
        }
    }
    if let Some(seed) = asked(ONE_SEED) {
        let played = play(seed, true).unwrap_or_else(|what| panic!("{what}"));
        println!("seed {seed}: {:?}", played.1);
        return;
    }
    let seeds = asked("PROBITY_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let counts = play_all(seeds);
    println!("{seeds} seeds: {counts:?}");
    assert!(counts.acknowledged > 10 * seeds, "hardly anything was done");
    assert!(
        counts.replayed > seeds && counts.epochs > 2 * seeds,
        "hardly anything went wrong"
    );
}

#[test]
fn one_seed_is_one_run() {
    for seed in 0..8 {
        let (first, _) = play(seed, false).unwrap_or_else(|what| panic!("{what}"));
        let (again, _) = play(seed, false).unwrap_or_else(|what| panic!("{what}"));
        assert_eq!(first, again, "seed {seed} was another run the second time");
    }
}
