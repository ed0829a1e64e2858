//! What an auditor reads: one row for each record that changed something or tells of something done, failed or gone wrong.
//! Measures (traces, costs, metrics, observations) are not among them.

use crate::entry::Entry;
use crate::error::{Unappliable, ViewError};
use crate::position::Position;
use crate::query::{Conditions, Listed, Query, Workspace};
use crate::value::{Cell as _, Json, Kind, Value};
use crate::view::{Key, View, row};
use probity_schemas::body::Body;
use probity_schemas::event::Event;
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;

row! {
    /// A line of the audit list.
    AuditRow {
        /// The record.
        sequence: u64,
        /// When it was recorded.
        time: Time,
        /// Its type, e.g. `approval.granted.v1`.
        event: String,
        /// The reporter's own name for it, where it was reported: of an audit event, an outcome, a violation.
        label: Option<String>,
        /// Who caused it.
        actor: String,
        /// The stream it belongs to.
        subject: String,
        /// Through which API.
        surface: String,
        /// In which workspace; absent means the default one.
        workspace: Option<String>,
        /// The caller's id of the execution, where the record names it.
        execution: Option<String>,
        /// The reporter's id of the trace, where the record names it.
        trace: Option<String>,
        /// When it happened, by the reporter's clock.
        occurred: Option<Time>,
        /// Words for people.
        message: Option<String>,
        /// What the reporter added.
        body: Option<Json<Body>>,
    }
}

/// What an audit list can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of one of these types; empty means any.
    pub event: Vec<String>,
    /// Under this name of the reporter's.
    pub label: Option<String>,
    /// Caused by.
    pub actor: Option<String>,
    /// On this stream.
    pub subject: Option<String>,
    /// Of this execution.
    pub execution: Option<String>,
    /// Of this trace.
    pub trace: Option<String>,
    /// In this workspace.
    pub workspace: Workspace,
    /// Recorded not before.
    pub since: Option<Time>,
    /// Recorded before.
    pub until: Option<Time>,
    /// Recorded before this record.
    pub before: Option<u64>,
}

/// The view.
#[derive(Debug)]
pub struct Audit;

impl View for Audit {
    type Row = AuditRow;

    const NAME: &'static str = "audit";
    const VERSION: u32 = 1;
    const KEYS: usize = 1;
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["event", "sequence"],
        &["subject", "sequence"],
        &["execution", "sequence"],
        &["trace", "sequence"],
    ];
    const APPEND_ONLY: bool = true;

    fn key(entry: &Entry) -> Option<Key> {
        match entry.event {
            Event::TraceIngested(_)
            | Event::CostIngested(_)
            | Event::MetricIngested(_)
            | Event::ObservationRecorded(_) => None,
            _ => entry.sequence.store().ok().map(|sequence| vec![sequence]),
        }
    }

    fn apply(entry: &Entry, _: Option<AuditRow>) -> Result<AuditRow, Unappliable> {
        let mut row = AuditRow {
            sequence: entry.sequence,
            time: entry.time,
            event: entry.event.type_name().to_owned(),
            label: None,
            actor: entry.actor.clone(),
            subject: entry.subject.to_string(),
            surface: entry.surface.clone(),
            workspace: entry.workspace.clone(),
            execution: None,
            trace: None,
            occurred: None,
            message: None,
            body: None,
        };
        tell(&mut row, &entry.event)?;
        Ok(row)
    }
}

/// What the body of the record adds.
fn tell(row: &mut AuditRow, event: &Event) -> Result<(), Unappliable> {
    match event {
        Event::DecisionMade(made) => {
            row.execution.clone_from(&made.facts.request.execution);
            row.label = Some(made.verdict.as_str().to_owned());
            row.message = Some(made.explanation.clone());
        }
        Event::ApprovalGranted(granted) => row.message.clone_from(&granted.justification),
        Event::ApprovalDenied(denied) => row.message.clone_from(&denied.justification),
        Event::DecisionExpired(expired) => row.label = Some(expired.part.as_str().to_owned()),
        Event::GrantConsumed(consumed) => row.label = Some(consumed.by.as_str().to_owned()),
        Event::BudgetCrossed(crossed) => row.label = Some(crossed.level.as_str().to_owned()),
        Event::SettingChanged(changed) => row.message = Some(changed.name.clone()),
        Event::KeyRegistered(registered) => row.message = Some(registered.actor.clone()),
        Event::KeyRevoked(revoked) => row.message.clone_from(&revoked.reason),
        Event::SignerRotated(rotated) => row.message.clone_from(&rotated.reason),
        Event::SignerCompromised(compromised) => row.message.clone_from(&compromised.reason),
        Event::CredentialRevoked(revoked) => row.message.clone_from(&revoked.reason),
        Event::OutcomeRecorded(outcome) => {
            row.label = Some(outcome.event.clone());
            row.execution.clone_from(&outcome.execution);
            row.trace.clone_from(&outcome.trace);
            row.occurred = outcome.occurred;
            row.message.clone_from(&outcome.message);
            row.body = outcome.body.as_ref().map(Json::of).transpose()?;
        }
        Event::AuditIngested(audit) => {
            row.label = Some(audit.event.clone());
            row.execution = Some(audit.execution.clone());
            row.trace = Some(audit.trace.clone());
            row.occurred = Some(audit.occurred);
            row.message.clone_from(&audit.message);
            row.body = audit.body.as_ref().map(Json::of).transpose()?;
        }
        Event::ViolationIngested(violation) => {
            row.label = Some(violation.violation.clone());
            row.execution = Some(violation.execution.clone());
            row.trace = Some(violation.trace.clone());
            row.occurred = Some(violation.occurred);
            row.message = Some(violation.message.clone());
            row.body = violation.body.as_ref().map(Json::of).transpose()?;
        }
        _ => {}
    }
    Ok(())
}

impl Listed for Audit {
    type Filter = AuditFilter;

    /// Newest first.
    const ORDER: &'static str = "\"sequence\" DESC";

    fn narrow(filter: &AuditFilter, conditions: &mut Conditions) {
        conditions.one_of("event", filter.event.iter().map(String::as_str));
        conditions.equal("label", filter.label.as_deref());
        conditions.equal("actor", filter.actor.as_deref());
        conditions.equal("subject", filter.subject.as_deref());
        conditions.equal("execution", filter.execution.as_deref());
        conditions.equal("trace", filter.trace.as_deref());
        conditions.workspace(&filter.workspace);
        conditions.within("time", filter.since, filter.until);
        conditions.before(filter.before);
    }
}

impl Query<'_, Audit> {
    /// How many rows of each type there are.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn count_by_event(
        &self,
        tenant: &Tenant,
        filter: &AuditFilter,
    ) -> Result<(Vec<(String, u64)>, Position), ViewError> {
        let conditions = self.conditions(tenant, filter);
        let tail = "GROUP BY \"event\" ORDER BY \"event\"";
        let kinds = [Kind::Text, Kind::Integer];
        let (rows, position) = self
            .aggregate(tenant, conditions, "\"event\", COUNT(*)", tail, &kinds)
            .await?;
        let counted = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
            Ok([Value::Text(event), Value::Integer(count)]) => {
                Ok((event, u64::try_from(count).unwrap_or(0)))
            }
            _ => Err(ViewError::Corrupt { what: "a count" }),
        };
        let counts: Result<Vec<_>, _> = rows.into_iter().map(counted).collect();
        Ok((counts?, position))
    }
}
