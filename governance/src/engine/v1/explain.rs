//! The explanation of a decision, in words for the people who read it: the winner's own where it has some.

use super::evaluate::Hit;
use super::known::Known;
use super::ruling::{Ruling, capability_not_carried};
use probity_schemas::vocabulary::{Reason, Verdict};

/// Explains a ruling.
pub(super) fn explain(known: &Known<'_>, ruling: &Ruling<'_>) -> String {
    let mut text = match ruling.reason {
        Some(reason) => because(reason, known, ruling),
        None => by_policy(ruling.winner, "allows this"),
    };
    if let Some(hit) = ruling.winner.filter(|hit| !hit.unjudged.is_empty()) {
        text.push_str(" What could not be judged counts against the request: ");
        text.push_str(&hit.unjudged.join(", "));
        text.push('.');
    }
    if known.facts.request.override_ignored && ruling.verdict != Verdict::Allow {
        text.push_str(" The override that the requester asked for has no effect.");
    }
    text
}

fn because(reason: Reason, known: &Known<'_>, ruling: &Ruling<'_>) -> String {
    let request = &known.facts.request;
    let adapter = request.adapter.as_deref().unwrap_or_default();
    match reason {
        Reason::PolicyDenied => by_policy(ruling.winner, "refuses this"),
        Reason::PolicyRequiresApproval => by_policy(ruling.winner, "asks for a person's approval"),
        Reason::RiskRequiresApproval => {
            let risk = format!(
                "the risk is {}: {} of 100",
                known.risk.level, known.risk.score
            );
            match ruling.overruled {
                Some(hit) => format!(
                    "Policy {} allows this, but {risk}. A person must approve.",
                    hit.policy.id
                ),
                None => format!("A person must approve, because {risk}."),
            }
        }
        Reason::NoMatchingPolicy => no_policy(known, ruling),
        Reason::BudgetExceeded => format!("Refused: {}.", short_budget(known)),
        Reason::BudgetSoftExceeded => {
            format!(
                "{} Note: {}.",
                by_policy(ruling.winner, "allows this"),
                short_budget(known)
            )
        }
        Reason::PeriodExpired => {
            "Refused: the period of the hard budget is over, or has not begun.".to_owned()
        }
        Reason::RbacDenied => {
            "Refused: the requester's own system says that it is not entitled.".to_owned()
        }
        Reason::AdapterUnknown => format!("Refused: the adapter {adapter} is not registered."),
        Reason::AdapterDisabled => format!("Refused: the adapter {adapter} is switched off."),
        Reason::CapabilityNotAllowed => {
            let capability = capability_not_carried(known).unwrap_or_default();
            format!("Refused: the credential does not carry the capability {capability}.")
        }
    }
}

fn by_policy(hit: Option<&Hit<'_>>, does: &str) -> String {
    let Some(policy) = hit.map(|hit| hit.policy) else {
        return String::new();
    };
    policy
        .explanation
        .clone()
        .unwrap_or_else(|| format!("Policy {} {does}.", policy.id))
}

fn no_policy(known: &Known<'_>, ruling: &Ruling<'_>) -> String {
    let mode = known.facts.mode;
    if ruling.verdict == Verdict::Warn {
        return format!("No policy speaks of this request. It passes, because the mode is {mode}.");
    }
    format!("No policy allows this request, and in {mode} mode such a request is refused.")
}

fn short_budget(known: &Known<'_>) -> String {
    let left = known
        .facts
        .budget
        .as_ref()
        .map_or(0, |budget| budget.remaining_micros);
    match u64::try_from(left) {
        Ok(left) if left > 0 => {
            let estimate = known.facts.request.cost_micros.unwrap_or(0);
            format!(
                "the estimate of {} is more than the {} left of the budget",
                dollars(estimate),
                dollars(left)
            )
        }
        _ => "the budget is used up".to_owned(),
    }
}

/// Micro-USD as dollars: at least two decimals, no more than needed.
fn dollars(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let short = text.trim_end_matches('0');
    let shortest = text.len() - 4;
    format!(
        "{} USD",
        if short.len() < shortest {
            &text[..shortest]
        } else {
            short
        }
    )
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn money_is_written_short_and_whole() {
        for (micros, text) in [
            (0, "0.00 USD"),
            (1, "0.000001 USD"),
            (1_500_000, "1.50 USD"),
            (1_234_000, "1.234 USD"),
            (1_000_000_000, "1000.00 USD"),
        ] {
            assert_eq!(dollars(micros), text);
        }
    }
}
