//! The one place that reads clocks, and the rule for clocks that cannot be right.
//!
//! Sequence is the order of a log; time only has to be of the right size and never go back. A clock behind the last record
//! repeats its time for a while, then appends stop; a clock that leaps ahead stops the writer until a person agrees.

use crate::limits::{CLOCK_AHEAD_SECONDS_MAX, CLOCK_BEHIND_SECONDS_MAX};
use probity_schemas::time::Time;
use rustix::time::{ClockId, clock_gettime};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time of day, UTC.
    fn now(&self) -> Time;

    /// Microseconds since some moment, which go on during suspension and never back.
    fn boot_micros(&self) -> i64;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Asked through the C library, where a test can put another time of day.
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = since.map_or(0, |since| since.as_micros());
        Time::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    fn boot_micros(&self) -> i64 {
        let time = clock_gettime(ClockId::Boottime);
        time.tv_sec
            .saturating_mul(1_000_000)
            .saturating_add(time.tv_nsec / 1000)
    }
}

/// A clock that cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ClockError {
    /// It is behind the last record for longer than records may repeat a time.
    #[error("the clock is more than {CLOCK_BEHIND_SECONDS_MAX} s behind the last record")]
    Behind,
    /// It leapt ahead of the monotonic clock.
    #[error("the clock leapt more than {CLOCK_AHEAD_SECONDS_MAX} s ahead")]
    Jumped,
}

/// Both clocks when they were last seen to agree, by whichever log of this process: a log that is loaded again must not take a leap
/// that it had refused.
#[derive(Clone, Debug, Default)]
pub struct Agreement(Arc<Mutex<Option<(i64, i64)>>>);

/// Gives times that never go back, and refuses a clock that cannot be right.
#[derive(Debug)]
pub struct Timekeeper {
    /// The time of the last record.
    last: Time,
    agreed: Agreement,
}

impl Timekeeper {
    /// After the record with this time.
    #[must_use]
    pub const fn after(last: Time, agreed: Agreement) -> Self {
        Self { last, agreed }
    }

    /// Goes on after the record with this time, which may be another one than the last that was given.
    pub const fn go_on_after(&mut self, last: Time) {
        self.last = last;
    }

    /// The time of the next record.
    ///
    /// # Errors
    /// [`ClockError`] when the clock cannot be right; nothing changes then.
    pub fn next(&mut self, clock: &dyn Clock) -> Result<Time, ClockError> {
        let (wall, boot) = (clock.now().micros(), clock.boot_micros());
        let agreed = &self.agreed.0;
        let mut agreed = agreed.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall_base, boot_base) = agreed.unwrap_or((wall, boot));
        let ahead = (wall - wall_base) - (boot - boot_base);
        if ahead > CLOCK_AHEAD_SECONDS_MAX * 1_000_000 {
            return Err(ClockError::Jumped);
        }
        if self.last.micros().saturating_sub(wall) > CLOCK_BEHIND_SECONDS_MAX * 1_000_000 {
            return Err(ClockError::Behind);
        }
        // A clock that is slewed moves the base with it; only a leap between two looks counts.
        *agreed = Some((wall, boot));
        self.last = self.last.max(Time::from_micros(wall));
        Ok(self.last)
    }

    /// The time of the last record.
    #[must_use]
    pub const fn last(&self) -> Time {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::{Agreement, Clock, ClockError, Timekeeper};
    use probity_schemas::time::Time;

    struct Hands {
        wall: i64,
        boot: i64,
    }

    impl Clock for Hands {
        fn now(&self) -> Time {
            Time::from_micros(self.wall)
        }

        fn boot_micros(&self) -> i64 {
            self.boot
        }
    }

    const fn seconds(wall: i64, boot: i64) -> Hands {
        Hands {
            wall: wall * 1_000_000,
            boot: boot * 1_000_000,
        }
    }

    #[test]
    fn time_never_goes_back_and_a_wrong_clock_is_refused() {
        let last = Time::from_micros(1_000_000_000);
        let agreed = Agreement::default();
        let mut keeper = Timekeeper::after(last, agreed.clone());
        assert_eq!(
            keeper.next(&seconds(995, 0)),
            Ok(last),
            "a little behind: repeated"
        );
        assert_eq!(keeper.next(&seconds(989, 1)), Err(ClockError::Behind));
        assert_eq!(
            keeper.next(&seconds(1001, 6)),
            Ok(Time::from_micros(1_001_000_000))
        );
        assert_eq!(keeper.next(&seconds(1100, 7)), Err(ClockError::Jumped));
        assert_eq!(
            keeper.next(&seconds(1101, 8)),
            Err(ClockError::Jumped),
            "it stays refused"
        );
        keeper.go_on_after(Time::from_micros(1_001_000_000));
        assert_eq!(
            keeper.next(&seconds(1102, 9)),
            Err(ClockError::Jumped),
            "and does so when the log is loaded again"
        );
        let mut keeper = Timekeeper::after(last, agreed);
        assert_eq!(
            keeper.next(&seconds(1102, 9)),
            Err(ClockError::Jumped),
            "or taken again"
        );
        let mut keeper = Timekeeper::after(last, Agreement::default());
        assert_eq!(
            keeper.next(&seconds(1102, 9)),
            Ok(Time::from_micros(1_102_000_000)),
            "whoever starts the program again takes the clock as it stands"
        );
        assert_eq!(
            keeper.next(&seconds(1202, 109)),
            Ok(Time::from_micros(1_202_000_000)),
            "suspension moves both clocks"
        );
    }
}
