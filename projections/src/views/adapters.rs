//! Adapters, one row each, as they last registered.

use crate::entry::Entry;
use crate::error::{Unappliable, ViewError};
use crate::position::Position;
use crate::query::{Conditions, Listed, Query};
use crate::value::{Json, Value};
use crate::view::{Key, View, row};
use probity_schemas::event::Event;
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::RiskClass;

row! {
    /// An adapter.
    AdapterRow {
        /// Its own id.
        id: String,
        /// The record of its newest registration.
        sequence: u64,
        /// When it first registered.
        created: Time,
        /// When it last registered.
        updated: Time,
        /// Who registered it last.
        actor: String,
        /// Its version.
        version: String,
        /// Its name for people.
        display_name: String,
        /// Its class.
        risk_class: RiskClass,
        /// Whether it may ask at all.
        enabled: bool,
        /// Its certification tier.
        certification: String,
        /// What it can do.
        capabilities: Json<Vec<String>>,
        /// The tools it brings.
        tool_capabilities: Json<Vec<String>>,
    }
}

/// What a list of adapters can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdapterFilter {
    /// Switched on, or off.
    pub enabled: Option<bool>,
}

/// The view.
#[derive(Debug)]
pub struct Adapters;

impl View for Adapters {
    type Row = AdapterRow;

    const NAME: &'static str = "adapters";
    const VERSION: u32 = 1;
    const KEYS: usize = 1;
    const INDEXES: &'static [&'static [&'static str]] = &[];

    fn key(entry: &Entry) -> Option<Key> {
        match &entry.event {
            Event::AdapterRegistered(adapter) => Some(vec![Value::text(&adapter.id)]),
            _ => None,
        }
    }

    fn apply(entry: &Entry, row: Option<AdapterRow>) -> Result<AdapterRow, Unappliable> {
        let Event::AdapterRegistered(adapter) = &entry.event else {
            return Err(Unappliable::Missing { what: "adapter" });
        };
        Ok(AdapterRow {
            id: adapter.id.clone(),
            sequence: entry.sequence,
            created: row.map_or(entry.time, |row| row.created),
            updated: entry.time,
            actor: entry.actor.clone(),
            version: adapter.version.clone(),
            display_name: adapter.display_name.clone(),
            risk_class: adapter.risk_class,
            enabled: adapter.enabled,
            certification: adapter.certification.clone(),
            capabilities: Json::of(&adapter.capabilities)?,
            tool_capabilities: Json::of(&adapter.tool_capabilities)?,
        })
    }
}

impl Listed for Adapters {
    type Filter = AdapterFilter;

    const ORDER: &'static str = "\"id\"";

    fn narrow(filter: &AdapterFilter, conditions: &mut Conditions) {
        conditions.flag("enabled", filter.enabled);
    }
}

impl Query<'_, Adapters> {
    /// One adapter.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn get(
        &self,
        tenant: &Tenant,
        id: &str,
    ) -> Result<(Option<AdapterRow>, Position), ViewError> {
        self.row(tenant, vec![Value::text(id)]).await
    }
}
