//! The times that records may have, given when others saw the log at which size. Time never goes back in a log, so each record is compared
//! with two times only: the one before which its part of the log was seen, and the one after which it was not there yet.

use super::Seen;
use crate::limits::TIME_TOLERANCE_SECONDS;
use crate::report::{CheckName, Findings};
use probity_schemas::time::Time;

/// What the times of records must keep to, while they are walked through in order.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// By size.
    edges: Vec<Edge>,
    at: usize,
}

/// What is known of the records before a size, and of those from it on.
#[derive(Debug)]
struct Edge {
    size: u64,
    /// Records before it are not later.
    latest: i64,
    /// Records from it on are not earlier.
    earliest: i64,
}

impl Windows {
    pub(super) fn new(seen: &[Seen]) -> Self {
        let edge = |seen: &Seen| {
            let slack = seen
                .slack
                .saturating_add(TIME_TOLERANCE_SECONDS * 1_000_000);
            Edge {
                size: seen.size,
                latest: seen.time.micros().saturating_add(slack),
                earliest: seen.time.micros().saturating_sub(slack),
            }
        };
        let mut edges: Vec<Edge> = seen.iter().map(edge).collect();
        edges.sort_by_key(|edge| edge.size);
        let mut earliest = i64::MIN;
        for edge in &mut edges {
            earliest = earliest.max(edge.earliest);
            edge.earliest = earliest;
        }
        let mut latest = i64::MAX;
        for edge in edges.iter_mut().rev() {
            latest = latest.min(edge.latest);
            edge.latest = latest;
        }
        Self { edges, at: 0 }
    }

    /// The next record's time.
    pub(crate) fn record(&mut self, sequence: u64, time: Time, findings: &mut Findings) {
        let passed = |edge: &Edge| edge.size <= sequence;
        while self.edges.get(self.at).is_some_and(passed) {
            self.at += 1;
        }
        let name = CheckName::TrustedTime;
        if let Some(Edge { size, latest, .. }) = self.edges.get(self.at)
            && time.micros() > *latest
        {
            let latest = Time::from_micros(*latest);
            let detail = format!(
                "it says {time}, and the log of {size} records, which holds it, was seen before {latest}"
            );
            findings.fail(name, Some(sequence), "timestamps.late", detail);
        }
        let before = self.at.checked_sub(1).and_then(|at| self.edges.get(at));
        if let Some(Edge { size, earliest, .. }) = before
            && time.micros() < *earliest
        {
            let earliest = Time::from_micros(*earliest);
            let detail = format!(
                "it says {time}, and the newest checkpoint, seen after {earliest}, was of {size} records: it is back-dated"
            );
            findings.fail(name, Some(sequence), "timestamps.early", detail);
        }
    }
}
