//! Version 1 of the rules.
//!
//! [`gather`] collects the facts from the state, [`decide`] weighs them: first what no policy can lift (the requester's
//! own system, the adapter, the credential, the hard budget), then the policies, then the risk, then the mode.

mod conditions;
mod evaluate;
mod explain;
mod known;
mod paths;
mod risk;
mod ruling;
mod sight;
pub(super) mod trace;

pub use known::Field;
pub use risk::FLAGS as RISK_FLAGS;

use super::{Beside, Outcome, PolicySet};
use crate::command::Moment;
use crate::limits::STEPS_DEFAULT;
use crate::settings;
use crate::state::State;
use known::Known;
use probity_schemas::event::decision::{ApprovalNeeded, BudgetFacts, Facts, Grant, Request};
use probity_schemas::hash::{Hash, sha256};
use probity_schemas::vocabulary::{Role, Verdict};
use sight::Sight;

/// The number of this version.
const VERSION: u32 = 1;

/// The role that resolves a pending decision.
const APPROVAL_ROLE: Role = Role::Approver;

/// Collects everything that deciding on a request reads, besides the policies in force.
#[must_use]
pub fn gather(
    state: &State,
    actor: &str,
    workspace: Option<&str>,
    request: &Request,
    moment: &Moment,
) -> Facts {
    let directory = &state.directory;
    let request = Request {
        workspace: workspace.map(str::to_owned),
        ..request.clone()
    };
    let adapter = request
        .adapter
        .as_ref()
        .and_then(|id| directory.adapters.get(id));
    Facts {
        adapter: adapter.map(crate::state::Adapter::facts),
        approval_seconds: settings::approval_seconds(&directory.settings),
        budget: state
            .budget
            .as_ref()
            .map(|budget| budget.facts(moment.time)),
        grant_seconds: settings::grant_seconds(&directory.settings),
        mode: directory.mode(),
        request_digest: request_digest(&moment.salt, &request),
        roles: directory.roles_of(actor),
        salt: moment.salt,
        templates: directory.templates(workspace),
        time: moment.time,
        request,
    }
}

/// SHA-256 of the salt followed by the canonical request.
#[must_use]
pub fn request_digest(salt: &Hash, request: &Request) -> Hash {
    // A request holds only texts, integers and canonical bodies, in key order: this is its canonical form.
    let canonical = serde_json::to_vec(request).unwrap_or_default();
    sha256(&[salt.as_bytes(), &canonical])
}

/// Decides on the facts, by the policies in force. Conditions that look at withheld values stand as what is beside the facts says.
#[must_use]
pub fn decide(policies: &PolicySet<'_>, facts: &Facts, beside: Beside<'_>) -> Outcome {
    let known = Known::of(facts);
    let sight = Sight::new(&known, beside);
    let weighed = evaluate::weigh(policies, &sight);
    let (withheld, taken) = sight.into_results();
    let ruling = ruling::rule(&known, &weighed);
    let verdict = ruling.verdict;
    Outcome {
        approval: (verdict == Verdict::RequireApproval).then(|| ApprovalNeeded {
            expires: facts.time.plus_seconds(i64::from(facts.approval_seconds)),
            role: APPROVAL_ROLE,
        }),
        engine: VERSION,
        explanation: explain::explain(&known, &ruling),
        grant: (verdict != Verdict::Deny).then(|| grant(facts)),
        matched: weighed.listed(),
        policyset: policies.digest(),
        reason: ruling.reason,
        winner: ruling.winner.map(|hit| hit.policy.id.clone()),
        withheld,
        taken,
        risk: known.risk,
        verdict,
    }
}

/// What an allowed act may use: what it asked for, within what is left of the budget.
fn grant(facts: &Facts) -> Grant {
    let request = &facts.request;
    let left = facts
        .budget
        .as_ref()
        .filter(|budget| !budget.expired)
        .map(left_of);
    let asked = request
        .cost_micros_max
        .or(request.cost_micros)
        .unwrap_or(left.unwrap_or(0));
    Grant {
        capabilities: request.capabilities.clone(),
        cost_micros_max: left.map_or(asked, |left| asked.min(left)),
        seconds: facts.grant_seconds,
        steps_max: request.steps_max.unwrap_or(STEPS_DEFAULT),
    }
}

fn left_of(budget: &BudgetFacts) -> u64 {
    u64::try_from(budget.remaining_micros).unwrap_or(0)
}
