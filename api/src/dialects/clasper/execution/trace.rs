//! How the policies were weighed, told policy by policy: the decision again, over the recorded facts.
//!
//! It is the longest part of an answer, a line for each condition of each policy: so it borrows all it says, and is made while it is
//! written.

use super::super::policies::operator_word;
use probity_governance::engine::{
    ConditionTrace, Field, PolicyTrace, Skipped, TraceResult, Weighing,
};
use probity_governance::state::Directory;
use probity_schemas::event::decision::{DecisionMade, Facts, MatchedPolicy, WithheldResult};
use probity_schemas::policy::Scalar;
use probity_schemas::vocabulary::Effect;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// The trace of a decision. As JSON it is a list of [`TraceItem`].
#[derive(Debug)]
pub(crate) enum Trace<'a> {
    /// Decided by the policies in force, on these facts and these results.
    Weighed(&'a Facts, &'a [WithheldResult], &'a Directory),
    /// Decided by other policies than are in force by now: the ones that matched are all there is to tell.
    Matched(&'a [MatchedPolicy]),
}

/// One policy of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceItem<'a> {
    policy_id: &'a str,
    /// matched or skipped.
    result: &'static str,
    /// What it asks for.
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a str>,
    /// Its conditions up to the first that did not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    condition_details: Vec<TraceDetail<'a>>,
}

/// One condition of a policy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceDetail<'a> {
    field: &'a str,
    operator: &'static str,
    #[serde(serialize_with = "expected")]
    #[schema(value_type = serde_json::Value)]
    expected: &'a [Scalar],
    #[schema(value_type = serde_json::Value)]
    actual: Field<'a>,
    /// Whether it counted as holding.
    result: bool,
}

impl<'a> Trace<'a> {
    /// The trace of a recorded decision.
    pub(crate) fn of(made: &'a DecisionMade, directory: &'a Directory) -> Self {
        if directory.policy_set().digest() == made.policyset {
            Self::Weighed(&made.facts, &made.withheld, directory)
        } else {
            Self::Matched(&made.matched)
        }
    }
}

impl Serialize for Trace<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (facts, withheld, directory) = match self {
            Self::Weighed(facts, withheld, directory) => (facts, withheld, directory),
            Self::Matched(matched) => return serializer.collect_seq(matched.iter().map(of_match)),
        };
        let weighing = Weighing::of(facts);
        let policies = directory.policy_set();
        let here = |policy: &PolicyTrace<'_>| {
            !matches!(policy.skipped, Some(Skipped::Disabled | Skipped::Scope))
        };
        let weighed = weighing.trace(&policies, withheld);
        serializer.collect_seq(weighed.filter(here).map(item))
    }
}

fn of_match(policy: &MatchedPolicy) -> TraceItem<'_> {
    TraceItem {
        policy_id: &policy.id,
        result: "matched",
        decision: policy.effect.as_str(),
        explanation: policy.explanation.as_deref(),
        condition_details: Vec::new(),
    }
}

fn item(trace: PolicyTrace<'_>) -> TraceItem<'_> {
    let policy = trace.policy;
    let restricts = policy.effect != Effect::Allow;
    TraceItem {
        policy_id: &policy.id,
        result: if trace.matched { "matched" } else { "skipped" },
        decision: policy.effect.as_str(),
        explanation: policy.explanation.as_deref(),
        condition_details: trace
            .details
            .into_iter()
            .map(|one| detail(one, restricts))
            .collect(),
    }
}

fn detail(trace: ConditionTrace<'_>, restricts: bool) -> TraceDetail<'_> {
    let condition = trace.condition;
    TraceDetail {
        field: &condition.field,
        operator: operator_word(condition.operator),
        expected: &condition.values,
        actual: trace.actual,
        result: trace.result == TraceResult::Match
            || (restricts && trace.result == TraceResult::Unjudged),
    }
}

/// One value as itself, several as a list.
fn expected<S: Serializer>(values: &[Scalar], serializer: S) -> Result<S::Ok, S::Error> {
    match values {
        [only] => only.serialize(serializer),
        all => all.serialize(serializer),
    }
}
