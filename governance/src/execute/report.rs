//! Reports about executions, and observations of anything else.
//!
//! A report goes onto the stream of the decision that its execution last led to. Where a grant is open, the first report
//! uses it up. An outcome that nothing allowed is kept as the violation it is.

use super::{Call, Decided, Rejected, decision, draft, expired};
use crate::command::{Alias, Draft, Observation, Reply, Report, ReportBody, Standing};
use crate::producer;
use crate::state::CaseStatus;
use probity_schemas::event::Event;
use probity_schemas::event::decision::OutcomeRecorded;
use probity_schemas::event::registry::BudgetCrossed;
use probity_schemas::event::telemetry::{CostIngested, ObservationRecorded, ViolationIngested};
use probity_schemas::limits::INTEGER_MAX;
use probity_schemas::subject::{RESERVED_THINGS, Subject};
use probity_schemas::vocabulary::{BudgetLevel, ConsumedBy};
use uuid::Uuid;

/// The violation that an outcome without an allow is kept as.
pub const OUTCOME_WITHOUT_ALLOW: &str = "outcome_without_allow";

pub(super) fn report(call: &Call<'_>, report: &Report) -> Result<Decided, Rejected> {
    let (actor, workspace) = (
        call.command.actor.as_str(),
        call.command.workspace.as_deref(),
    );
    numbers_fit(&report.body)?;
    let signature = producer::kept(
        &call.state.directory,
        actor,
        call.moment.time,
        report.signature.as_ref(),
    )?;
    let dedup = Alias::report(actor, workspace, &report.execution, &report.dedup);
    if call.index.alias(&dedup).is_some() {
        return Ok(Decided::unrecorded(Reply::Duplicate));
    }
    let (mut drafts, mut told) = match call.decision_of(&report.execution) {
        Some(decision) => {
            let (before, standing) = use_up(call, decision)?;
            (
                before,
                draft(
                    Subject::of("decision", decision),
                    event(call, report, Some(standing)),
                ),
            )
        }
        None => (Vec::new(), ungoverned(call, report)?),
    };
    if let Some(place) = told.event.report_signature_mut() {
        *place = signature;
    }
    told.aliases.push(dedup);
    drafts.push(told);
    if let ReportBody::Cost(cost) = &report.body {
        drafts.extend(crossings(call, cost)?);
    }
    Ok(Decided::recorded(drafts))
}

/// How the decision stands when the report is taken, and what must be recorded before it.
fn use_up(call: &Call<'_>, id: Uuid) -> Result<(Vec<Draft>, Standing), Rejected> {
    let Some(case) = call.state.open.get(&id) else {
        let closed = call
            .closed(id)
            .ok_or(Rejected::NotHydrated { decision: id })?;
        return Ok((Vec::new(), closed.into()));
    };
    let is_past = call.is_past(case.status.deadline());
    Ok(match case.status {
        CaseStatus::Denied { .. } => (Vec::new(), Standing::Denied),
        _ if is_past => (expired(id, case).into_iter().collect(), Standing::Expired),
        CaseStatus::Approved { .. } => (
            vec![decision::consumed(id, case, ConsumedBy::Report)],
            Standing::Consumed,
        ),
        CaseStatus::Pending { .. } => (Vec::new(), Standing::Pending),
    })
}

/// A report of an execution that no decision is known of.
fn ungoverned(call: &Call<'_>, report: &Report) -> Result<Draft, Rejected> {
    let (actor, workspace) = (
        call.command.actor.as_str(),
        call.command.workspace.as_deref(),
    );
    let alias = Alias::ungoverned(actor, workspace, &report.execution);
    let told = event(call, report, None);
    match call
        .index
        .alias(&alias)
        .and_then(|subject| Subject::parse(&subject).ok())
    {
        Some(subject) => Ok(draft(subject, told)),
        None => {
            let mut first = draft(Subject::of("execution", call.moment.id), told);
            first.aliases.push(alias);
            Ok(first)
        }
    }
}

