//! Changes of what decisions look up: the log itself, settings, policies, adapters, credentials, keys, budgets.

use super::{Call, Decided, Rejected, draft};
use crate::command::{Draft, Operation};
use crate::limits::NOTE_BYTES_MAX;
use crate::permission::is_adapter;
use crate::state::Adapter;
use crate::{policy, settings, signer, signing};
use probity_schemas::event::key::{KeyRegistered, KeyRevoked};
use probity_schemas::event::registry::{
    AdapterRegistered, BudgetSet, CredentialIssued, CredentialRevoked, PolicyPublished,
    PolicyRetired,
};
use probity_schemas::event::seal::{StateSealed, SubjectsSealed};
use probity_schemas::event::signer::{SignerCompromised, SignerRotated};
use probity_schemas::limits::INTEGER_MAX;
use probity_schemas::subject::{Subject, is_actor};

pub(super) fn change(call: &Call<'_>) -> Result<Decided, Rejected> {
    let change = match &call.command.operation {
        Operation::OpenLog(opened) => draft(named("log", &opened.log_id)?, (**opened).clone()),
        Operation::RestoreLog(restored) => draft(log_subject(call)?, (**restored).clone()),
        Operation::ChangeSetting(changed) => {
            settings::check(&changed.name, changed.value.as_deref())?;
            draft(named("setting", &changed.name)?, changed.clone())
        }
        Operation::RegisterAdapter(adapter) => register_adapter(call, adapter)?,
        Operation::PublishPolicy(policy) => {
            policy::check(policy)?;
            draft(
                named("policy", &policy.id)?,
                PolicyPublished {
                    policy: (**policy).clone(),
                },
            )
        }
        Operation::RetirePolicy(id) => retire_policy(call, id)?,
        Operation::SetBudget(set) => set_budget(set)?,
        Operation::IssueCredential(id, issued) => issue_credential(id, issued)?,
        Operation::RevokeCredential(id, reason) => revoke_credential(call, id, reason.as_deref())?,
        Operation::RegisterKey(registered) => register_key(call, registered)?,
        Operation::RevokeKey(id, reason) => revoke_key(call, id, reason.as_deref())?,
        Operation::RotateSigner { signer, reason } => {
            rotate_signer(call, signer, reason.as_deref())?
        }
        Operation::ReportCompromise(compromised) => report_compromise(call, compromised)?,
        Operation::RecordExport(exported) => draft(log_subject(call)?, exported.clone()),
        Operation::RequestDecision(_)
        | Operation::ResolveApproval(_)
        | Operation::Report(_)
        | Operation::Observe(_)
        | Operation::Erase(_)
        | Operation::SetHold(_)
        | Operation::LiftHold(_)
        | Operation::ExpireDue
        | Operation::Seal(_) => return Ok(Decided::recorded(Vec::new())),
    };
    Ok(Decided::recorded(vec![change]))
}

/// What the register comes to now, and then the runs that the ledger gathered.
pub(super) fn seal(call: &Call<'_>, runs: &SubjectsSealed) -> Result<Decided, Rejected> {
    if !call.state.goes_on_with(runs) {
        return Err(Rejected::SealOutOfPlace);
    }
    let state = StateSealed {
        digest: call.state.digest(),
        size: call.state.size,
    };
    Ok(Decided::recorded(vec![
        draft(log_subject(call)?, state),
        draft(log_subject(call)?, runs.clone()),
    ]))
}

/// The stream of the tenant's budget.
pub(super) fn budget_subject() -> Result<Subject, Rejected> {
    named("budget", "tenant")
}

fn named(thing: &'static str, id: &str) -> Result<Subject, Rejected> {
    Subject::new(thing, id).map_err(|_| Rejected::NameInvalid { what: thing })
}

fn log_subject(call: &Call<'_>) -> Result<Subject, Rejected> {
    own_subject(call, "log")
}

/// A stream of which a log has one.
fn own_subject(call: &Call<'_>, thing: &'static str) -> Result<Subject, Rejected> {
    let log = call
        .state
        .directory
        .log
        .as_ref()
        .ok_or(Rejected::NotOpened)?;
    named(thing, &log.log_id)
}

