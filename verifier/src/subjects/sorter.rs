//! The thread that sorts: stretches of records come in, lists are merged like the digits of a binary counter (section 11 of
//! FORMAT.md), and at the end all of them become one.

use super::run::{Links, Run, Written};
use probity_schemas::error::FormatError;
use probity_schemas::event::seal::SealedRun;
use probity_schemas::hash::Hash;
use probity_schemas::run::{Step, step};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Stretches that wait for the thread before the walk does.
const STRETCHES_WAITING_MAX: usize = 1;

/// Neighbouring records.
#[derive(Debug)]
pub(super) struct Stretch {
    /// The first record's sequence.
    pub(super) first: u64,
    pub(super) records: Written,
    /// What a seal says of the records up to the end of these.
    pub(super) claim: Option<Claim>,
}

/// A seal: its record, and the runs that it states.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) position: u64,
    pub(super) runs: Vec<SealedRun>,
}

/// A seal that is false, and why.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) position: u64,
    pub(super) rule: &'static str,
    pub(super) detail: &'static str,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) subjects: u64,
    /// The first record that does not follow its subject's others.
    pub(super) broken: Option<(u64, FormatError)>,
    /// The first seal that is false.
    pub(super) fault: Option<Fault>,
}

/// The thread.
#[derive(Debug)]
pub(super) struct Sorter {
    stretches: SyncSender<Stretch>,
    sorted: JoinHandle<Sorted>,
}

impl Sorter {
    pub(super) fn start() -> Self {
        let (sender, receiver) = sync_channel(STRETCHES_WAITING_MAX);
        Self {
            stretches: sender,
            sorted: thread::spawn(move || sort(&receiver)),
        }
    }

    /// Gives it the next stretch.
    pub(super) fn give(&self, stretch: Stretch) {
        // It is refused only by a thread that panicked, which is seen when the thread is joined.
        let _ = self.stretches.send(stretch);
    }

    /// Waits for what came of it.
    pub(super) fn finish(self) -> Sorted {
        drop(self.stretches);
        self.sorted
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn sort(stretches: &Receiver<Stretch>) -> Sorted {
    let mut lists = Lists::default();
    for stretch in stretches {
        lists.add(stretch);
    }
    lists.finish()
}

/// The lists, the oldest first, and the runs that they are.
#[derive(Default)]
struct Lists {
    runs: Vec<SealedRun>,
    lists: Vec<Run>,
    links: Links,
    fault: Option<Fault>,
}

impl Lists {
    fn add(&mut self, stretch: Stretch) {
        let Step {
            kept,
            first,
            length,
        } = step(&self.runs, stretch.first);
        let mut newest = Run::of(&stretch.records, &mut self.links);
        drop(stretch.records);
        for older in self.lists.drain(kept..).rev() {
            newest = older.merged(newest, &mut self.links);
        }
        let claim = stretch.claim.filter(|_| self.fault.is_none());
        // A run that no seal states is in none that a later seal states, so its root is never compared.
        let root = claim.as_ref().map_or(Hash::EMPTY, |_| newest.root());
        self.runs.truncate(kept);
        self.runs.push(SealedRun {
            count: newest.len(),
            first,
            length,
            root,
        });
        self.lists.push(newest);
        self.fault = claim
            .and_then(|claim| self.fault_of(&claim))
            .or(self.fault.take());
    }

    fn fault_of(&self, claim: &Claim) -> Option<Fault> {
        let shape = |runs: &[SealedRun]| -> Vec<(u64, u64)> {
            runs.iter().map(|run| (run.first, run.length)).collect()
        };
        let (rule, detail) = if shape(&self.runs) != shape(&claim.runs) {
            ("sealed.runs", "its runs do not go on from those before")
        } else if self.runs != claim.runs {
            ("sealed.root", "a run is not what the records give")
        } else {
            return None;
        };
        Some(Fault {
            position: claim.position,
            rule,
            detail,
        })
    }

    fn finish(mut self) -> Sorted {
        let newest_first = self.lists.drain(..).rev();
        let all = newest_first.reduce(|newer, older| older.merged(newer, &mut self.links));
        let all = all.unwrap_or_default();
        all.begin(&mut self.links);
        Sorted {
            subjects: all.len(),
            broken: self.links.broken(),
            fault: self.fault,
        }
    }
}
