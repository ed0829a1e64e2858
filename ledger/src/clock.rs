//! The one place that reads clocks, and the rule for clocks that cannot be right.
//!
//! Sequence is the order of a log; time only has to be of the right size and never go back. A clock behind the last record
//! repeats its time for a while, then appends stop; a clock that leaps ahead stops the writer until a person agrees.

use crate::limits::{CLOCK_AHEAD_SECONDS_MAX, CLOCK_BEHIND_SECONDS_MAX};
use probity_schemas::time::Time;
use rustix::time::{ClockId, clock_gettime};
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
    fn now(&self) -> Time {
        Time::from_micros(micros(ClockId::Realtime))
    }

    fn boot_micros(&self) -> i64 {
        micros(ClockId::Boottime)
    }
}

fn micros(id: ClockId) -> i64 {
    let time = clock_gettime(id);
    time.tv_sec
        .saturating_mul(1_000_000)
        .saturating_add(time.tv_nsec / 1000)
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

/// Gives times that never go back, and refuses a clock that cannot be right.
#[derive(Debug)]
pub struct Timekeeper {
    /// The time of the last record.
    last: Time,
    /// Both clocks when they were last seen to agree.
    base: Option<(i64, i64)>,
}

impl Timekeeper {
    /// After the record with this time.
    #[must_use]
    pub const fn after(last: Time) -> Self {
        Self { last, base: None }
    }

    /// The time of the next record.
    ///
    /// # Errors
    /// [`ClockError`] when the clock cannot be right; nothing changes then.
    pub fn next(&mut self, clock: &dyn Clock) -> Result<Time, ClockError> {
        let (wall, boot) = (clock.now().micros(), clock.boot_micros());
        let (wall_base, boot_base) = self.base.unwrap_or((wall, boot));
        let ahead = (wall - wall_base) - (boot - boot_base);
        if ahead > CLOCK_AHEAD_SECONDS_MAX * 1_000_000 {
            return Err(ClockError::Jumped);
        }
        if self.last.micros().saturating_sub(wall) > CLOCK_BEHIND_SECONDS_MAX * 1_000_000 {
            return Err(ClockError::Behind);
        }
        // A clock that is slewed moves the base with it; only a leap between two looks counts.
        self.base = Some((wall, boot));
        self.last = self.last.max(Time::from_micros(wall));
        Ok(self.last)
    }

    /// The time of the last record.
    #[must_use]
    pub const fn last(&self) -> Time {
        self.last
    }

    /// Takes the clock as it stands, after a person agreed.
    pub const fn accept(&mut self) {
        self.base = None;
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, ClockError, Timekeeper};
    use probity_schemas::time::Time;
    use std::cell::Cell;

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
        let keeper = Cell::new(Timekeeper::after(Time::from_micros(1_000_000_000)));
        let mut keeper = keeper.into_inner();
        let last = Time::from_micros(1_000_000_000);
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
        keeper.accept();
        assert_eq!(
            keeper.next(&seconds(1102, 9)),
            Ok(Time::from_micros(1_102_000_000))
        );
        assert_eq!(
            keeper.next(&seconds(1202, 109)),
            Ok(Time::from_micros(1_202_000_000)),
            "suspension moves both clocks"
        );
    }
}
