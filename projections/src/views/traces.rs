//! Traces, one row for each that was reported: its figures. The trace itself is an attachment of the record.
//!
//! A row is named by its record, not by the reporter's id: a second report under the same id is a second row and takes
//! nothing away from the first.

use crate::entry::Entry;
use crate::error::{Unappliable, ViewError};
use crate::position::Position;
use crate::query::{Conditions, Listed, Page, Query, Workspace};
use crate::value::{Cell as _, Json};
use crate::view::{Key, View, row};
use probity_schemas::event::Event;
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;

row! {
    /// A trace.
    TraceRow {
        /// The record that brought it.
        sequence: u64,
        /// When it was recorded.
        time: Time,
        /// The reporter's id of the trace.
        trace: String,
        /// The execution it tells of.
        execution: String,
        /// The decision that the execution led to.
        decision: Option<String>,
        /// The adapter that reported it; another reporter under its actor's whole name.
        adapter: String,
        /// In which workspace; absent means the default one.
        workspace: Option<String>,
        /// The agent's role.
        agent_role: Option<String>,
        /// The model.
        model: String,
        /// The model's provider.
        provider: String,
        /// When it began, by the reporter's clock.
        started: Time,
        /// When it ended.
        completed: Option<Time>,
        /// How long it took, microseconds.
        duration_micros: Option<u64>,
        /// Tokens in.
        tokens_in: u64,
        /// Tokens out.
        tokens_out: u64,
        /// What it cost, micro-USD.
        cost_micros: u64,
        /// How many steps it has.
        steps: u32,
        /// How many violations it reports.
        violations: u32,
        /// What the reporter's own step hashes show.
        integrity: String,
        /// The first of the steps at fault.
        integrity_failures: Json<Vec<String>>,
        /// How it failed.
        error: Option<String>,
        /// The attachment: BLAKE3, lower-case hexadecimal.
        attachment: String,
        /// Its length in bytes.
        attachment_bytes: u64,
        /// Its media type.
        attachment_media_type: String,
    }
}

/// What a list of traces can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceFilter {
    /// The reporter's id of the trace.
    pub trace: Option<String>,
    /// The execution it tells of.
    pub execution: Option<String>,
    /// The decision that the execution led to.
    pub decision: Option<String>,
    /// The adapter that reported it.
    pub adapter: Option<String>,
    /// The agent's role.
    pub agent_role: Option<String>,
    /// In this workspace.
    pub workspace: Workspace,
    /// Begun not before.
    pub since: Option<Time>,
    /// Begun before.
    pub until: Option<Time>,
    /// Recorded before this record.
    pub before: Option<u64>,
}

/// The view.
#[derive(Debug)]
pub struct Traces;

impl View for Traces {
    type Row = TraceRow;

    const NAME: &'static str = "traces";
    const VERSION: u32 = 1;
    const KEYS: usize = 1;
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["trace"],
        &["execution"],
        &["adapter", "sequence"],
        &["decision"],
    ];
    const APPEND_ONLY: bool = true;

    fn key(entry: &Entry) -> Option<Key> {
        match entry.event {
            Event::TraceIngested(_) => entry.sequence.store().ok().map(|sequence| vec![sequence]),
            _ => None,
        }
    }

    fn apply(entry: &Entry, _: Option<TraceRow>) -> Result<TraceRow, Unappliable> {
        let Event::TraceIngested(trace) = &entry.event else {
            return Err(Unappliable::Missing { what: "trace" });
        };
        Ok(TraceRow {
            sequence: entry.sequence,
            time: entry.time,
            trace: trace.trace.clone(),
            execution: trace.execution.clone(),
            decision: entry.decision().map(str::to_owned),
            adapter: entry.reporter(),
            workspace: entry.workspace.clone(),
            agent_role: trace.agent_role.clone(),
            model: trace.model.clone(),
            provider: trace.provider.clone(),
            started: trace.started,
            completed: trace.completed,
            duration_micros: trace.duration_micros,
            tokens_in: trace.tokens_in,
            tokens_out: trace.tokens_out,
            cost_micros: trace.cost_micros,
            steps: trace.steps,
            violations: trace.violations,
            integrity: trace.integrity.clone(),
            integrity_failures: Json::of(&trace.integrity_failures)?,
            error: trace.error.clone(),
            attachment: trace.attachment.blake3.clone(),
            attachment_bytes: trace.attachment.bytes,
            attachment_media_type: trace.attachment.media_type.clone(),
        })
    }
}

impl Listed for Traces {
    type Filter = TraceFilter;

    /// Newest first.
    const ORDER: &'static str = "\"sequence\" DESC";

    fn narrow(filter: &TraceFilter, conditions: &mut Conditions) {
        conditions.equal("trace", filter.trace.as_deref());
        conditions.equal("execution", filter.execution.as_deref());
        conditions.equal("decision", filter.decision.as_deref());
        conditions.equal("adapter", filter.adapter.as_deref());
        conditions.equal("agent_role", filter.agent_role.as_deref());
        conditions.workspace(&filter.workspace);
        conditions.within("started", filter.since, filter.until);
        conditions.before(filter.before);
    }
}

impl Query<'_, Traces> {
    /// The newest trace under a reporter's id.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn get(
        &self,
        tenant: &Tenant,
        trace: &str,
    ) -> Result<(Option<TraceRow>, Position), ViewError> {
        let filter = TraceFilter {
            trace: Some(trace.to_owned()),
            ..TraceFilter::default()
        };
        let (rows, position) = self.list(tenant, &filter, &Page::first(1)).await?;
        Ok((rows.into_iter().next(), position))
    }
}
