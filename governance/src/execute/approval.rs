//! A person's answer to a pending decision: once, in time, by somebody entitled who is not the requester.

use super::{Call, Decided, Rejected, draft, expired};
use crate::command::{Reply, Resolution};
use crate::limits::NOTE_BYTES_MAX;
use crate::signing::SignedAnswer;
use crate::state::{CaseStatus, OpenCase};
use probity_schemas::event::Event;
use probity_schemas::event::decision::{ApprovalDenied, ApprovalGranted};
use probity_schemas::signature::Answer;
use probity_schemas::subject::Subject;
use probity_schemas::vocabulary::Role;

pub(super) fn resolve(call: &Call<'_>, resolution: &Resolution) -> Result<Decided, Rejected> {
    let decision = resolution.decision;
    let actor = call.command.actor.as_str();
    if !is_person(actor) {
        return Err(Rejected::NotAPerson);
    }
    let Some(case) = call.state.open.get(&decision) else {
        let closed = call
            .closed(decision)
            .ok_or(Rejected::DecisionUnknown { decision })?;
        return Err(Rejected::AlreadyResolved { how: closed.into() });
    };
    let CaseStatus::Pending { expires } = case.status else {
        return Err(Rejected::AlreadyResolved {
            how: case.status.into(),
        });
    };
    if call.is_past(expires) {
        let drafts = expired(decision, case).into_iter().collect();
        return Ok(Decided {
            drafts,
            reply: Reply::Expired { decision },
        });
    }
    if actor == case.requester {
        return Err(Rejected::SelfApproval);
    }
    for text in [&resolution.justification, &resolution.note]
        .into_iter()
        .flatten()
    {
        if text.len() > NOTE_BYTES_MAX {
            return Err(Rejected::TextTooLong {
                what: "a justification or note",
            });
        }
    }
    let role = entitling(&call.state.roles_of(actor), case.role)
        .ok_or(Rejected::NotEntitled { needs: ENTITLED })?;
    let signed = SignedAnswer {
        actor,
        case,
        answer: if resolution.grant {
            Answer::Approve
        } else {
            Answer::Deny
        },
        time: call.moment.time,
        signature: resolution.signature.as_ref(),
    };
    signed.check(&call.state.directory)?;
    Ok(Decided::recorded(vec![draft(
        Subject::of("decision", decision),
        answer(call, case, resolution, role),
    )]))
}

/// The record of the answer.
fn answer(call: &Call<'_>, case: &OpenCase, resolution: &Resolution, role: Role) -> Event {
    let (justification, note) = (resolution.justification.clone(), resolution.note.clone());
    let request_digest = case.digest;
    let signature = resolution.signature.clone();
    if resolution.grant {
        let expires = call.moment.time.plus_seconds(i64::from(case.grant_seconds));
        ApprovalGranted {
            expires,
            justification,
            note,
            request_digest,
            role,
            signature,
        }
        .into()
    } else {
        ApprovalDenied {
            justification,
            note,
            request_digest,
            role,
            signature,
        }
        .into()
    }
}

/// The roles that resolve a decision.
const ENTITLED: &[Role] = &[Role::Approver, Role::Admin];

/// The role by which somebody resolves a decision: the one it asks for, or admin.
pub(crate) fn entitling(roles: &[Role], needed: Role) -> Option<Role> {
    [needed, Role::Admin]
        .into_iter()
        .find(|role| roles.contains(role))
}

/// Whether an actor stands for a person.
pub(crate) fn is_person(actor: &str) -> bool {
    actor.starts_with("user:")
}
