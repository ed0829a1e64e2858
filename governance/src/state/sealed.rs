//! The newest seal over the log's subjects: what the next one goes on from.

use super::State;
use probity_schemas::event::seal::{SealedRun, SubjectsSealed};
use probity_schemas::run::{Step, step};
use probity_schemas::time::Time;
use serde::Serialize;

/// The newest `subjects.sealed`.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct Sealed {
    /// Its runs.
    pub runs: Vec<SealedRun>,
    /// Its record.
    pub sequence: u64,
    /// How many records it covers.
    pub size: u64,
    /// When it was made.
    pub time: Time,
}

impl State {
    /// The runs of the newest seal, and how many records they cover.
    #[must_use]
    pub fn sealed_runs(&self) -> (&[SealedRun], u64) {
        self.sealed
            .as_ref()
            .map_or((&[], 0), |sealed| (&sealed.runs, sealed.size))
    }

    /// Whether a seal goes on from the newest one: it covers more records, none that is not there, and its runs are those
    /// before, merged as they must be. That the roots are true is shown by the records only.
    #[must_use]
    pub(crate) fn goes_on_with(&self, next: &SubjectsSealed) -> bool {
        let (before, size) = self.sealed_runs();
        let Step {
            kept,
            first,
            length,
        } = step(before, size);
        let Some((newest, stay)) = next.runs.split_last() else {
            return false;
        };
        size < next.size
            && next.size <= self.size
            && before.get(..kept) == Some(stay)
            && (newest.first, newest.length) == (first, length)
            && (1..=next.size - first).contains(&newest.count)
    }
}
