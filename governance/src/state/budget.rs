//! The tenant's budget: what was set, and what was spent of it.
//!
//! Only `cost.ingested` spends, and only while the period runs by the record's own time. Setting the budget again for a
//! period that begins at the same moment keeps what was spent; another period begins at nothing.

use probity_schemas::event::decision::BudgetFacts;
use probity_schemas::event::registry::BudgetSet;
use probity_schemas::limits::INTEGER_MAX;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::BudgetLevel;
use serde::Serialize;

/// A budget and its use.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct Budget {
    /// The share, in thousandths, at which a warning is recorded.
    pub alert_milli: u32,
    /// Whether using it up is recorded.
    pub exceeded: bool,
    /// Whether it refuses or only warns.
    pub hard: bool,
    /// Micro-USD.
    pub micros: u64,
    /// The first moment after the period.
    pub period_end: Time,
    /// The first moment of the period.
    pub period_start: Time,
    /// Spent in the period, micro-USD.
    pub spent_micros: u64,
    /// Whether passing the alert threshold is recorded.
    pub warned: bool,
}

impl Budget {
    /// The budget after it is set, given the one before.
    #[must_use]
    pub fn set(before: Option<&Self>, set: &BudgetSet) -> Self {
        let same = before.filter(|before| before.period_start == set.period_start);
        let mut budget = Self {
            alert_milli: set.alert_milli,
            hard: set.hard,
            micros: set.micros,
            period_start: set.period_start,
            period_end: set.period_end,
            spent_micros: same.map_or(0, |before| before.spent_micros),
            warned: false,
            exceeded: false,
        };
        budget.warned =
            same.is_some_and(|before| before.warned) && budget.is_past(BudgetLevel::Warning);
        budget.exceeded =
            same.is_some_and(|before| before.exceeded) && budget.is_past(BudgetLevel::Exceeded);
        budget
    }

    /// Adds a cost that was recorded at this time.
    pub fn spend(&mut self, time: Time, cost_micros: u64) {
        if self.runs_at(time) {
            self.spent_micros = self
                .spent_micros
                .saturating_add(cost_micros)
                .min(INTEGER_MAX);
        }
    }

    /// Remembers that passing a mark is recorded.
    pub const fn mark(&mut self, level: BudgetLevel) {
        match level {
            BudgetLevel::Warning => self.warned = true,
            BudgetLevel::Exceeded => self.exceeded = true,
        }
    }

    /// Whether a mark is passed and that is not recorded yet.
    #[must_use]
    pub fn is_crossing(&self, level: BudgetLevel) -> bool {
        let recorded = match level {
            BudgetLevel::Warning => self.warned,
            BudgetLevel::Exceeded => self.exceeded,
        };
        !recorded && self.is_past(level)
    }

    /// What a decision at this time must know.
    #[must_use]
    pub fn facts(&self, time: Time) -> BudgetFacts {
        // Both are at most 2^53 - 1, so the difference is exact.
        let signed = |micros: u64| i64::try_from(micros.min(INTEGER_MAX)).unwrap_or(i64::MAX);
        BudgetFacts {
            expired: !self.runs_at(time),
            hard: self.hard,
            remaining_micros: signed(self.micros).saturating_sub(signed(self.spent_micros)),
        }
    }

    fn runs_at(&self, time: Time) -> bool {
        (self.period_start..self.period_end).contains(&time)
    }

    fn is_past(&self, level: BudgetLevel) -> bool {
        let milli = match level {
            BudgetLevel::Warning => self.alert_milli,
            BudgetLevel::Exceeded => 1_000,
        };
        u128::from(self.spent_micros) * 1_000 >= u128::from(self.micros) * u128::from(milli)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(micros: u64, start: i64) -> BudgetSet {
        BudgetSet {
            alert_milli: 800,
            hard: true,
            micros,
            period_end: Time::from_micros(1_000),
            period_start: Time::from_micros(start),
        }
    }

    #[test]
    fn spending_counts_inside_the_period_only() {
        let mut budget = Budget::set(None, &set(100, 10));
        for (at, cost) in [(9, 50), (10, 60), (999, 20), (1_000, 70)] {
            budget.spend(Time::from_micros(at), cost);
        }
        assert_eq!(budget.spent_micros, 80);
        assert!(
            budget.is_crossing(BudgetLevel::Warning) && !budget.is_crossing(BudgetLevel::Exceeded)
        );
        assert!(budget.facts(Time::from_micros(1_000)).expired);
        assert_eq!(budget.facts(Time::from_micros(999)).remaining_micros, 20);
    }

    #[test]
    fn the_same_period_keeps_what_was_spent_and_what_is_recorded() {
        let mut budget = Budget::set(None, &set(100, 10));
        budget.spend(Time::from_micros(10), 90);
        budget.mark(BudgetLevel::Warning);
        assert!(Budget::set(Some(&budget), &set(110, 10)).warned);
        let wider = Budget::set(Some(&budget), &set(1_000, 10));
        assert_eq!((wider.spent_micros, wider.warned), (90, false));
        assert_eq!(Budget::set(Some(&budget), &set(100, 11)).spent_micros, 0);
    }
}
