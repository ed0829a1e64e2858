//! The report for people: a line a check, then the verdict.

use super::{CheckResult, Report, Verdict};
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let result = match check.result {
                CheckResult::Holds => "holds",
                CheckResult::False => "FALSE",
                CheckResult::NotMade => "not made",
            };
            write!(f, "{result:<9} {:<16} ", check.name.as_str())?;
            if let Some(sequence) = check.sequence {
                write!(f, "record {sequence}: ")?;
            }
            if let Some(rule) = &check.rule {
                write!(f, "{rule}: ")?;
            }
            writeln!(f, "{}", check.detail)?;
        }
        writeln!(f)?;
        write!(f, "{}: {}", self.verdict.as_str(), self.summary)?;
        match (self.verdict, &self.origin, self.size) {
            (Verdict::Holds | Verdict::HoldsNotWitnessed, Some(origin), Some(size)) => {
                writeln!(f, ": {size} records of {origin}")
            }
            _ => writeln!(f),
        }
    }
}
