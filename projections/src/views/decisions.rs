//! Decisions, one row each: what was asked, what was decided, what became of it. A pending approval is a row whose status
//! is `pending`.

mod status;

pub use status::DecisionStatus;

use crate::entry::Entry;
use crate::error::{Unappliable, ViewError};
use crate::position::Position;
use crate::query::{Conditions, Listed, Query, Workspace};
use crate::value::{Json, Value};
use crate::view::{Key, View, row};
use probity_schemas::event::Event;
use probity_schemas::event::decision::{DecisionMade, Grant, MatchedPolicy, Request};
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{
    ExpiredPart, Mode, OutcomeStatus, Reason, RiskLevel, Role, Verdict,
};

row! {
    /// A decision.
    DecisionRow {
        /// Its id.
        id: String,
        /// The record that made it.
        sequence: u64,
        /// When it was made.
        created: Time,
        /// When something last became of it.
        updated: Time,
        /// The record of that.
        updated_sequence: u64,
        /// How it stands.
        status: DecisionStatus,
        /// What was decided at first; it stays when a person has resolved it.
        verdict: Verdict,
        /// Why it is not a plain allow.
        reason: Option<Reason>,
        /// Words for people.
        explanation: String,
        /// The policy whose effect was taken.
        winner: Option<String>,
        /// The policies that matched.
        matched: Json<Vec<MatchedPolicy>>,
        /// Digest of the policies in force.
        policyset: Hash,
        /// Version of the rules that decided.
        engine: u32,
        /// The mode in force.
        mode: Mode,
        /// The risk score, 0 to 100.
        risk_score: u8,
        /// Its band.
        risk_level: RiskLevel,
        /// Who asked, as authenticated.
        actor: String,
        /// Through which API.
        surface: String,
        /// In which workspace; absent means the default one.
        workspace: Option<String>,
        /// The caller's id of the execution.
        execution: Option<String>,
        /// The adapter that asked.
        adapter: Option<String>,
        /// The agent's id.
        agent: Option<String>,
        /// What is to be done: the tool, or the kind of action.
        action: String,
        /// The group the tool belongs to.
        tool_group: Option<String>,
        /// The request as the rules saw it.
        request: Json<Request>,
        /// Its digest: what an approval is bound to.
        request_digest: Hash,
        /// What an allowed act may use; for a pending one, what it will get.
        grant: Option<Json<Grant>>,
        /// The role that can resolve it.
        required_role: Option<Role>,
        /// After this time nobody can approve it.
        expires: Option<Time>,
        /// Who resolved it.
        resolver: Option<String>,
        /// The role by which the person was entitled.
        resolver_role: Option<Role>,
        /// When.
        resolved: Option<Time>,
        /// The person's remark.
        note: Option<String>,
        /// Why.
        justification: Option<String>,
        /// The grant that a person gave is void after this time.
        grant_expires: Option<Time>,
        /// When the grant was used.
        consumed: Option<Time>,
        /// What ran out.
        expired_part: Option<ExpiredPart>,
        /// How the act ended, by the newest report.
        outcome: Option<OutcomeStatus>,
        /// When that was recorded.
        outcome_time: Option<Time>,
        /// The reporter's words.
        outcome_message: Option<String>,
    }
}

impl DecisionRow {
    /// The row that a decision's records come to, for those who read the log itself rather than the view.
    ///
    /// # Errors
    /// [`Unappliable`] as for the view.
    pub fn fold(entries: &[Entry]) -> Result<Option<Self>, Unappliable> {
        let mut told = entries
            .iter()
            .filter(|entry| Decisions::key(entry).is_some());
        told.try_fold(None, |row, entry| Decisions::apply(entry, row).map(Some))
    }
}

/// What a list of decisions can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// One of these; empty means any.
    pub status: Vec<DecisionStatus>,
    /// One of these; empty means any.
    pub verdict: Vec<Verdict>,
    /// This tool or kind of action.
    pub action: Option<String>,
    /// This policy's effect was taken.
    pub policy: Option<String>,
    /// This adapter asked.
    pub adapter: Option<String>,
    /// This agent asked.
    pub agent: Option<String>,
    /// The caller's id of the execution.
    pub execution: Option<String>,
    /// In this workspace.
    pub workspace: Workspace,
    /// Made not before.
    pub since: Option<Time>,
    /// Made before.
    pub until: Option<Time>,
    /// Made by a record before this one: the `sequence` of the last row of the page before.
    pub before: Option<u64>,
}

/// The view.
#[derive(Debug)]
pub struct Decisions;

impl View for Decisions {
    type Row = DecisionRow;

