//! The verdict: what no policy can lift comes first, then the policies, then the risk, then the mode.

use super::evaluate::{Hit, Weighed};
use super::known::Known;
use crate::policy::is_fallback;
use probity_schemas::event::decision::BudgetFacts;
use probity_schemas::vocabulary::{Effect, Mode, Reason, RiskLevel, Verdict};

/// A verdict and what it rests on.
pub(super) struct Ruling<'w> {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Reason>,
    /// The policy whose effect was taken.
    pub(super) winner: Option<&'w Hit<'w>>,
    /// The policy that allowed what something else held back.
    pub(super) overruled: Option<&'w Hit<'w>>,
}

/// Rules on a request.
pub(super) fn rule<'w>(known: &Known<'_>, weighed: &'w Weighed<'w>) -> Ruling<'w> {
    if let Some(reason) = barred(known) {
        return Ruling {
            verdict: Verdict::Deny,
            reason: Some(reason),
            winner: None,
            overruled: None,
        };
    }
    let strict = known.facts.mode == Mode::Strict;
    // In strict mode an act passes only by a policy that speaks of it; a fallback may restrict, not allow.
    let speaks =
        |hit: &&Hit<'_>| !(strict && hit.policy.effect == Effect::Allow && is_fallback(hit.policy));
    let winner = weighed.winner().filter(speaks);
    match winner.map(|hit| hit.policy.effect) {
        Some(Effect::Deny) => by_policy(Verdict::Deny, Reason::PolicyDenied, winner),
        Some(Effect::RequireApproval) => by_policy(
            Verdict::RequireApproval,
            Reason::PolicyRequiresApproval,
            winner,
        ),
        None if known.facts.mode != Mode::Permissive => {
            by_policy(Verdict::Deny, Reason::NoMatchingPolicy, None)
        }
        _ if known.risk.level >= RiskLevel::High => Ruling {
            verdict: Verdict::RequireApproval,
            reason: Some(Reason::RiskRequiresApproval),
            winner: None,
            overruled: winner,
        },
        None => by_policy(Verdict::Warn, Reason::NoMatchingPolicy, None),
        Some(Effect::Allow) if soft_budget_is_short(known) => {
            by_policy(Verdict::Warn, Reason::BudgetSoftExceeded, winner)
        }
        Some(Effect::Allow) => Ruling {
            verdict: Verdict::Allow,
            reason: None,
            winner,
            overruled: None,
        },
    }
}

fn by_policy<'w>(verdict: Verdict, reason: Reason, winner: Option<&'w Hit<'w>>) -> Ruling<'w> {
    Ruling {
        verdict,
        reason: Some(reason),
        winner,
        overruled: None,
    }
}

/// What no policy can lift.
fn barred(known: &Known<'_>) -> Option<Reason> {
    let request = &known.facts.request;
    if request.rbac_allowed == Some(false) {
        return Some(Reason::RbacDenied);
    }
    match (&request.adapter, &known.facts.adapter) {
        (Some(_), None) => return Some(Reason::AdapterUnknown),
        (Some(_), Some(adapter)) if !adapter.enabled => return Some(Reason::AdapterDisabled),
        _ => {}
    }
    if capability_not_carried(known).is_some() {
        return Some(Reason::CapabilityNotAllowed);
    }
    match known.facts.budget.as_ref().filter(|budget| budget.hard) {
        Some(budget) if budget.expired => Some(Reason::PeriodExpired),
        Some(budget) if is_short(budget, known) => Some(Reason::BudgetExceeded),
        _ => None,
    }
}

/// The first capability asked for that the credential does not carry.
pub(super) fn capability_not_carried<'a>(known: &Known<'a>) -> Option<&'a str> {
    let request = &known.facts.request;
    let carried = request.credential_capabilities.as_ref()?;
    request
        .capabilities
        .iter()
        .find(|capability| !carried.contains(capability))
        .map(String::as_str)
}

fn soft_budget_is_short(known: &Known<'_>) -> bool {
    let budget = known.facts.budget.as_ref();
    budget.is_some_and(|budget| !budget.hard && !budget.expired && is_short(budget, known))
}

/// Used up, or less left than the estimate.
fn is_short(budget: &BudgetFacts, known: &Known<'_>) -> bool {
    let estimate = known.facts.request.cost_micros.unwrap_or(0);
    u64::try_from(budget.remaining_micros).map_or(true, |left| left == 0 || estimate > left)
}
