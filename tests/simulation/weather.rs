//! What becomes of a call to the store: each is refused, answered late, or done with its answer lost, as often as the weather says.

use crate::random::Dice;
use std::time::Duration;

/// How often calls go wrong, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Not done, and said so.
    pub(crate) refused: u64,
    /// No answer; done, not done, or done much later.
    pub(crate) lost: u64,
    /// Done late or answered late, by seconds.
    pub(crate) late: u64,
}

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// It reaches the store after this, and is answered after that.
    Answered(Duration, Duration),
    /// Nothing happens, and the caller is told after this.
    Refused(Duration),
    /// It reaches the store after the first, if ever; the caller gives up after the second.
    Lost(Option<Duration>, Duration),
}

/// Milliseconds that a call takes when all is well.
const USUAL: std::ops::Range<u64> = 1..6;

/// Milliseconds by which something is late: beyond the end of a lease, and below what a store waits for its server.
const LATE: std::ops::Range<u64> = 200..14_000;

impl Weather {
    /// Nothing goes wrong.
    pub(crate) const CALM: Self = Self {
        refused: 0,
        lost: 0,
        late: 0,
    };

    /// The store cannot be reached.
    pub(crate) const CUT_OFF: Self = Self {
        refused: 1000,
        lost: 0,
        late: 0,
    };

    /// The weather of a run: in some, one kind of fault never happens, so that the others are met with more work done.
    pub(crate) fn draw(dice: &Dice) -> Self {
        let often = |dice: &Dice| *dice.pick(&[0, 0, 3, 10, 30, 80]);
        Self {
            refused: often(dice),
            lost: often(dice),
            late: often(dice),
        }
    }

    /// What becomes of the next call.
    pub(crate) fn fate(&self, dice: &Dice) -> Fate {
        let roll = dice.within(0..1000);
        let usual = || dice.millis(USUAL);
        if roll < self.refused {
            return Fate::Refused(usual());
        }
        if roll < self.refused + self.lost {
            let arrives = match dice.within(0..3) {
                0 => None,
                1 => Some(usual()),
                _ => Some(dice.millis(LATE)),
            };
            return Fate::Lost(arrives, dice.millis(1..2_000));
        }
        let delay = || {
            if dice.chance(self.late) {
                dice.millis(LATE)
            } else {
                usual()
            }
        };
        Fate::Answered(delay(), delay())
    }
}