    const NAME: &'static str = "decisions";
    const VERSION: u32 = 2;
    const KEYS: usize = 1;
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["sequence"],
        &["status", "sequence"],
        &["adapter", "sequence"],
        &["action", "sequence"],
        &["execution", "sequence"],
        &["verdict", "sequence"],
        &["winner", "sequence"],
        &["agent", "sequence"],
    ];

    fn key(entry: &Entry) -> Option<Key> {
        match entry.event {
            Event::DecisionMade(_)
            | Event::DecisionExpired(_)
            | Event::ApprovalGranted(_)
            | Event::ApprovalDenied(_)
            | Event::GrantConsumed(_)
            | Event::OutcomeRecorded(_) => entry.decision().map(|id| vec![Value::text(id)]),
            _ => None,
        }
    }

    fn apply(entry: &Entry, row: Option<DecisionRow>) -> Result<DecisionRow, Unappliable> {
        match (&entry.event, row) {
            (Event::DecisionMade(made), None) => begin(entry, made),
            (Event::DecisionMade(_), Some(_)) => Err(Unappliable::Repeated { what: "decision" }),
            (_, None) => Err(Unappliable::Missing { what: "decision" }),
            (event, Some(mut row)) => {
                row.updated = entry.time;
                row.updated_sequence = entry.sequence;
                go_on(&mut row, entry, event);
                Ok(row)
            }
        }
    }
}

/// The row of a decision just made.
fn begin(entry: &Entry, made: &DecisionMade) -> Result<DecisionRow, Unappliable> {
    let request = &made.facts.request;
    Ok(DecisionRow {
        id: entry.decision().unwrap_or_default().to_owned(),
        sequence: entry.sequence,
        created: entry.time,
        updated: entry.time,
        updated_sequence: entry.sequence,
        status: made.verdict.into(),
        verdict: made.verdict,
        reason: made.reason,
        explanation: made.explanation.clone(),
        winner: made.winner.clone(),
        matched: Json::of(&made.matched)?,
        policyset: made.policyset,
        engine: made.engine,
        mode: made.facts.mode,
        risk_score: made.risk.score,
        risk_level: made.risk.level,
        actor: entry.actor.clone(),
        surface: entry.surface.clone(),
        workspace: entry.workspace.clone(),
        execution: request.execution.clone(),
        adapter: request.adapter.clone(),
        agent: request.agent.clone(),
        action: request.action.clone(),
        tool_group: request.tool_group.clone(),
        request: Json::of(request)?,
        request_digest: made.facts.request_digest,
        grant: made.grant.as_ref().map(Json::of).transpose()?,
        required_role: made.approval.as_ref().map(|approval| approval.role),
        expires: made.approval.as_ref().map(|approval| approval.expires),
        resolver: None,
        resolver_role: None,
        resolved: None,
        note: None,
        justification: None,
        grant_expires: None,
        consumed: None,
        expired_part: None,
        outcome: None,
        outcome_time: None,
        outcome_message: None,
    })
}

/// What became of a decision.
fn go_on(row: &mut DecisionRow, entry: &Entry, event: &Event) {
    match event {
        Event::ApprovalGranted(granted) => {
            row.status = DecisionStatus::Approved;
            row.grant_expires = Some(granted.expires);
            resolve(
                row,
                entry,
                granted.role,
                &granted.note,
                &granted.justification,
            );
        }
        Event::ApprovalDenied(denied) => {
            row.status = DecisionStatus::Denied;
            resolve(row, entry, denied.role, &denied.note, &denied.justification);
        }
        Event::DecisionExpired(expired) => {
            row.status = DecisionStatus::Expired;
            row.expired_part = Some(expired.part);
        }
        Event::GrantConsumed(_) => {
            row.status = DecisionStatus::Consumed;
            row.consumed = Some(entry.time);
        }
        Event::OutcomeRecorded(outcome) => {
            row.outcome = Some(outcome.status);
            row.outcome_time = Some(entry.time);
            row.outcome_message.clone_from(&outcome.message);
        }
        _ => {}
    }
}

fn resolve(
    row: &mut DecisionRow,
    entry: &Entry,
    role: Role,
    note: &Option<String>,
    justification: &Option<String>,
) {
    row.resolver = Some(entry.actor.clone());
    row.resolver_role = Some(role);
    row.resolved = Some(entry.time);
    row.note.clone_from(note);
    row.justification.clone_from(justification);
}

impl Listed for Decisions {
    type Filter = DecisionFilter;

    /// Newest first.
    const ORDER: &'static str = "\"sequence\" DESC";

    fn narrow(filter: &DecisionFilter, conditions: &mut Conditions) {
        conditions.one_of("status", filter.status.iter().map(|status| status.as_str()));
        conditions.one_of(
            "verdict",
            filter.verdict.iter().map(|verdict| verdict.as_str()),
        );
        conditions.equal("action", filter.action.as_deref());
        conditions.equal("winner", filter.policy.as_deref());
        conditions.equal("adapter", filter.adapter.as_deref());
        conditions.equal("agent", filter.agent.as_deref());
        conditions.equal("execution", filter.execution.as_deref());
        conditions.workspace(&filter.workspace);
        conditions.within("created", filter.since, filter.until);
        conditions.before(filter.before);
    }
}

impl Query<'_, Decisions> {
    /// One decision.
    ///
    /// # Errors
    /// As [`Query::list`].
    pub async fn get(
        &self,
        tenant: &Tenant,
        id: &str,
    ) -> Result<(Option<DecisionRow>, Position), ViewError> {
        self.row(tenant, vec![Value::text(id)]).await
    }
}
