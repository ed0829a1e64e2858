//! Sampling for the load programs: medians of several runs, printed beside the limit measured in the same run.

use std::time::{Duration, Instant};

/// Samples of each figure; the median counts.
pub const SAMPLES: usize = 5;

/// Units of work a second.
#[derive(Clone, Copy)]
pub struct Rate(pub f64);

impl Rate {
    pub fn of(work: u64, took: Duration) -> Self {
        Self(f64::from(u32::try_from(work).unwrap_or(u32::MAX)) / took.as_secs_f64())
    }
}

/// How many records a log is to have: what PROBITY_BENCH_RECORDS says, or else this many.
pub fn records(otherwise: usize) -> usize {
    let said = std::env::var("PROBITY_BENCH_RECORDS").ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The median of the samples.
pub fn median(mut samples: Vec<Rate>) -> Rate {
    samples.sort_by(|left, right| left.0.total_cmp(&right.0));
    samples[samples.len() / 2]
}

/// How long a closure takes.
pub fn time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = work();
    (result, begun.elapsed())
}

/// One line of the table: what was measured, its limit, and the ratio.
pub fn print(name: &str, unit: &str, rate: Rate, limit_name: &str, limit: Rate) {
    println!(
        "{name:<34} {:>12.0} {unit}/s   {limit_name:<26} {:>12.0} {unit}/s   ratio {:>5.1} %",
        rate.0,
        limit.0,
        100.0 * rate.0 / limit.0
    );
}
