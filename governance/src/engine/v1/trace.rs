//! The trace of a decision: for each policy, in the order they are weighed, whether it matched and what stopped it.
//!
//! A trace is never stored. It is the same evaluation again, over recorded facts, told in detail.

use super::conditions::{self, Judgement};
use super::evaluate;
use super::known::{Field, Known};
use crate::engine::PolicySet;
use probity_schemas::event::decision::{Facts, WithheldResult};
use probity_schemas::policy::{Condition, Policy};
use probity_schemas::vocabulary::{ConditionResult, Effect};

/// Facts, ready to be weighed again: what a trace borrows from.
pub struct Weighing<'a>(Known<'a>);

/// What became of one policy.
#[derive(Debug)]
pub struct PolicyTrace<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Whether it matched.
    pub matched: bool,
    /// What kept it from being looked at condition by condition.
    pub skipped: Option<Skipped>,
    /// Its conditions, up to and with the first that did not hold.
    pub details: Vec<ConditionTrace<'a>>,
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
#[derive(Debug)]
pub struct ConditionTrace<'a> {
    /// The condition: its field, its operator and the values it accepts.
    pub condition: &'a Condition,
    /// What the field holds.
    pub actual: Field<'a>,
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

impl<'a> Weighing<'a> {
    /// Makes facts ready.
    #[must_use]
    pub fn of(facts: &'a Facts) -> Self {
        Self(Known::of(facts))
    }

    /// Tells how the policies were weighed for these facts; `withheld` is how conditions stood that looked at withheld values.
    pub fn trace<'w>(
        &'w self,
        policies: &PolicySet<'w>,
        withheld: &'w [WithheldResult],
    ) -> impl Iterator<Item = PolicyTrace<'w>> + use<'w, 'a> {
        let mut ordered: Vec<&Policy> = policies.iter().map(|in_force| &in_force.policy).collect();
        ordered.sort_by_key(|policy| evaluate::rank(policy));
        ordered.into_iter().map(move |policy| {
            let own = withheld.iter().filter(|one| one.policy == policy.id);
            trace_policy(policy, &self.0, &mut own.map(|one| one.result))
        })
    }
}

fn trace_policy<'w>(
    policy: &'w Policy,
    known: &'w Known<'_>,
    withheld: &mut dyn Iterator<Item = ConditionResult>,
) -> PolicyTrace<'w> {
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
    PolicyTrace {
        policy,
        matched,
        skipped,
        details,
    }
}

fn trace_condition<'w>(
    condition: &'w Condition,
    effect: Effect,
    known: &'w Known<'_>,
    withheld: &mut dyn Iterator<Item = ConditionResult>,
) -> ConditionTrace<'w> {
    let actual = known.field(&condition.field);
    let judgement = if known.is_withheld(condition) {
        withheld.next().map_or(Judgement::Unjudged, Judgement::from)
    } else {
        conditions::judge_field(&actual, condition, effect, known)
    };
    ConditionTrace {
        condition,
        actual,
        result: match judgement {
            Judgement::Match => TraceResult::Match,
            Judgement::Miss => TraceResult::Miss,
            Judgement::Unjudged => TraceResult::Unjudged,
        },
    }
}