fn event(call: &Call<'_>, report: &Report, standing: Option<Standing>) -> Event {
    match &report.body {
        ReportBody::Outcome(outcome) => match standing {
            Some(Standing::Allowed | Standing::Consumed) => Event::OutcomeRecorded(outcome.clone()),
            _ => without_allow(call, report, outcome, standing).into(),
        },
        body => body.event(),
    }
}

fn without_allow(
    call: &Call<'_>,
    report: &Report,
    outcome: &OutcomeRecorded,
    standing: Option<Standing>,
) -> ViolationIngested {
    let stood = standing.map_or("unknown to the ledger", Standing::as_str);
    let said = outcome
        .message
        .as_deref()
        .map(|words| format!(": {words}"))
        .unwrap_or_default();
    ViolationIngested {
        body: outcome.body.clone(),
        execution: report.execution.clone(),
        message: format!(
            "{} ({}) was reported, but the execution is {stood}{said}",
            outcome.event, outcome.status
        ),
        occurred: outcome.occurred.unwrap_or(call.moment.time),
        trace: outcome.trace.clone().unwrap_or_default(),
        violation: OUTCOME_WITHOUT_ALLOW.to_owned(),
        signature: None,
    }
}

/// The marks of the budget that a cost takes the spending past.
fn crossings(call: &Call<'_>, cost: &CostIngested) -> Result<Vec<Draft>, Rejected> {
    let Some(mut budget) = call.state.budget.clone() else {
        return Ok(Vec::new());
    };
    budget.spend(call.moment.time, cost.cost_micros);
    let (micros, spent_micros) = (budget.micros, budget.spent_micros);
    let crossed = [BudgetLevel::Warning, BudgetLevel::Exceeded]
        .into_iter()
        .filter(|level| budget.is_crossing(*level));
    crossed
        .map(|level| {
            Ok(draft(
                super::registry::budget_subject()?,
                BudgetCrossed {
                    level,
                    micros,
                    spent_micros,
                },
            ))
        })
        .collect()
}

fn numbers_fit(body: &ReportBody) -> Result<(), Rejected> {
    let numbers: &[(&'static str, u64)] = match body {
        ReportBody::Trace(trace) => &[
            ("cost", trace.cost_micros),
            ("duration", trace.duration_micros.unwrap_or(0)),
            ("tokens in", trace.tokens_in),
            ("tokens out", trace.tokens_out),
        ],
        ReportBody::Cost(cost) => &[
            ("cost", cost.cost_micros),
            ("tokens in", cost.tokens_in),
            ("tokens out", cost.tokens_out),
        ],
        ReportBody::Metric(metric) => &[
            ("duration", metric.duration_micros),
            ("steps", metric.steps),
        ],
        ReportBody::Outcome(_) | ReportBody::Audit(_) | ReportBody::Violation(_) => &[],
    };
    match numbers.iter().find(|(_, number)| *number > INTEGER_MAX) {
        Some((what, _)) => Err(Rejected::NumberTooLarge { what }),
        None => Ok(()),
    }
}

pub(super) fn observe(observations: &[Observation]) -> Result<Decided, Rejected> {
    let drafts = observations.iter().map(|observation| {
        if RESERVED_THINGS.contains(&observation.subject.thing()) {
            return Err(Rejected::ReservedSubject {
                subject: observation.subject.to_string(),
            });
        }
        if !observation.personal.is_empty() {
            return Err(Rejected::NotWithheld);
        }
        let event = ObservationRecorded {
            attachments: observation.attachments.clone(),
            body: observation.body.clone(),
            kind: observation.kind.clone(),
        };
        Ok(Draft {
            correlation: observation.correlation.clone(),
            causation: observation.causation.clone(),
            traceparent: observation.traceparent.clone(),
            ..draft(observation.subject.clone(), event)
        })
    });
    Ok(Decided::recorded(drafts.collect::<Result<_, _>>()?))
}
