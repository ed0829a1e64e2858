//! Subjects: that the records of each count up and are linked, and that each `subjects.sealed` states the runs that the
//! records give.
//!
//! Both come of the same lists. The records from one seal to the next are sorted by subject; lists are merged as runs are,
//! and where two of one subject meet, the second must link to the first. This takes a thread of its own, so that the walk goes
//! on meanwhile; what it finds is told at the end.
//!
//! Memory: 96 bytes and its name a distinct subject; 88 bytes and its subject a record since the last seal, up to
//! [`UNSEALED_RECORDS_MAX`] of them, and as much again while the thread is behind.

mod run;
mod sorter;

use self::run::Written;
use self::sorter::{Claim, Fault, Sorter, Stretch};
use crate::limits::UNSEALED_RECORDS_MAX;
use crate::report::{CheckName, Findings};
use crate::rule;
use probity_schemas::event::seal::SubjectsSealed;
use probity_schemas::record::Record;

/// The records, as they go to the thread.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    /// How many records the thread was given.
    given: u64,
    /// The records after those, in order.
    waiting: Written,
    seals: u64,
    /// How many records the seals so far cover.
    sealed: u64,
    /// The seals are not followed any more, for this reason.
    left: Option<String>,
    sorter: Option<Sorter>,
}

impl Subjects {
    /// Takes the next record in, after the seal that it may be.
    pub(crate) fn record(&mut self, record: &Record<'_>) {
        if self.waiting.len() >= UNSEALED_RECORDS_MAX {
            self.leave(format!(
                "more than {UNSEALED_RECORDS_MAX} records stand before the next seal"
            ));
            self.give(self.waiting.len(), None);
        }
        self.waiting.push(record);
    }

    /// Has a seal compared with the runs of the records before it.
    pub(crate) fn seal(&mut self, position: u64, sealed: &SubjectsSealed, findings: &mut Findings) {
        self.seals += 1;
        if self.left.is_some() {
            return;
        }
        if sealed.size <= self.given || sealed.size > position {
            let fault = Fault {
                position,
                rule: "sealed.size",
                detail: "it does not cover records of its own",
            };
            return self.fail(&fault, findings);
        }
        let covered = usize::try_from(sealed.size - self.given).unwrap_or(usize::MAX);
        let claim = Claim {
            position,
            runs: sealed.runs.clone(),
        };
        self.give(covered, Some(claim));
        self.sealed = sealed.size;
    }

    /// From here on the seals are not followed.
    pub(crate) fn leave(&mut self, why: String) {
        self.left.get_or_insert(why);
    }

    fn give(&mut self, count: usize, claim: Option<Claim>) {
        let stretch = Stretch {
            first: self.given,
            records: self.waiting.take(count),
            claim,
        };
        self.given += count as u64;
        self.sorter.get_or_insert_with(Sorter::start).give(stretch);
    }

    /// The end of the records; how many subjects they are of.
    pub(crate) fn close(mut self, records: u64, findings: &mut Findings) -> u64 {
        if self.waiting.len() > 0 {
            self.give(self.waiting.len(), None);
        }
        let sorted = self.sorter.take().map(Sorter::finish).unwrap_or_default();
        if let Some((sequence, error)) = sorted.broken {
            let rule = rule::name(&error);
            let detail = error.to_string();
            findings.fail(CheckName::Subjects, Some(sequence), rule, detail);
        }
        if let Some(fault) = sorted.fault {
            self.fail(&fault, findings);
        }
        let name = CheckName::Sealed;
        match (self.seals, self.left) {
            (0, _) => findings.hold(name, "no subjects are sealed yet"),
            (_, Some(why)) => findings.impossible(name, why),
            (seals, None) => {
                let after = records - self.sealed;
                let detail = format!(
                    "{seals} seals: every run is what the records give; {after} records after the last"
                );
                findings.hold(name, detail);
            }
        }
        sorted.subjects
    }

    fn fail(&mut self, fault: &Fault, findings: &mut Findings) {
        let position = fault.position;
        findings.fail(CheckName::Sealed, Some(position), fault.rule, fault.detail);
        self.leave(format!("the seal of record {position} is false"));
    }
}
