//! A decision as this surface tells it: the row of the view, made here from the decision's own records, so that it is true at
//! this second; and the words for how it stands.
//!
//! Lists take the same rows from the view. Time that ran out shows at once, before it is recorded.

use super::envelope::Failure;
use super::number::{Decimal, usd};
use probity_projections::Entry;
use probity_projections::views::{DecisionRow, DecisionStatus};
use probity_schemas::event::Event;
use probity_schemas::event::decision::{DecisionMade, Grant};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::Role;
use serde::Serialize;
use utoipa::ToSchema;

/// How the role that resolves decisions is called here.
const RESOLVER_ROLE: &str = "release_manager";

/// A decision, and everything it was decided on.
#[derive(Debug)]
pub(crate) struct Case {
    /// How it stands.
    pub(crate) row: DecisionRow,
    /// How it was decided.
    pub(crate) made: Box<DecisionMade>,
}

impl Case {
    /// Folds the records of one decision, in order; none when there is no decision among them.
    pub(crate) fn fold(entries: Vec<Entry>) -> Result<Option<Self>, Failure> {
        let row = DecisionRow::fold(&entries).map_err(|fault| Failure::corrupt(&fault))?;
        let made = entries.into_iter().find_map(|entry| match entry.event {
            Event::DecisionMade(made) => Some(made),
            _ => None,
        });
        Ok(row.zip(made).map(|(row, made)| Self { row, made }))
    }
}

/// How a decision stands, in this surface's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Approved,
    Denied,
    Expired,
    Allow,
    Deny,
}

impl Status {
    /// How a decision stands now.
    pub(crate) fn of(row: &DecisionRow, now: Time) -> Self {
        let over = |deadline: Option<Time>| deadline.is_some_and(|deadline| now > deadline);
        match row.status {
            DecisionStatus::Allow | DecisionStatus::Warn => Self::Allow,
            DecisionStatus::Deny => Self::Deny,
            DecisionStatus::Pending if over(row.expires) => Self::Expired,
            DecisionStatus::Pending => Self::Pending,
            DecisionStatus::Approved if over(row.grant_expires) => Self::Expired,
            DecisionStatus::Approved | DecisionStatus::Consumed => Self::Approved,
            DecisionStatus::Denied => Self::Denied,
            DecisionStatus::Expired => Self::Expired,
        }
    }

    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    /// What a waiting adapter may do.
    pub(crate) const fn effect(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved | Self::Allow => "allow",
            Self::Denied | Self::Expired | Self::Deny => "deny",
        }
    }
}

/// What an allowed act may use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantedScope {
    capabilities: Vec<String>,
    max_steps: u32,
    /// US dollars.
    #[schema(value_type = f64)]
    max_cost: Decimal,
    expires_at: String,
}

/// What a decision grants; for a pending one, what it will grant at the latest.
pub(crate) fn granted_scope(row: &DecisionRow) -> Result<Option<GrantedScope>, Failure> {
    let Some(grant) = &row.grant else {
        return Ok(None);
    };
    let grant: Grant = grant.get().map_err(|fault| Failure::corrupt(&fault))?;
    let begins = row.expires.unwrap_or(row.created);
    Ok(Some(scope(&grant, begins, row.grant_expires)))
}

/// What a decision grants, as it was decided.
pub(crate) fn scope_of(made: &DecisionMade) -> Option<GrantedScope> {
    let expires = made.approval.as_ref().map(|needed| needed.expires);
    let begins = expires.unwrap_or(made.facts.time);
    made.grant.as_ref().map(|grant| scope(grant, begins, None))
}

fn scope(grant: &Grant, begins: Time, expires: Option<Time>) -> GrantedScope {
    let expires = expires.unwrap_or_else(|| begins.plus_seconds(i64::from(grant.seconds)));
    GrantedScope {
        capabilities: grant.capabilities.clone(),
        max_steps: grant.steps_max,
        max_cost: usd(grant.cost_micros_max),
        expires_at: iso(expires),
    }
}

/// How a role is called here.
pub(crate) const fn role(role: Role) -> &'static str {
    match role {
        Role::Approver => RESOLVER_ROLE,
        other => other.as_str(),
    }
}

/// A time as this surface writes it: UTC, milliseconds.
pub(crate) fn iso(time: Time) -> String {
    let text = time.to_string();
    format!("{}Z", text.get(..23).unwrap_or(&text))
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests;
