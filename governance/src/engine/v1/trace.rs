//! The trace of a decision: for each policy, in the order they are weighed, whether it matched and what stopped it.
//!
//! A trace is never stored. It is the same evaluation again, over recorded facts, told in detail.

use super::conditions::{self, Judgement};
use super::evaluate;
use super::known::{Field, Known};
use crate::engine::PolicySet;
use probity_schemas::event::decision::{Facts, WithheldResult};
use probity_schemas::policy::{Condition, Operator, Policy, Scalar};
use probity_schemas::vocabulary::{ConditionResult, Effect};
use serde_json::Value;

/// What became of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTrace {
    /// Its name.
    pub policy: String,
    /// Its effect.
    pub effect: Effect,
    /// Its explanation.
    pub explanation: Option<String>,
    /// Whether it matched.
    pub matched: bool,
    /// What kept it from being looked at condition by condition.
    pub skipped: Option<Skipped>,
    /// Its conditions, up to and with the first that did not hold.
    pub details: Vec<ConditionTrace>,
}

/// Why a policy was not looked at condition by condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// It is switched off.
    Disabled,
    /// It holds elsewhere.
    Scope,
    /// It speaks of something else.
    Subject,
}

/// What became of one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionTrace {
    /// The field.
    pub field: String,
    /// The operator.
    pub operator: Operator,
    /// The values it accepts, as the policy writes them.
    pub expected: Vec<Scalar>,
    /// What the field holds; none when it is absent.
    pub actual: Option<Value>,
    /// How it stands.
    pub result: TraceResult,
}

/// How a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceResult {
    /// It holds.
    Match,
    /// It does not hold.
    Miss,
    /// It cannot be judged.
    Unjudged,
}

/// Tells how the policies were weighed for these facts; `withheld` is how conditions stood that looked at withheld values.
#[must_use]
pub fn trace(
    policies: &PolicySet<'_>,
    facts: &Facts,
    withheld: &[WithheldResult],
) -> Vec<PolicyTrace> {
    let known = Known::of(facts);
    let mut ordered: Vec<&Policy> = policies.iter().map(|in_force| &in_force.policy).collect();
    ordered.sort_by_key(|policy| evaluate::rank(policy));
    ordered
        .into_iter()
        .map(|policy| {
            let own = withheld.iter().filter(|one| one.policy == policy.id);
            trace_policy(policy, &known, &mut own.map(|one| one.result))
        })
        .collect()
}

fn trace_policy(
    policy: &Policy,
    known: &Known<'_>,
    withheld: &mut dyn Iterator<Item = ConditionResult>,
) -> PolicyTrace {
    let skipped = if !policy.enabled {
        Some(Skipped::Disabled)
    } else if !evaluate::in_scope(policy, known) {
        Some(Skipped::Scope)
    } else if !evaluate::speaks_of(&policy.subject, known) {
        Some(Skipped::Subject)
    } else {
        None
    };
    let mut details = Vec::new();
    let mut matched = skipped.is_none();
    for condition in policy.conditions.iter().take_while(|_| skipped.is_none()) {
        let detail = trace_condition(condition, policy.effect, known, withheld);
        matched = match detail.result {
            TraceResult::Match => true,
            TraceResult::Unjudged => policy.effect != Effect::Allow,
            TraceResult::Miss => false,
        };
        details.push(detail);
        if !matched {
            break;
        }
    }
    let (effect, explanation) = (policy.effect, policy.explanation.clone());
    PolicyTrace {
        policy: policy.id.clone(),
        effect,
        explanation,
        matched,
        skipped,
        details,
    }
}

fn trace_condition(
    condition: &Condition,
    effect: Effect,
    known: &Known<'_>,
    withheld: &mut dyn Iterator<Item = ConditionResult>,
) -> ConditionTrace {
    let judgement = if known.is_withheld(condition) {
        withheld.next().map_or(Judgement::Unjudged, Judgement::from)
    } else {
        conditions::judge(condition, effect, known)
    };
    ConditionTrace {
        field: condition.field.clone(),
        operator: condition.operator,
        expected: condition.values.clone(),
        actual: match known.field(&condition.field) {
            Field::Absent | Field::Unknown => None,
            Field::Text(text) => Some(Value::from(text)),
            Field::Int(number) => Some(Value::from(number)),
            Field::Texts(texts) => Some(Value::from(texts)),
            Field::Json(value) => Some(value.clone()),
        },
        result: match judgement {
            Judgement::Match => TraceResult::Match,
            Judgement::Miss => TraceResult::Miss,
            Judgement::Unjudged => TraceResult::Unjudged,
        },
    }
}
