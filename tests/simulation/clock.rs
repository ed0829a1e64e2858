//! A node's clocks over virtual time: a time of day that can be wrong, and a boot clock that can stand still, as that of a guest whose host
//! was suspended. The boot clock never goes back: the ledger relies on that, and nothing here tests what is not promised.

use probity_ledger::clock::Clock;
use probity_schemas::time::Time;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

/// 2026-01-01: when every run begins.
const EPOCH_MICROS: i64 = 1_767_225_600_000_000;

/// The true time.
pub(crate) struct TrueTime {
    start: Instant,
}

impl TrueTime {
    pub(crate) fn begin() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Microseconds since the run began.
    pub(crate) fn elapsed(&self) -> i64 {
        self.start.elapsed().as_micros() as i64
    }

    /// The time of day.
    pub(crate) fn now(&self) -> i64 {
        EPOCH_MICROS + self.elapsed()
    }
}

/// One node's clocks.
pub(crate) struct NodeClock {
    time: Arc<TrueTime>,
    wrong_by: AtomicI64,
    boot: Mutex<Boot>,
}

#[derive(Default)]
struct Boot {
    behind: i64,
    stands_at: Option<i64>,
}

impl NodeClock {
    pub(crate) fn new(time: Arc<TrueTime>) -> Self {
        Self {
            time,
            wrong_by: AtomicI64::new(0),
            boot: Mutex::default(),
        }
    }

    /// Sets the time of day so many microseconds off.
    pub(crate) fn set_wrong_by(&self, micros: i64) {
        self.wrong_by.store(micros, Ordering::Relaxed);
    }

    /// The boot clock stands still.
    pub(crate) fn stop_boot(&self) {
        let now = self.boot_micros();
        self.boot.lock().unwrap().stands_at = Some(now);
    }

    /// The boot clock goes on from where it stood.
    pub(crate) fn resume_boot(&self) {
        let mut boot = self.boot.lock().unwrap();
        if let Some(at) = boot.stands_at.take() {
            boot.behind = self.time.elapsed() - at;
        }
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Time {
        let shown = self.time.now() + self.wrong_by.load(Ordering::Relaxed);
        Time::from_micros(shown)
    }

    fn boot_micros(&self) -> i64 {
        let boot = self.boot.lock().unwrap();
        boot.stands_at
            .unwrap_or_else(|| self.time.elapsed() - boot.behind)
    }
}
