//! What a part of a log does not hold of what its signatures are judged by. Such a signature is neither true nor false: it is counted,
//! and whoever asked about signatures is told that they are not judged.

use crate::report::{CheckName, Findings};
use std::collections::HashSet;

/// What a part was found to hold, and what not.
#[derive(Default)]
pub(super) struct PartOf {
    /// Decisions that it holds.
    pub(super) decisions: HashSet<String>,
    pub(super) answers: Missing,
    pub(super) reports: Missing,
}

/// Signatures that cannot be judged.
#[derive(Default)]
pub(super) struct Missing {
    count: u64,
    first: Option<(u64, &'static str)>,
}

impl Missing {
    /// The signature of this record cannot be judged without this.
    pub(super) fn note(&mut self, sequence: u64, what: &'static str) {
        self.count += 1;
        self.first.get_or_insert((sequence, what));
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Says so, if there are any.
    pub(super) fn tell(&self, check: CheckName, asked: bool, findings: &mut Findings) {
        let Some((sequence, what)) = self.first else {
            return;
        };
        let why = format!(
            "not made for {} signatures: of record {sequence} the part does not hold {what}",
            self.count
        );
        if asked {
            findings.impossible(check, why);
        } else {
            findings.not_asked(check, why);
        }
    }
}
