//! Which policies match, and which of them wins.
//!
//! Order: precedence, then how narrow the scope is, then deny before require_approval before allow, then the name. A
//! restricting policy may match because something could not be judged; where the policies that match for certain are
//! stricter than such a winner, they win: what cannot be judged never loosens.

use super::conditions::Judgement;
use super::known::Known;
use super::sight::Sight;
use crate::engine::PolicySet;
use crate::limits::MATCHED_BYTES_MAX;
use probity_schemas::event::decision::MatchedPolicy;
use probity_schemas::policy::{Policy, PolicySubject, SubjectKind};
use probity_schemas::vocabulary::Effect;
use std::cmp::Reverse;

/// A policy that matches.
pub(super) struct Hit<'a> {
    pub(super) policy: &'a Policy,
    /// Fields that could not be judged.
    pub(super) unjudged: Vec<&'a str>,
}

/// The policies that match, the strongest first.
pub(super) struct Weighed<'a> {
    hits: Vec<Hit<'a>>,
}

/// Weighs the policies.
pub(super) fn weigh<'a>(policies: &PolicySet<'a>, sight: &Sight<'_>) -> Weighed<'a> {
    let known = sight.known;
    let mut hits: Vec<Hit<'a>> = policies
        .iter()
        .map(|in_force| &in_force.policy)
        .filter(|policy| {
            policy.enabled && in_scope(policy, known) && speaks_of(&policy.subject, known)
        })
        .filter_map(|policy| matches(policy, sight))
        .collect();
    hits.sort_by_key(|hit| rank(hit.policy));
    Weighed { hits }
}

impl<'a> Weighed<'a> {
    /// The policy whose effect counts.
    pub(super) fn winner(&self) -> Option<&Hit<'a>> {
        let first = self.hits.first()?;
        let certain = self.hits.iter().find(|hit| hit.unjudged.is_empty());
        certain
            .filter(|certain| strictness(certain.policy.effect) > strictness(first.policy.effect))
            .or(Some(first))
    }

    /// The matches for the record, the strongest first, as far as they have room.
    pub(super) fn listed(&self) -> Vec<MatchedPolicy> {
        let listed = self.hits.iter().map(MatchedPolicy::from);
        if self.hits.iter().map(Hit::bytes_max).sum::<usize>() <= MATCHED_BYTES_MAX {
            return listed.collect();
        }
        let mut room = MATCHED_BYTES_MAX;
        let fits = |matched: &MatchedPolicy| {
            let bytes = serde_json::to_vec(matched).map_or(usize::MAX, |json| json.len());
            room.checked_sub(bytes).map(|left| room = left).is_some()
        };
        listed.take_while(fits).collect()
    }
}

impl Hit<'_> {
    /// Bytes as JSON at most: a character takes six where it must be escaped, the rest of an entry 96.
    fn bytes_max(&self) -> usize {
        let texts = [
            self.policy.id.as_str(),
            self.policy.explanation.as_deref().unwrap_or_default(),
        ];
        let fields = self.unjudged.iter().map(|field| field.len() + 1);
        96 + 6 * (texts.iter().map(|text| text.len()).sum::<usize>() + fields.sum::<usize>())
    }
}

impl From<&Hit<'_>> for MatchedPolicy {
    fn from(hit: &Hit<'_>) -> Self {
        Self {
            effect: hit.policy.effect,
            explanation: hit.policy.explanation.clone(),
            id: hit.policy.id.clone(),
            unjudged: hit
                .unjudged
                .iter()
                .map(|field| (*field).to_owned())
                .collect(),
        }
    }
}

/// The place of a policy in the order; the smaller, the stronger. Policies come in the order of their names, which a
/// stable sort keeps.
pub(super) fn rank(policy: &Policy) -> (Reverse<i32>, Reverse<u8>, Reverse<u8>) {
    let narrowness = match (&policy.scope.workspace, &policy.scope.environment) {
        (Some(_), Some(_)) => 3,
        (None, Some(_)) => 2,
        _ => 1,
    };
    (
        Reverse(policy.precedence),
        Reverse(narrowness),
        Reverse(strictness(policy.effect)),
    )
}

const fn strictness(effect: Effect) -> u8 {
    match effect {
        Effect::Allow => 0,
        Effect::RequireApproval => 1,
        Effect::Deny => 2,
    }
}

/// Whether the policy holds where the request is made.
pub(super) fn in_scope(policy: &Policy, known: &Known<'_>) -> bool {
    let workspace = policy
        .scope
        .workspace
        .as_deref()
        .is_none_or(|wanted| wanted == known.workspace());
    let environment = policy.scope.environment.as_deref();
    workspace
        && environment
            .is_none_or(|wanted| known.facts.request.environment.as_deref() == Some(wanted))
}

/// Whether the policy speaks of what is asked.
pub(super) fn speaks_of(subject: &PolicySubject, known: &Known<'_>) -> bool {
    let Some(name) = subject.name.as_deref() else {
        return true;
    };
    let request = &known.facts.request;
    match subject.kind {
        SubjectKind::Tool => request.action == name,
        SubjectKind::Adapter => request.adapter.as_deref() == Some(name),
        SubjectKind::Agent => {
            request.agent.as_deref() == Some(name) || request.agent_role.as_deref() == Some(name)
        }
        SubjectKind::Environment => request.environment.as_deref() == Some(name),
        SubjectKind::Risk => known.risk.level.as_str() == name,
        SubjectKind::Skill => request
            .skill_state
            .is_some_and(|state| state.as_str() == name),
        SubjectKind::Cost => true,
    }
}

fn matches<'a>(policy: &'a Policy, sight: &Sight<'_>) -> Option<Hit<'a>> {
    let mut unjudged = Vec::new();
    for condition in &policy.conditions {
        match sight.judge(policy, condition) {
            Judgement::Match => {}
            Judgement::Unjudged if policy.effect != Effect::Allow => {
                unjudged.push(condition.field.as_str())
            }
            Judgement::Miss | Judgement::Unjudged => return None,
        }
    }
    Some(Hit { policy, unjudged })
}
