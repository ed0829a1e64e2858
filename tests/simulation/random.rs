//! Chance that repeats: everything a run leaves to chance is drawn from its seed, here.
//!
//! SplitMix64, because a seed must mean the same run for years: no crate promises that of its generators. Not random for anybody but a
//! test.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A stream of draws.
#[derive(Debug)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    /// The stream of a seed.
    pub(crate) const fn of(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A stream of its own, so that what one task draws moves nobody else's luck.
    pub(crate) fn fork(&self) -> Self {
        Self::of(self.next())
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of the range, which is not empty.
    pub(crate) fn within(&self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// True so many times in a thousand.
    pub(crate) fn chance(&self, permille: u64) -> bool {
        self.within(0..1000) < permille
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.within(0..all.len() as u64) as usize]
    }

    /// A time, in milliseconds.
    pub(crate) fn millis(&self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }
}
