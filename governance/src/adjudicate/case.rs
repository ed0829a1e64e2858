//! Judging what becomes of a decision.

use super::{Fault, adjudicate_outcome};
use crate::command::{Moment, Standing};
use crate::engine;
use crate::execute::{entitling, is_person};
use crate::permission::is_adapter;
use crate::signing::SignedAnswer;
use crate::state::{Applied, CaseStatus, OpenCase, State, decision_id};
use probity_schemas::event::decision::{
    ApprovalDenied, ApprovalGranted, DecisionExpired, DecisionMade, Facts, GrantConsumed,
};
use probity_schemas::event::key::AnswerSignature;
use probity_schemas::hash::Hash;
use probity_schemas::signature::Answer;
use probity_schemas::vocabulary::{ConsumedBy, ExpiredPart, Role};
use uuid::Uuid;

pub(super) fn made(before: &State, record: &Applied<'_>, made: &DecisionMade) -> Result<(), Fault> {
    let id = id_of(record)?;
    if before.standing(&id).is_some() {
        return Err(Fault::DecidedTwice);
    }
    let directory = &before.directory;
    let engine_in_force = directory.log.as_ref().map(|log| log.engine);
    if made.engine <= engine::ENGINE && engine_in_force != Some(made.engine) {
        return Err(Fault::OtherEngine);
    }
    let facts = &made.facts;
    let adapter = facts.request.adapter.as_ref();
    if record.actor.starts_with("adapter:")
        && !adapter.is_some_and(|id| is_adapter(record.actor, id))
    {
        return Err(Fault::AdapterMismatch);
    }
    adjudicate_outcome(&directory.policy_set(), made)?;
    let moment = Moment {
        time: record.time,
        id,
        salt: facts.salt,
    };
    let given = engine::gather(
        before,
        record.actor,
        record.workspace,
        &facts.request,
        &moment,
    );
    match first_difference(&given, facts) {
        Some(part) => Err(Fault::FactsDiffer { part }),
        None => Ok(()),
    }
}

fn first_difference(given: &Facts, recorded: &Facts) -> Option<&'static str> {
    let parts = [
        ("time", given.time == recorded.time),
        (
            "workspace",
            given.request.workspace == recorded.request.workspace,
        ),
        ("adapter", given.adapter == recorded.adapter),
        (
            "approval_seconds",
            given.approval_seconds == recorded.approval_seconds,
        ),
        ("budget", given.budget == recorded.budget),
        (
            "grant_seconds",
            given.grant_seconds == recorded.grant_seconds,
        ),
        ("mode", given.mode == recorded.mode),
        ("roles", given.roles == recorded.roles),
        ("templates", given.templates == recorded.templates),
    ];
    let named = parts
        .into_iter()
        .find(|(_, same)| !same)
        .map(|(part, _)| part);
    named.or_else(|| (given != recorded).then_some("request"))
}

pub(super) fn granted(
    before: &State,
    record: &Applied<'_>,
    granted: &ApprovalGranted,
) -> Result<(), Fault> {
    let case = answered(before, record, granted.request_digest, granted.role)?;
    signed(
        before,
        record,
        case,
        Answer::Approve,
        granted.signature.as_ref(),
    )?;
    let expires = record.time.plus_seconds(i64::from(case.grant_seconds));
    if granted.expires == expires {
        Ok(())
    } else {
        Err(Fault::GrantLength)
    }
}

pub(super) fn denied(
    before: &State,
    record: &Applied<'_>,
    denied: &ApprovalDenied,
) -> Result<(), Fault> {
    let case = answered(before, record, denied.request_digest, denied.role)?;
    signed(
        before,
        record,
        case,
        Answer::Deny,
        denied.signature.as_ref(),
    )
}

