//! The report for people: a line a check, then the verdict.

use super::{CheckName, CheckResult, Report, Verdict};
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
        match self.verdict {
            Verdict::Holds => writeln!(
                f,
                "VERIFIED: {}: {} records of {}{}",
                self.summary,
                self.size.unwrap_or(0),
                self.origin.as_deref().unwrap_or("?"),
                match self.result(CheckName::Witnesses) {
                    CheckResult::Holds => "",
                    CheckResult::False | CheckResult::NotMade => "; not witnessed",
                }
            ),
            Verdict::False => writeln!(f, "FALSE: {}", self.summary),
            Verdict::NotJudged => writeln!(f, "NOT JUDGED: {}", self.summary),
        }
    }
}
