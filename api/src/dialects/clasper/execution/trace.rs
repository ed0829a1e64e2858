//! How the policies were weighed, told policy by policy: the decision again, over the recorded facts.

use super::super::policies::operator_word;
use probity_governance::engine::{ConditionTrace, PolicyTrace, Skipped, TraceResult, trace};
use probity_governance::state::Directory;
use probity_projections::views::DecisionRow;
use probity_schemas::event::decision::{Facts, MatchedPolicy, WithheldResult};
use probity_schemas::policy::Scalar;
use probity_schemas::vocabulary::Effect;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// One policy of a decision.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TraceItem {
    policy_id: String,
    /// matched or skipped.
    result: &'static str,
    /// What it asks for.
    decision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// Its conditions up to the first that did not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    condition_details: Vec<TraceDetail>,
}

/// One condition of a policy.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TraceDetail {
    field: String,
    operator: &'static str,
    expected: Value,
    actual: Value,
    /// Whether it counted as holding.
    result: bool,
}

/// The trace of a recorded decision. Where the policies in force are others by now, the ones that matched are all there is to
/// tell.
pub(crate) fn of_decision(
    row: &DecisionRow,
    matched: &[MatchedPolicy],
    (facts, withheld): (&Facts, &[WithheldResult]),
    directory: &Directory,
) -> Vec<TraceItem> {
    let policies = directory.policy_set();
    if policies.digest() == row.policyset {
        return of_facts(facts, withheld, directory);
    }
    matched.iter().map(of_match).collect()
}

/// The trace of deciding on facts by the policies in force.
pub(crate) fn of_facts(
    facts: &Facts,
    withheld: &[WithheldResult],
    directory: &Directory,
) -> Vec<TraceItem> {
    let weighed = trace(&directory.policy_set(), facts, withheld);
    let here =
        |policy: &PolicyTrace| !matches!(policy.skipped, Some(Skipped::Disabled | Skipped::Scope));
    weighed.into_iter().filter(here).map(item).collect()
}

fn of_match(policy: &MatchedPolicy) -> TraceItem {
    TraceItem {
        policy_id: policy.id.clone(),
        result: "matched",
        decision: policy.effect.to_string(),
        explanation: policy.explanation.clone(),
        condition_details: Vec::new(),
    }
}

fn item(policy: PolicyTrace) -> TraceItem {
    let restricts = policy.effect != Effect::Allow;
    let detail = |detail: ConditionTrace| TraceDetail {
        field: detail.field,
        operator: operator_word(detail.operator),
        expected: expected(&detail.expected),
        actual: detail.actual.unwrap_or_default(),
        result: detail.result == TraceResult::Match
            || (restricts && detail.result == TraceResult::Unjudged),
    };
    TraceItem {
        policy_id: policy.policy,
        result: if policy.matched { "matched" } else { "skipped" },
        decision: policy.effect.to_string(),
        explanation: policy.explanation,
        condition_details: policy.details.into_iter().map(detail).collect(),
    }
}

fn expected(values: &[Scalar]) -> Value {
    match values {
        [only] => json!(only),
        all => json!(all),
    }
}
