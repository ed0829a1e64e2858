//! What a log says of its erasures, and what follows from that for what the bundle does not show.
//!
//! No digest says whose it is, and an erasure says only how many disclosures it destroyed. So of a digest without its disclosure it
//! cannot be said whether it was erased; of all of them together it can be said how many were erased at most: an erasure can only
//! have destroyed what opened digests in the records before it.

use crate::limits::ERASURES_LISTED_MAX;
use probity_schemas::event::personal::PersonalErased;
use schemars::JsonSchema;
use serde::Serialize;

/// An erasure, as its record states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErasureReport {
    /// The record.
    pub sequence: u64,
    /// Its time.
    pub time: String,
    /// The legal basis, in the operator's words.
    pub basis: String,
    /// How many disclosures it states were destroyed.
    pub disclosures: u64,
    /// The attachments whose content it states was destroyed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
}

/// The erasures of a log.
#[derive(Debug, Default)]
pub(crate) struct Erasures {
    /// Record and number of disclosures, of those that destroyed any.
    destroyed: Vec<(u64, u64)>,
    listed: Vec<ErasureReport>,
    count: u64,
}

impl Erasures {
    pub(crate) fn record(&mut self, sequence: u64, time: String, erased: &PersonalErased) {
        self.count += 1;
        if erased.disclosures > 0 {
            self.destroyed.push((sequence, erased.disclosures));
        }
        if self.listed.len() < ERASURES_LISTED_MAX {
            self.listed.push(ErasureReport {
                sequence,
                time,
                basis: erased.basis.clone(),
                disclosures: erased.disclosures,
                attachments: erased.attachments.clone(),
            });
        }
    }

    /// How many erasures there are.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// How many disclosures they state were destroyed.
    pub(crate) fn destroyed(&self) -> u64 {
        let stated = self.destroyed.iter().map(|(_, stated)| *stated);
        stated.fold(0, u64::saturating_add)
    }

    /// How many of these digests, by ascending record, can have lost their disclosures to an erasure. What an earlier erasure can have
    /// destroyed, a later one can too, so they are taken in order.
    pub(crate) fn erased_at_most(&self, hidden: &[u64]) -> u64 {
        let mut explained = 0_u64;
        for (sequence, stated) in &self.destroyed {
            let before = hidden.partition_point(|digest| digest < sequence) as u64;
            explained += (before - explained).min(*stated);
        }
        explained
    }

    /// The erasures for the report.
    pub(crate) fn into_reports(self) -> Vec<ErasureReport> {
        self.listed
    }
}

#[cfg(test)]
mod tests {
    use super::Erasures;

    #[test]
    fn an_erasure_explains_only_what_stood_before_it() {
        for (destroyed, hidden, expected) in [
            (vec![], vec![1, 2], 0),
            (vec![(5, 2)], vec![1, 2], 2),
            (vec![(5, 2)], vec![1, 2, 3], 2),
            (vec![(5, 9)], vec![1, 2, 6, 7], 2),
            (vec![(5, 1), (9, 3)], vec![1, 2, 6, 10], 3),
            (vec![(2, 5), (9, 1)], vec![1, 3, 4], 2),
            (vec![(5, u64::MAX), (9, u64::MAX)], vec![1, 6], 2),
        ] {
            let erasures = Erasures {
                destroyed: destroyed.clone(),
                ..Erasures::default()
            };
            let found = erasures.erased_at_most(&hidden);
            assert_eq!(found, expected, "{destroyed:?} {hidden:?}");
        }
    }
}
