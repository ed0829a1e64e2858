//! Posture: how far the policies in force govern what each adapter can do. The rows are what posture follows from (the
//! settings, policies and adapters in force); the rules' own function makes the answer of them when asked.

use crate::entry::Entry;
use crate::error::{Unappliable, ViewError};
use crate::position::Position;
use crate::query::{Conditions, Listed, Query};
use crate::value::{Json, Value};
use crate::view::{Key, View, row};
use probity_governance::posture::{Posture, posture};
use probity_governance::state::{Adapter, Directory, InForce};
use probity_schemas::event::Event;
use probity_schemas::event::registry::AdapterRegistered;
use probity_schemas::hash::Hash;
use probity_schemas::policy::Policy;
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;
use serde_json::value::RawValue;

const SETTING: &str = "setting";
const POLICY: &str = "policy";
const ADAPTER: &str = "adapter";

row! {
    /// A setting, policy or adapter, as it is in force.
    PostureRow {
        /// `setting`, `policy` or `adapter`.
        kind: String,
        /// Its name.
        id: String,
        /// The record that made it so.
        sequence: u64,
        /// When.
        updated: Time,
        /// The record's leaf hash.
        leaf: Hash,
        /// The setting's value, the policy, the adapter; absent when it was taken away.
        body: Option<Json<Box<RawValue>>>,
    }
}

/// The view.
#[derive(Debug)]
pub struct Postures;

impl View for Postures {
    type Row = PostureRow;

    const NAME: &'static str = "posture";
    const VERSION: u32 = 1;
    const KEYS: usize = 2;
    const INDEXES: &'static [&'static [&'static str]] = &[];

    fn key(entry: &Entry) -> Option<Key> {
        name(&entry.event).map(|(kind, id)| vec![Value::text(kind), Value::text(id)])
    }

    fn apply(entry: &Entry, _: Option<PostureRow>) -> Result<PostureRow, Unappliable> {
        let (kind, id) = name(&entry.event).ok_or(Unappliable::Missing { what: "name" })?;
        let body = match &entry.event {
            Event::SettingChanged(changed) => changed.value.as_ref().map(raw).transpose()?,
            Event::PolicyPublished(published) => Some(raw(&published.policy)?),
            Event::AdapterRegistered(adapter) => Some(raw(adapter)?),
            _ => None,
        };
        Ok(PostureRow {
            kind: kind.to_owned(),
            id: id.to_owned(),
            sequence: entry.sequence,
            updated: entry.time,
            leaf: entry.leaf,
            body,
        })
    }
}

fn name(event: &Event) -> Option<(&'static str, &str)> {
    match event {
        Event::SettingChanged(changed) => Some((SETTING, &changed.name)),
        Event::PolicyPublished(published) => Some((POLICY, &published.policy.id)),
        Event::PolicyRetired(retired) => Some((POLICY, &retired.id)),
        Event::AdapterRegistered(adapter) => Some((ADAPTER, &adapter.id)),
        _ => None,
    }
}

fn raw<T: serde::Serialize>(value: &T) -> Result<Json<Box<RawValue>>, Unappliable> {
    let raw = serde_json::value::to_raw_value(value).map_err(|error| Unappliable::NotJson {
        reason: error.to_string(),
    })?;
    Json::of(&raw)
}

impl Listed for Postures {
    type Filter = ();

    const ORDER: &'static str = "\"kind\", \"id\"";

    fn narrow((): &(), conditions: &mut Conditions) {
        conditions.present("body");
    }
}

impl Query<'_, Postures> {
    /// The posture of one adapter in a workspace (`None`: the default one).
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn of(
        &self,
        tenant: &Tenant,
        adapter: &str,
        workspace: Option<&str>,
    ) -> Result<(Posture, Position), ViewError> {
        let (directory, position) = self.directory(tenant).await?;
        Ok((posture(&directory, adapter, workspace), position))
    }

    /// The posture of every registered adapter in a workspace, by adapter.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn all(
        &self,
        tenant: &Tenant,
        workspace: Option<&str>,
    ) -> Result<(Vec<(String, Posture)>, Position), ViewError> {
        let (directory, position) = self.directory(tenant).await?;
        let adapters = directory.adapters.keys();
        let postures = adapters.map(|id| (id.clone(), posture(&directory, id, workspace)));
        Ok((postures.collect(), position))
    }

    /// As much of the directory as posture is made of.
    async fn directory(&self, tenant: &Tenant) -> Result<(Directory, Position), ViewError> {
        let (rows, position) = self.every(tenant, &()).await?;
        let mut directory = Directory::default();
        for row in rows {
            let bad = |_| ViewError::BadRow {
                view: Postures::NAME,
                column: "body",
            };
            let body = row.body.as_ref().map_or("null", Json::as_str);
            match row.kind.as_str() {
                SETTING => {
                    let value: String = serde_json::from_str(body).map_err(bad)?;
                    directory.settings.insert(row.id, value);
                }
                POLICY => {
                    let policy: Policy = serde_json::from_str(body).map_err(bad)?;
                    let leaf = row.leaf;
                    directory.policies.insert(row.id, InForce { policy, leaf });
                }
                _ => {
                    let adapter: AdapterRegistered = serde_json::from_str(body).map_err(bad)?;
                    directory.adapters.insert(row.id, Adapter::from(&adapter));
                }
            }
        }
        Ok((directory, position))
    }
}
