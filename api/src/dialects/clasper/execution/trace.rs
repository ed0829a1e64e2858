//! How the policies were weighed, told policy by policy: the decision again, over the recorded facts.
//!
//! It is the longest part of an answer, a line for each condition of each policy: so it borrows all it says, and is written as
//! JSON at once.

use super::super::envelope::Failure;
use super::super::policies::operator_word;
use probity_governance::engine::{
    ConditionTrace, Field, PolicyTrace, Skipped, TraceResult, Weighing,
};
use probity_governance::state::Directory;
use probity_schemas::event::decision::{DecisionMade, Facts, MatchedPolicy, WithheldResult};
use probity_schemas::policy::Scalar;
use probity_schemas::vocabulary::Effect;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

/// A trace as JSON: a list of [`TraceItem`].
pub(crate) type Trace = Box<RawValue>;

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

/// The trace of a recorded decision. Where the policies in force are others by now, the ones that matched are all there is to
/// tell.
pub(crate) fn of_decision(made: &DecisionMade, directory: &Directory) -> Result<Trace, Failure> {
    if directory.policy_set().digest() == made.policyset {
        return of_facts(&made.facts, &made.withheld, directory);
    }
    let matched: Vec<TraceItem<'_>> = made.matched.iter().map(of_match).collect();
    written(&matched)
}

/// The trace of deciding on facts by the policies in force.
pub(crate) fn of_facts(
    facts: &Facts,
    withheld: &[WithheldResult],
    directory: &Directory,
) -> Result<Trace, Failure> {
    let weighing = Weighing::of(facts);
    let weighed = weighing.trace(&directory.policy_set(), withheld);
    let here = |policy: &PolicyTrace<'_>| {
        !matches!(policy.skipped, Some(Skipped::Disabled | Skipped::Scope))
    };
    let items: Vec<TraceItem<'_>> = weighed.into_iter().filter(here).map(item).collect();
    written(&items)
}

fn written(items: &[TraceItem<'_>]) -> Result<Trace, Failure> {
    to_raw_value(items).map_err(|fault| Failure::corrupt(&fault))
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
