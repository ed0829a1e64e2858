//! Policies, one row each, as they were last published. A retired one stays, marked, and no list shows it.

use crate::entry::Entry;
use crate::error::{Unappliable, ViewError};
use crate::position::Position;
use crate::query::{Conditions, Listed, Query, Workspace};
use crate::value::{Json, Value};
use crate::view::{Key, View, row};
use probity_schemas::event::Event;
use probity_schemas::event::registry::PolicyPublished;
use probity_schemas::policy::{Condition, Policy, SubjectKind};
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::Effect;

row! {
    /// A policy.
    PolicyRow {
        /// Its name.
        id: String,
        /// The record that published it as it is.
        sequence: u64,
        /// When it was first published, or published again after it was retired.
        created: Time,
        /// When it was last published or retired.
        updated: Time,
        /// Who did that.
        actor: String,
        /// Whether it is switched on.
        enabled: bool,
        /// What it asks for when it matches.
        effect: Effect,
        /// Higher wins.
        precedence: i32,
        /// Words for people.
        explanation: Option<String>,
        /// What kind of thing it speaks of.
        subject_kind: SubjectKind,
        /// The name of one of that kind.
        subject_name: Option<String>,
        /// Only requests of this workspace.
        workspace: Option<String>,
        /// Only requests of this environment.
        environment: Option<String>,
        /// Its conditions.
        conditions: Json<Vec<Condition>>,
        /// The policy, whole.
        policy: Json<Policy>,
        /// When it was retired; in every list this is absent.
        retired: Option<Time>,
    }
}

/// What a list of policies can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFilter {
    /// Switched on, or off.
    pub enabled: Option<bool>,
    /// Of this effect.
    pub effect: Option<Effect>,
    /// Holding in this workspace only; [`Workspace::Default`]: holding in all.
    pub workspace: Workspace,
    /// Holding in this environment only.
    pub environment: Option<String>,
}

/// The view.
#[derive(Debug)]
pub struct Policies;

impl View for Policies {
    type Row = PolicyRow;

    const NAME: &'static str = "policies";
    const VERSION: u32 = 1;
    const KEYS: usize = 1;
    const INDEXES: &'static [&'static [&'static str]] = &[];

    fn key(entry: &Entry) -> Option<Key> {
        match &entry.event {
            Event::PolicyPublished(published) => Some(vec![Value::text(&published.policy.id)]),
            Event::PolicyRetired(retired) => Some(vec![Value::text(&retired.id)]),
            _ => None,
        }
    }

    fn apply(entry: &Entry, row: Option<PolicyRow>) -> Result<PolicyRow, Unappliable> {
        let in_force = row.filter(|row| row.retired.is_none());
        match (&entry.event, in_force) {
            (Event::PolicyPublished(published), before) => {
                let created = before.map_or(entry.time, |row| row.created);
                publish(entry, published, created)
            }
            (_, Some(row)) => Ok(PolicyRow {
                updated: entry.time,
                actor: entry.actor.clone(),
                retired: Some(entry.time),
                ..row
            }),
            (_, None) => Err(Unappliable::Missing { what: "policy" }),
        }
    }
}

fn publish(
    entry: &Entry,
    published: &PolicyPublished,
    created: Time,
) -> Result<PolicyRow, Unappliable> {
    let policy = &published.policy;
    Ok(PolicyRow {
        id: policy.id.clone(),
        sequence: entry.sequence,
        created,
        updated: entry.time,
        actor: entry.actor.clone(),
        enabled: policy.enabled,
        effect: policy.effect,
        precedence: policy.precedence,
        explanation: policy.explanation.clone(),
        subject_kind: policy.subject.kind,
        subject_name: policy.subject.name.clone(),
        workspace: policy.scope.workspace.clone(),
        environment: policy.scope.environment.clone(),
        conditions: Json::of(&policy.conditions)?,
        policy: Json::of(policy)?,
        retired: None,
    })
}

impl Listed for Policies {
    type Filter = PolicyFilter;

    /// As they are weighed: the highest precedence first.
    const ORDER: &'static str = "\"precedence\" DESC, \"id\"";

    fn narrow(filter: &PolicyFilter, conditions: &mut Conditions) {
        conditions.absent("retired");
        conditions.flag("enabled", filter.enabled);
        conditions.equal("effect", filter.effect.map(Effect::as_str));
        conditions.workspace(&filter.workspace);
        conditions.equal("environment", filter.environment.as_deref());
    }
}

impl Query<'_, Policies> {
    /// The policy of this name, if it is in force.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn get(
        &self,
        tenant: &Tenant,
        id: &str,
    ) -> Result<(Option<PolicyRow>, Position), ViewError> {
        let (row, position) = self.row(tenant, vec![Value::text(id)]).await?;
        Ok((row.filter(|row| row.retired.is_none()), position))
    }
}
