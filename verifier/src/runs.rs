//! Sealed subjects: the runs of each `subjects.sealed`, computed again from the records.
//!
//! Sorting and merging take a thread of their own, so that the walk goes on meanwhile; what it finds is told at the end.
//!
//! Memory: 40 bytes and its name a distinct subject; 48 bytes and its subject a record that no seal covers yet, up to
//! [`UNSEALED_RECORDS_MAX`] of them, and as much again while the thread is behind.

mod run;

use self::run::{Run, Written};
use crate::limits::UNSEALED_RECORDS_MAX;
use crate::report::{CheckName, Findings};
use probity_schemas::event::seal::{SealedRun, SubjectsSealed};
use probity_schemas::record::Record;
use probity_schemas::run::{Step, step};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Seals that wait for the thread before the walk does.
const SEALS_WAITING_MAX: usize = 1;

/// The runs that the records give.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// How many records the seals so far cover.
    size: u64,
    /// The records after those, in order.
    unsealed: Written,
    seals: u64,
    /// The records are not followed any more, for this reason.
    left: Option<String>,
    merger: Option<Merger>,
}

/// The thread that computes runs, from the first seal on.
#[derive(Debug)]
struct Merger {
    seals: SyncSender<Seal>,
    fault: JoinHandle<Option<Fault>>,
}

/// A seal, and the records that it is the first to cover.
#[derive(Debug)]
struct Seal {
    position: u64,
    size: u64,
    runs: Vec<SealedRun>,
    records: Written,
}

/// A seal that is false, and why.
#[derive(Debug)]
struct Fault {
    position: u64,
    rule: &'static str,
    detail: &'static str,
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
        let subject = record.envelope.subject.as_ref();
        self.unsealed.push(subject, record.revision, record.leaf);
    }

    /// Has a seal compared with the runs of the records before it.
    pub(crate) fn seal(&mut self, position: u64, sealed: &SubjectsSealed, findings: &mut Findings) {
        self.seals += 1;
        if self.left.is_some() {
            return;
        }
        if sealed.size <= self.size || sealed.size > position {
            let fault = Fault {
                position,
                rule: "sealed.size",
                detail: "it does not cover records of its own",
            };
            return self.fail(&fault, findings);
        }
        let covered = usize::try_from(sealed.size - self.size).unwrap_or(usize::MAX);
        let seal = Seal {
            position,
            size: sealed.size,
            runs: sealed.runs.clone(),
            records: self.unsealed.take(covered),
        };
        self.size = sealed.size;
        let merger = self.merger.get_or_insert_with(Merger::start);
        // A thread that is gone has a fault to tell, or panicked: both are seen at the end.
        if merger.seals.send(seal).is_err() {
            self.conclude(findings);
        }
    }

    /// From here on the runs are not known.
    pub(crate) fn leave(&mut self, why: String) {
        self.left.get_or_insert(why);
        self.unsealed = Written::default();
    }

    /// The end of the records.
    pub(crate) fn close(mut self, records: u64, findings: &mut Findings) {
        self.conclude(findings);
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

    /// Waits for the thread and tells what it found.
    fn conclude(&mut self, findings: &mut Findings) {
        let Some(Merger { seals, fault }) = self.merger.take() else {
            return;
        };
        drop(seals);
        match fault.join() {
            Ok(None) => {}
            Ok(Some(fault)) => self.fail(&fault, findings),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn fail(&mut self, fault: &Fault, findings: &mut Findings) {
        let position = fault.position;
        findings.fail(CheckName::Sealed, Some(position), fault.rule, fault.detail);
        self.leave(format!("the seal of record {position} is false"));
    }
}

impl Merger {
    fn start() -> Self {
        let (sender, receiver) = sync_channel(SEALS_WAITING_MAX);
        Self {
            seals: sender,
            fault: thread::spawn(move || first_fault(&receiver)),
        }
    }
}

/// Compares seals with the records, up to the first that is false.
fn first_fault(seals: &Receiver<Seal>) -> Option<Fault> {
    let (mut stated, mut entries) = (Vec::new(), Vec::new());
    let mut before = 0;
    for seal in seals {
        next(&mut stated, &mut entries, before, &seal.records);
        before = seal.size;
        let shape = |runs: &[SealedRun]| -> Vec<(u64, u64)> {
            runs.iter().map(|run| (run.first, run.length)).collect()
        };
        let (rule, detail) = if shape(&stated) != shape(&seal.runs) {
            ("sealed.runs", "its runs do not go on from those before")
        } else if stated != seal.runs {
            ("sealed.root", "a run is not what the records give")
        } else {
            continue;
        };
        return Some(Fault {
            position: seal.position,
            rule,
            detail,
        });
    }
    None
}

/// The runs as they go on with these records, after `size` others.
fn next(stated: &mut Vec<SealedRun>, entries: &mut Vec<Run>, size: u64, records: &Written) {
    let Step {
        kept,
        first,
        length,
    } = step(stated, size);
    let mut newest = Run::of(records);
    for older in entries.drain(kept..).rev() {
        newest = older.merged(newest);
    }
    stated.truncate(kept);
    stated.push(SealedRun {
        count: newest.len(),
        first,
        length,
        root: newest.root(),
    });
    entries.push(newest);
}
