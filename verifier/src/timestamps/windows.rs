//! The times that records may have, given when others saw the log at which size. Time never goes back in a log, so each record is compared
//! with two times only: the one before which its part of the log was seen, and the one after which it was not there yet.

use super::Seen;
use crate::limits::TIME_TOLERANCE_SECONDS;
use crate::report::{CheckName, Findings};
use probity_schemas::time::Time;

/// What the times of records must keep to, while they are walked through in order.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// By size: records before it are not later than the first time, records from it on not earlier than the second.
    edges: Vec<(u64, Time, Time)>,
    at: usize,
}

impl Windows {
    pub(super) fn new(seen: &[Seen]) -> Self {
        let tolerance = TIME_TOLERANCE_SECONDS;
        let mut sorted: Vec<&Seen> = seen.iter().collect();
        sorted.sort_by_key(|seen| seen.size);
        let mut edges: Vec<(u64, Time, Time)> = sorted
            .iter()
            .map(|seen| {
                (
                    seen.size,
                    seen.to.plus_seconds(tolerance),
                    seen.from.plus_seconds(-tolerance),
                )
            })
            .collect();
        for at in 1..edges.len() {
            let before = edges[at - 1].2;
            edges[at].2 = edges[at].2.max(before);
        }
        for at in (1..edges.len()).rev() {
            let after = edges[at].1;
            edges[at - 1].1 = edges[at - 1].1.min(after);
        }
        Self { edges, at: 0 }
    }

    /// The next record's time.
    pub(crate) fn record(&mut self, sequence: u64, time: Time, findings: &mut Findings) {
        while self
            .edges
            .get(self.at)
            .is_some_and(|edge| edge.0 <= sequence)
        {
            self.at += 1;
        }
        let name = CheckName::TrustedTime;
        if let Some((size, latest, _)) = self.edges.get(self.at)
            && time > *latest
        {
            let detail = format!(
                "it says {time}, and the log of {size} records, which holds it, was seen before {latest}"
            );
            findings.fail(name, Some(sequence), "timestamps.late", detail);
        }
        let before = self
            .at
            .checked_sub(1)
            .and_then(|before| self.edges.get(before));
        if let Some((size, _, earliest)) = before
            && time < *earliest
        {
            let detail = format!(
                "it says {time}, and the newest checkpoint, seen after {earliest}, was of {size} records: it is back-dated"
            );
            findings.fail(name, Some(sequence), "timestamps.early", detail);
        }
    }
}
