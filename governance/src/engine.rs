//! The engine: two pure functions, [`gather`] and [`decide`], behind the version that a log's records name.
//!
//! Facts are everything a decision reads besides the policies; with them and the policies anyone can decide again. A
//! version is a folder; once released it is frozen and a change is a new version beside it.

mod v1;

pub use v1::trace::{ConditionTrace, PolicyTrace, Skipped, TraceResult, Weighing};
pub use v1::{Field, RISK_FLAGS, decide, gather, request_digest};

use crate::command::ClearBodies;
use crate::state::{Directory, InForce, policyset_digest};
use probity_schemas::disclosure::Disclosure;
use probity_schemas::event::decision::{
    ApprovalNeeded, DecisionMade, Facts, Grant, MatchedPolicy, Risk, WithheldResult,
};
use probity_schemas::hash::Hash;
use probity_schemas::vocabulary::{Reason, Verdict};
use std::collections::BTreeMap;

/// The newest version of the rules, and the one that new logs begin with.
pub const ENGINE: u32 = 1;

/// The policies in force, and their digest.
#[derive(Clone, Copy, Debug)]
pub struct PolicySet<'a> {
    policies: &'a BTreeMap<String, InForce>,
    digest: Hash,
}

impl<'a> PolicySet<'a> {
    /// The set of these policies, by subject; the digest is computed. For readers of a part of a log.
    #[must_use]
    pub fn of(policies: &'a BTreeMap<String, InForce>) -> Self {
        Self {
            policies,
            digest: policyset_digest(policies),
        }
    }

    /// SHA-256 over the leaf hashes of the policies, in byte order of subject.
    #[must_use]
    pub const fn digest(&self) -> Hash {
        self.digest
    }

    /// The policies, by subject.
    pub fn iter(&self) -> impl Iterator<Item = &'a InForce> + use<'a> {
        self.policies.values()
    }
}

impl Directory {
    /// The policies in force.
    #[must_use]
    pub fn policy_set(&self) -> PolicySet<'_> {
        PolicySet {
            policies: &self.policies,
            digest: self.policyset,
        }
    }
}

/// What is known of the values that the facts hold as digests only.
#[derive(Clone, Copy, Debug)]
pub enum Beside<'a> {
    /// Nothing: conditions look at the facts as they stand.
    Nothing,
    /// All of them: the bodies as they were sent.
    Clear(&'a ClearBodies),
    /// How the conditions stood that looked at them, and what opens some of them.
    Recorded {
        /// As the decision records it.
        results: &'a [WithheldResult],
        /// What opens digests of the facts.
        disclosures: &'a [Disclosure],
    },
}

/// What deciding gives: a [`DecisionMade`] but for its facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Present when a person must decide.
    pub approval: Option<ApprovalNeeded>,
    /// Version of the rules that decided.
    pub engine: u32,
    /// Words for people.
    pub explanation: String,
    /// What an allowed act may use; for a pending one, what it will get.
    pub grant: Option<Grant>,
    /// The policies that matched, the strongest first.
    pub matched: Vec<MatchedPolicy>,
    /// Digest of the policies in force.
    pub policyset: Hash,
    /// Why the verdict is not a plain allow.
    pub reason: Option<Reason>,
    /// The risk score and its parts.
    pub risk: Risk,
    /// The verdict.
    pub verdict: Verdict,
    /// The policy whose effect was taken.
    pub winner: Option<String>,
    /// How the conditions stood that looked at withheld values.
    pub withheld: Vec<WithheldResult>,
    /// How many of these were taken as recorded; not a part of the record.
    pub taken: u32,
}

impl Outcome {
    /// The body of a `decision.made`.
    #[must_use]
    pub fn with_facts(self, facts: Facts) -> DecisionMade {
        DecisionMade {
            approval: self.approval,
            engine: self.engine,
            explanation: self.explanation,
            facts,
            grant: self.grant,
            matched: self.matched,
            policyset: self.policyset,
            reason: self.reason,
            risk: self.risk,
            verdict: self.verdict,
            winner: self.winner,
            withheld: self.withheld,
        }
    }

    /// The outcome that a `decision.made` records.
    #[must_use]
    pub fn recorded(made: &DecisionMade) -> Self {
        Self {
            approval: made.approval.clone(),
            engine: made.engine,
            explanation: made.explanation.clone(),
            grant: made.grant.clone(),
            matched: made.matched.clone(),
            policyset: made.policyset,
            reason: made.reason,
            risk: made.risk.clone(),
            verdict: made.verdict,
            winner: made.winner.clone(),
            withheld: made.withheld.clone(),
            taken: 0,
        }
    }
}
