//! A request for a decision: answered by a case that stands, resumed by a grant, or decided afresh.
//!
//! The same request means the same digest: SHA-256 over the case's salt and the canonical request. A changed request
//! under the same execution is another request and is decided as such. Where values were withheld from it, the digest is of what is
//! recorded: whoever withholds sees to it that the same values of one execution give the same digests.

use super::{Call, Decided, Rejected, draft, expired};
use crate::command::{Alias, ClearBodies, DecisionRequest, Draft, Reply, Standing};
use crate::engine::{self, Beside};
use crate::limits::{DECISION_BYTES_MAX, OPEN_CASES_MAX};
use crate::permission::is_adapter;
use crate::state::{CaseStatus, OpenCase};
use probity_schemas::event::decision::{GrantConsumed, Request};
use probity_schemas::limits::{FACTS_BYTES_MAX, INTEGER_MAX};
use probity_schemas::subject::Subject;
use probity_schemas::vocabulary::{ConsumedBy, Verdict};
use serde::Serialize;
use std::io;
use uuid::Uuid;

/// What an earlier decision about the same execution means for this request.
enum Earlier {
    /// It answers the request.
    Answers(Decided),
    /// The request is decided afresh, after these records.
    Afresh(Vec<Draft>),
}

pub(super) fn request(call: &Call<'_>, asked: &DecisionRequest) -> Result<Decided, Rejected> {
    if !asked.personal.is_empty() {
        return Err(Rejected::NotWithheld);
    }
    let request = stated(call, &asked.request)?;
    let execution = request.execution.as_deref().unwrap_or_default();
    let mut drafts = match call.decision_of(execution) {
        Some(decision) => match earlier(call, decision, &request)? {
            Earlier::Answers(decided) => return Ok(decided),
            Earlier::Afresh(drafts) => drafts,
        },
        None => Vec::new(),
    };
    drafts.push(afresh(call, &request, asked.clear.as_ref())?);
    Ok(Decided::recorded(drafts))
}

/// The request as it is decided on and recorded.
fn stated(call: &Call<'_>, request: &Request) -> Result<Request, Rejected> {
    let actor = &call.command.actor;
    if actor.starts_with("adapter:")
        && !request
            .adapter
            .as_ref()
            .is_some_and(|id| is_adapter(actor, id))
    {
        return Err(Rejected::AdapterMismatch);
    }
    let costs = [request.cost_micros, request.cost_micros_max];
    if costs
        .into_iter()
        .flatten()
        .any(|micros| micros > INTEGER_MAX)
    {
        return Err(Rejected::NumberTooLarge { what: "a cost" });
    }
    // Who names no execution is told one, and may come back with it.
    let execution = request
        .execution
        .clone()
        .unwrap_or_else(|| call.moment.id.to_string());
    Ok(Request {
        execution: Some(execution),
        workspace: call.command.workspace.clone(),
        ..request.clone()
    })
}

fn earlier(call: &Call<'_>, decision: Uuid, request: &Request) -> Result<Earlier, Rejected> {
    let Some(case) = call.state.open.get(&decision) else {
        // A closed case answers nothing: the same request is decided again.
        return match call.closed(decision) {
            Some(_) => Ok(Earlier::Afresh(Vec::new())),
            None => Err(Rejected::NotHydrated { decision }),
        };
    };
    if call.is_past(case.status.deadline()) {
        return Ok(Earlier::Afresh(
            expired(decision, case).into_iter().collect(),
        ));
    }
    if engine::request_digest(&case.salt, request) != case.digest {
        return Ok(Earlier::Afresh(Vec::new()));
    }
    let standing = |standing| Decided::unrecorded(Reply::Standing { decision, standing });
    Ok(match case.status {
        CaseStatus::Pending { .. } => Earlier::Answers(standing(Standing::Pending)),
        CaseStatus::Denied { .. } => Earlier::Answers(standing(Standing::Denied)),
        CaseStatus::Approved { .. } if !may_resume(call, case) => Earlier::Afresh(Vec::new()),
        CaseStatus::Approved { .. } => Earlier::Answers(Decided {
            drafts: vec![consumed(decision, case, ConsumedBy::Request)],
            reply: Reply::Resumed { decision },
        }),
    })
}

/// An adapter that was switched off since the approval does not get what was granted.
fn may_resume(call: &Call<'_>, case: &OpenCase) -> bool {
    let adapters = &call.state.directory.adapters;
    case.adapter
        .as_ref()
        .is_none_or(|id| adapters.get(id).is_some_and(|adapter| adapter.enabled))
}

/// The record that a grant is used up.
pub(super) fn consumed(decision: Uuid, case: &OpenCase, by: ConsumedBy) -> Draft {
    draft(
        Subject::of("decision", decision),
        GrantConsumed {
            by,
            request_digest: case.digest,
        },
    )
}

fn afresh(
    call: &Call<'_>,
    request: &Request,
    clear: Option<&ClearBodies>,
) -> Result<Draft, Rejected> {
    let (state, command) = (call.state, call.command);
    let workspace = command.workspace.as_deref();
    let facts = engine::gather(state, &command.actor, workspace, request, call.moment);
    bounded(&facts, FACTS_BYTES_MAX)?;
    let beside = clear.map_or(Beside::Nothing, Beside::Clear);
    let outcome = engine::decide(&state.directory.policy_set(), &facts, beside);
    let made = outcome.with_facts(facts);
    bounded(&made, DECISION_BYTES_MAX)?;
    if made.verdict == Verdict::RequireApproval && state.open.len() >= OPEN_CASES_MAX {
        return Err(Rejected::TooManyOpen);
    }
    let mut draft = draft(Subject::of("decision", call.moment.id), made);
    let execution = request.execution.as_deref().unwrap_or_default();
    draft
        .aliases
        .push(Alias::execution(&command.actor, workspace, execution));
    Ok(draft)
}

fn bounded(value: &impl Serialize, bytes_max: usize) -> Result<(), Rejected> {
    let mut count = Count(0);
    let written = serde_json::to_writer(&mut count, value);
    let bytes = written.map_or(usize::MAX, |()| count.0);
    if bytes > bytes_max {
        Err(Rejected::FactsTooLarge { bytes })
    } else {
        Ok(())
    }
}

/// Counts what is written to it.
struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
