//! The findings while they are gathered. A check begins as not made, and only its own end makes it hold: a check that
//! somebody forgets, or never reaches, can therefore never look like success.

use super::{Broken, Check, CheckName, CheckResult, Counts, Report, Verdict};

/// What is known of each check so far.
pub(crate) struct Findings(Vec<(CheckName, Finding)>);

enum Finding {
    /// Not made yet.
    Open,
    Holds(String),
    False(Broken),
    /// Nobody asked for it.
    NotAsked(String),
    /// It was asked for and cannot be made.
    Impossible(String),
}

impl Findings {
    pub(crate) fn new() -> Self {
        let open = |name: &CheckName| (*name, Finding::Open);
        Self(CheckName::ALL.iter().map(open).collect())
    }

    /// Something is false. The first record that breaks a check is the one that is kept.
    pub(crate) fn fail(
        &mut self,
        name: CheckName,
        sequence: Option<u64>,
        rule: &str,
        detail: impl Into<String>,
    ) {
        let broken = Broken {
            check: name,
            sequence,
            rule: rule.to_owned(),
            detail: detail.into(),
        };
        let finding = self.of(name);
        match finding {
            Finding::False(before) if before.place() <= broken.place() => {}
            _ => *finding = Finding::False(broken),
        }
    }

    /// The check was made to its end. What was found false before stays false.
    pub(crate) fn hold(&mut self, name: CheckName, detail: impl Into<String>) {
        self.settle(name, Finding::Holds(detail.into()));
    }

    /// Nobody asked for the check.
    pub(crate) fn not_asked(&mut self, name: CheckName, why: impl Into<String>) {
        self.settle(name, Finding::NotAsked(why.into()));
    }

    /// The check was asked for, and cannot be made. The first reason is kept.
    pub(crate) fn impossible(&mut self, name: CheckName, why: impl Into<String>) {
        self.settle(name, Finding::Impossible(why.into()));
    }

    fn settle(&mut self, name: CheckName, to: Finding) {
        let finding = self.of(name);
        if matches!(finding, Finding::Open) {
            *finding = to;
        }
    }

    fn of(&mut self, name: CheckName) -> &mut Finding {
        &mut self.0[name as usize].1
    }

    /// The verdict: false if anything is; else not judged if anything asked for was not made; else it holds, witnessed or not.
    pub(crate) fn report(
        self,
        origin: Option<String>,
        size: Option<u64>,
        counts: Counts,
    ) -> Report {
        let broken = self.first_broken().cloned();
        let checks = self.0.iter().map(|(name, finding)| finding.check(*name));
        let checks: Vec<Check> = checks.collect();
        let all = || "every check that was asked for holds".to_owned();
        let is_witnessed = checks
            .iter()
            .any(|check| (check.name, check.result) == (CheckName::Witnesses, CheckResult::Holds));
        let (verdict, summary) = match (&broken, self.first_undone()) {
            (Some(broken), _) => (Verdict::False, broken.to_string()),
            (None, Some(why)) => (Verdict::NotJudged, why),
            (None, None) if is_witnessed => (Verdict::Holds, all()),
            (None, None) => (Verdict::HoldsNotWitnessed, all()),
        };
        Report {
            verdict,
            exit: verdict.exit(),
            summary,
            broken,
            origin,
            size,
            checks,
            counts,
            subjects: Vec::new(),
            erasures: Vec::new(),
            chronicle: None,
        }
    }

    /// What is false at the lowest sequence; things without a sequence come after all records.
    fn first_broken(&self) -> Option<&Broken> {
        let broken = self.0.iter().filter_map(|(_, finding)| match finding {
            Finding::False(broken) => Some(broken),
            _ => None,
        });
        broken.min_by_key(|broken| (broken.place(), broken.check))
    }

    /// The first check that was asked for and not made, and why. A check that was not reached is explained by another.
    fn first_undone(&self) -> Option<String> {
        let impossible = |(_, finding): &&(_, Finding)| matches!(finding, Finding::Impossible(_));
        let open = |(_, finding): &&(_, Finding)| matches!(finding, Finding::Open);
        let undone = self
            .0
            .iter()
            .find(impossible)
            .or_else(|| self.0.iter().find(open));
        undone.map(|(name, finding)| format!("{}: {}", name.as_str(), finding.check(*name).detail))
    }
}

impl Finding {
    fn check(&self, name: CheckName) -> Check {
        let (result, detail, broken) = match self {
            Self::Open => (CheckResult::NotMade, "not reached", None),
            Self::Holds(detail) => (CheckResult::Holds, detail.as_str(), None),
            Self::False(broken) => (CheckResult::False, broken.detail.as_str(), Some(broken)),
            Self::NotAsked(why) | Self::Impossible(why) => {
                (CheckResult::NotMade, why.as_str(), None)
            }
        };
        Check {
            name,
            result,
            detail: detail.to_owned(),
            sequence: broken.and_then(|broken| broken.sequence),
            rule: broken.map(|broken| broken.rule.clone()),
        }
    }
}

impl Broken {
    fn place(&self) -> u64 {
        self.sequence.unwrap_or(u64::MAX)
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(sequence) = self.sequence {
            write!(f, "record {sequence}: ")?;
        }
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckName, Counts, Findings, Verdict};

    fn all_hold(except: &[CheckName]) -> Findings {
        let mut findings = Findings::new();
        for name in CheckName::ALL.iter().filter(|name| !except.contains(name)) {
            findings.hold(*name, "");
        }
        findings
    }

    fn verdict(findings: Findings) -> Verdict {
        findings.report(None, None, Counts::default()).verdict
    }

    #[test]
    fn a_check_that_nobody_made_is_never_success() {
        assert_eq!(verdict(Findings::new()), Verdict::NotJudged);
        assert_eq!(verdict(all_hold(&[])), Verdict::Holds);
        for name in CheckName::ALL {
            assert_eq!(verdict(all_hold(&[*name])), Verdict::NotJudged, "{name:?}");
            let mut findings = all_hold(&[*name]);
            findings.not_asked(*name, "");
            let expected = match name {
                CheckName::Witnesses => Verdict::HoldsNotWitnessed,
                _ => Verdict::Holds,
            };
            assert_eq!(verdict(findings), expected, "{name:?}");
        }
    }

    #[test]
    fn the_first_broken_record_is_named_and_false_outweighs_not_judged() {
        let mut findings = Findings::new();
        findings.fail(CheckName::TreeRoot, None, "tree.root", "");
        findings.fail(CheckName::Schema, Some(9), "schema.body", "");
        findings.fail(CheckName::Chain, Some(17), "chain.previous", "later");
        findings.fail(CheckName::Chain, Some(9), "chain.previous", "first");
        findings.fail(CheckName::Chain, Some(20), "chain.previous", "last");
        findings.hold(CheckName::Chain, "cannot heal it");
        let report = findings.report(None, None, Counts::default());
        let broken = report.broken.as_ref();
        assert_eq!(report.exit, 1);
        assert_eq!(
            broken.map(|broken| (broken.check, broken.sequence, broken.detail.as_str())),
            Some((CheckName::Chain, Some(9), "first"))
        );
        assert_eq!(report.summary, "record 9: chain.previous: first");
    }
}