fn rotate_signer(call: &Call<'_>, key: &str, reason: Option<&str>) -> Result<Draft, Rejected> {
    short_enough(reason)?;
    let directory = &call.state.directory;
    let before = directory.signer().and_then(signer::key_id);
    let rotated = SignerRotated {
        previous: before.unwrap_or_default().to_owned(),
        reason: reason.map(str::to_owned),
        signer: key.to_owned(),
    };
    signer::rotate(directory, &rotated)?;
    Ok(draft(own_subject(call, "signer")?, rotated))
}

fn report_compromise(call: &Call<'_>, compromised: &SignerCompromised) -> Result<Draft, Rejected> {
    short_enough(compromised.reason.as_deref())?;
    signer::compromise(&call.state.directory, compromised)?;
    Ok(draft(own_subject(call, "signer")?, compromised.clone()))
}

fn register_adapter(call: &Call<'_>, stated: &AdapterRegistered) -> Result<Draft, Rejected> {
    let before = call.state.directory.adapters.get(&stated.id);
    let mut adapter = stated.clone();
    if is_adapter(&call.command.actor, &adapter.id) {
        keep_restrictions(&mut adapter, before);
    }
    Ok(draft(named("adapter", &adapter.id)?, adapter))
}

/// What an adapter says of itself can restrict what the registry says, never loosen it: only an operator switches it on
/// again or lowers its class.
pub(crate) fn keep_restrictions(stated: &mut AdapterRegistered, before: Option<&Adapter>) {
    if let Some(before) = before {
        stated.enabled &= before.enabled;
        stated.risk_class = stated.risk_class.max(before.risk_class);
    }
}

fn retire_policy(call: &Call<'_>, id: &str) -> Result<Draft, Rejected> {
    if call.state.directory.policy(id).is_none() {
        return Err(Rejected::PolicyUnknown { id: id.to_owned() });
    }
    Ok(draft(
        named("policy", id)?,
        PolicyRetired { id: id.to_owned() },
    ))
}

fn set_budget(set: &BudgetSet) -> Result<Draft, Rejected> {
    if set.micros > INTEGER_MAX {
        return Err(Rejected::NumberTooLarge { what: "the budget" });
    }
    if set.period_end <= set.period_start {
        return Err(Rejected::BudgetInvalid);
    }
    Ok(draft(budget_subject()?, set.clone()))
}

fn issue_credential(id: &str, issued: &CredentialIssued) -> Result<Draft, Rejected> {
    if !is_credential_sound(issued) {
        return Err(Rejected::CredentialInvalid);
    }
    Ok(draft(named("credential", id)?, issued.clone()))
}

/// An actor (or a kind of actors), at least one role, a digest.
pub(crate) fn is_credential_sound(issued: &CredentialIssued) -> bool {
    let kind = issued
        .actor
        .strip_suffix('*')
        .map(|kind| format!("{kind}any"));
    let actor = kind.as_deref().unwrap_or(&issued.actor);
    actor != crate::permission::SYSTEM
        && is_actor(actor)
        && !issued.roles.is_empty()
        && !issued.digest.is_empty()
}

fn register_key(call: &Call<'_>, registered: &KeyRegistered) -> Result<Draft, Rejected> {
    signing::register(&call.state.directory, registered)?;
    Ok(draft(
        Subject::of("key", call.moment.id),
        registered.clone(),
    ))
}

fn revoke_key(call: &Call<'_>, id: &str, reason: Option<&str>) -> Result<Draft, Rejected> {
    short_enough(reason)?;
    let subject = named("key", id)?;
    if !call.state.directory.keys.contains_key(subject.id()) {
        return Err(Rejected::KeyUnknown { id: id.to_owned() });
    }
    let reason = reason.map(str::to_owned);
    Ok(draft(subject, KeyRevoked { reason }))
}

fn short_enough(reason: Option<&str>) -> Result<(), Rejected> {
    if reason.is_some_and(|reason| reason.len() > NOTE_BYTES_MAX) {
        return Err(Rejected::TextTooLong { what: "a reason" });
    }
    Ok(())
}

fn revoke_credential(call: &Call<'_>, id: &str, reason: Option<&str>) -> Result<Draft, Rejected> {
    short_enough(reason)?;
    let subject = named("credential", id)?;
    let known = call.state.directory.credentials.get(subject.id());
    if known.is_none_or(|credential| credential.revoked) {
        return Err(Rejected::CredentialUnknown { id: id.to_owned() });
    }
    Ok(draft(
        subject,
        CredentialRevoked {
            reason: reason.map(str::to_owned),
        },
    ))
}