/// Signed by the person, where it is signed or must be.
fn signed(
    before: &State,
    record: &Applied<'_>,
    case: &OpenCase,
    answer: Answer,
    signature: Option<&AnswerSignature>,
) -> Result<(), Fault> {
    let signed = SignedAnswer {
        actor: record.actor,
        case,
        answer,
        time: record.time,
        signature,
    };
    Ok(signed.check(&before.directory)?)
}

/// A person's answer: to a pending case, in time, by somebody entitled who did not ask.
fn answered<'s>(
    before: &'s State,
    record: &Applied<'_>,
    digest: Hash,
    role: Role,
) -> Result<&'s OpenCase, Fault> {
    let case = open(before, record, "pending")?;
    let CaseStatus::Pending { expires } = case.status else {
        return Err(elsewhere(case.status.into(), "pending"));
    };
    if record.time > expires {
        return Err(Fault::TooLate);
    }
    if !is_person(record.actor) {
        return Err(Fault::NotAPerson);
    }
    if record.actor == case.requester {
        return Err(Fault::SelfApproval);
    }
    if entitling(&before.roles_of(record.actor), case.role) != Some(role) {
        return Err(Fault::Role);
    }
    if digest == case.digest {
        Ok(case)
    } else {
        Err(Fault::OtherRequest)
    }
}

pub(super) fn consumed(
    before: &State,
    record: &Applied<'_>,
    consumed: &GrantConsumed,
) -> Result<(), Fault> {
    let case = open(before, record, "approved")?;
    let CaseStatus::Approved { expires } = case.status else {
        return Err(elsewhere(case.status.into(), "approved"));
    };
    if record.time > expires {
        return Err(Fault::TooLate);
    }
    if record.actor != case.requester {
        return Err(Fault::OtherRequester);
    }
    if consumed.request_digest != case.digest {
        return Err(Fault::OtherRequest);
    }
    let adapters = &before.directory.adapters;
    let enabled = |id: &String| adapters.get(id).is_some_and(|adapter| adapter.enabled);
    if consumed.by == ConsumedBy::Request && !case.adapter.as_ref().is_none_or(enabled) {
        return Err(Fault::Standing {
            stands: "of an adapter that is switched off",
            needed: "of one that may ask",
        });
    }
    Ok(())
}

pub(super) fn expired(
    before: &State,
    record: &Applied<'_>,
    expired: &DecisionExpired,
) -> Result<(), Fault> {
    let case = open(before, record, "pending or approved")?;
    let part = match case.status {
        CaseStatus::Pending { .. } => ExpiredPart::Approval,
        CaseStatus::Approved { .. } => ExpiredPart::Grant,
        CaseStatus::Denied { .. } => {
            return Err(elsewhere(Standing::Denied, "pending or approved"));
        }
    };
    let truly = expired.part == part
        && expired.expired == case.status.deadline()
        && record.time > expired.expired;
    if truly { Ok(()) } else { Err(Fault::TooEarly) }
}

pub(super) fn outcome(before: &State, record: &Applied<'_>) -> Result<(), Fault> {
    let id = decision_id(record.subject).map_err(|_| Fault::OutcomeWithoutAllow)?;
    match before.standing(&id) {
        Some(Standing::Allowed | Standing::Consumed) => Ok(()),
        _ => Err(Fault::OutcomeWithoutAllow),
    }
}

fn id_of(record: &Applied<'_>) -> Result<Uuid, Fault> {
    decision_id(record.subject).map_err(|_| Fault::BadSubject)
}

fn open<'s>(
    before: &'s State,
    record: &Applied<'_>,
    needed: &'static str,
) -> Result<&'s OpenCase, Fault> {
    let id = id_of(record)?;
    before.open.get(&id).ok_or_else(|| {
        let stands = before.standing(&id).map_or("unknown", Standing::as_str);
        Fault::Standing { stands, needed }
    })
}

const fn elsewhere(stands: Standing, needed: &'static str) -> Fault {
    Fault::Standing {
        stands: stands.as_str(),
        needed,
    }
}
