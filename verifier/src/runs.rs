//! Sealed subjects: the runs of each `subjects.sealed`, computed again from the records.
//!
//! Memory: 40 bytes and its name a distinct subject, and as much again while two runs become one; about 120 bytes a record
//! that no seal covers yet, up to [`UNSEALED_RECORDS_MAX`] of them.

use crate::limits::UNSEALED_RECORDS_MAX;
use crate::report::{CheckName, Findings};
use probity_schemas::event::seal::{SealedRun, SubjectsSealed};
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::run::{Step, entry_hash, step};
use probity_schemas::tree::root_of;

/// The runs that the records give.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    stated: Vec<SealedRun>,
    entries: Vec<Run>,
    /// How many records the runs cover.
    size: u64,
    /// The records after those, in order.
    unsealed: Vec<Written>,
    seals: u64,
    /// The records are not followed any more, for this reason.
    left: Option<String>,
}

/// A record, as far as a run has it.
#[derive(Debug)]
struct Written {
    subject: Box<str>,
    revision: u64,
    leaf: Hash,
}

/// The entries of a run, sorted by subject: their names one after the other, where each ends, and their hashes.
#[derive(Debug, Default)]
struct Run {
    names: String,
    ends: Vec<usize>,
    hashes: Vec<Hash>,
}

impl Runs {
    /// Takes the next record in, after the seal that it may be.
    pub(crate) fn record(&mut self, record: &Record<'_>) {
        if self.left.is_some() {
            return;
        }
        if self.unsealed.len() as u64 >= UNSEALED_RECORDS_MAX {
            return self.leave(format!(
                "more than {UNSEALED_RECORDS_MAX} records stand before the next seal"
            ));
        }
        self.unsealed.push(Written {
            subject: record.envelope.subject.as_ref().into(),
            revision: record.revision,
            leaf: record.leaf,
        });
    }

    /// Compares a seal with the runs of the records before it.
    pub(crate) fn seal(&mut self, position: u64, sealed: &SubjectsSealed, findings: &mut Findings) {
        self.seals += 1;
        if self.left.is_some() {
            return;
        }
        let fault = if sealed.size <= self.size || sealed.size > position {
            Some(("sealed.size", "it does not cover records of its own"))
        } else {
            let expected = self.next(sealed.size);
            let shape = |runs: &[SealedRun]| -> Vec<(u64, u64)> {
                runs.iter().map(|run| (run.first, run.length)).collect()
            };
            if shape(&expected) != shape(&sealed.runs) {
                Some(("sealed.runs", "its runs do not go on from those before"))
            } else if expected != sealed.runs {
                Some(("sealed.root", "a run is not what the records give"))
            } else {
                None
            }
        };
        if let Some((rule, detail)) = fault {
            findings.fail(CheckName::Sealed, Some(position), rule, detail);
            self.leave(format!("the seal of record {position} is false"));
        }
    }

    /// The runs as they go on to a size.
    fn next(&mut self, size: u64) -> Vec<SealedRun> {
        let Step {
            kept,
            first,
            length,
        } = step(&self.stated, self.size);
        let covered = usize::try_from(size - self.size).unwrap_or(usize::MAX);
        let rest = self.unsealed.split_off(covered.min(self.unsealed.len()));
        let mut newest = Run::of(std::mem::replace(&mut self.unsealed, rest));
        for older in self.entries.drain(kept..).rev() {
            newest = older.merged(&newest);
        }
        self.stated.truncate(kept);
        self.stated.push(SealedRun {
            count: newest.hashes.len() as u64,
            first,
            length,
            root: root_of(newest.hashes.iter().copied()),
        });
        self.entries.push(newest);
        self.size = size;
        self.stated.clone()
    }

    /// From here on the runs are not known.
    pub(crate) fn leave(&mut self, why: String) {
        self.left.get_or_insert(why);
        self.unsealed = Vec::new();
        self.entries = Vec::new();
    }

    /// The end of the records.
    pub(crate) fn close(self, records: u64, findings: &mut Findings) {
        let name = CheckName::Sealed;
        match (self.seals, self.left) {
            (0, _) => findings.hold(name, "no subjects are sealed yet"),
            (_, Some(why)) => findings.impossible(name, why),
            (seals, None) => {
                let after = records - self.size;
                let detail = format!(
                    "{seals} seals: every run is what the records give; {after} records after the last"
                );
                findings.hold(name, detail);
            }
        }
    }
}

impl Run {
    /// The newest record of each subject.
    fn of(mut written: Vec<Written>) -> Self {
        // The sort is stable: of one subject the newest comes last.
        written.sort_by(|one, other| one.subject.cmp(&other.subject));
        let mut run = Self::default();
        for (at, one) in written.iter().enumerate() {
            let next = written.get(at + 1);
            if next.is_none_or(|next| next.subject != one.subject) {
                run.push(
                    &one.subject,
                    entry_hash(&one.subject, one.revision, &one.leaf),
                );
            }
        }
        run
    }

    /// Both, and of a subject that is in both the entry of the newer.
    fn merged(&self, newer: &Self) -> Self {
        let mut merged = Self::default();
        let (mut old, mut new) = (self.iter().peekable(), newer.iter().peekable());
        loop {
            let entry = match (old.peek(), new.peek()) {
                (Some((before, _)), Some((after, _))) if before < after => old.next(),
                (Some((before, _)), Some((after, _))) => {
                    if before == after {
                        old.next();
                    }
                    new.next()
                }
                (Some(_), None) => old.next(),
                (None, _) => new.next(),
            };
            match entry {
                Some((subject, hash)) => merged.push(subject, hash),
                None => return merged,
            }
        }
    }

    fn push(&mut self, subject: &str, hash: Hash) {
        self.names.push_str(subject);
        self.ends.push(self.names.len());
        self.hashes.push(hash);
    }

    fn iter(&self) -> impl Iterator<Item = (&str, Hash)> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let names = begins
            .zip(&self.ends)
            .map(|(from, to)| &self.names[from..*to]);
        names.zip(self.hashes.iter().copied())
    }
}
