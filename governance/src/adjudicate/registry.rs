//! Judging changes of what decisions look up. Who made them is judged before.

use super::Fault;
use crate::engine::ENGINE;
use crate::execute::{is_credential_sound, keep_restrictions};
use crate::permission::is_adapter;
use crate::state::{Applied, State};
use crate::{policy, settings, signer, signing};
use probity_schemas::event::Event;
use probity_schemas::event::log::{LogOpened, LogRestored};
use probity_schemas::event::registry::{AdapterRegistered, BudgetCrossed, BudgetSet};
use probity_schemas::subject::Subject;

pub(super) fn change(before: &State, record: &Applied<'_>) -> Result<(), Fault> {
    match record.event {
        Event::LogOpened(opened) => log_opened(record, opened),
        Event::LogRestored(restored) => log_restored(before, record, restored),
        Event::BundleExported(_) => on_log(before, record),
        Event::SubjectsSealed(sealed) => {
            on_log(before, record)?;
            held(before.goes_on_with(sealed), Fault::Seal)
        }
        Event::StateSealed(sealed) => {
            on_log(before, record)?;
            let same = sealed.size == record.sequence && sealed.digest == before.digest();
            held(same, Fault::StateDigest)
        }
        Event::SettingChanged(changed) => {
            named(record, "setting", &changed.name)?;
            Ok(settings::check(&changed.name, changed.value.as_deref())?)
        }
        Event::PolicyPublished(published) => {
            named(record, "policy", &published.policy.id)?;
            Ok(policy::check(&published.policy)?)
        }
        Event::PolicyRetired(retired) => {
            named(record, "policy", &retired.id)?;
            if before.directory.policies.contains_key(record.subject) {
                Ok(())
            } else {
                Err(Fault::NotInForce)
            }
        }
        Event::AdapterRegistered(adapter) => adapter_registered(before, record, adapter),
        Event::CredentialIssued(issued) => {
            id_in("credential/", record)?;
            if is_credential_sound(issued) {
                Ok(())
            } else {
                Err(Fault::Credential)
            }
        }
        Event::CredentialRevoked(_) => {
            let credential = before
                .directory
                .credentials
                .get(id_in("credential/", record)?);
            if credential.is_some_and(|credential| !credential.revoked) {
                Ok(())
            } else {
                Err(Fault::NotInForce)
            }
        }
        Event::KeyRegistered(_)
        | Event::KeyRevoked(_)
        | Event::SignerRotated(_)
        | Event::SignerCompromised(_) => key_changed(before, record),
        Event::BudgetSet(set) => budget_set(record, set),
        Event::BudgetCrossed(crossed) => budget_crossed(before, record, crossed),
        _ => about_persons(before, record),
    }
}

/// Erasures fit the holds in force, and holds one another.
fn about_persons(before: &State, record: &Applied<'_>) -> Result<(), Fault> {
    let holds = &before.directory.holds;
    match record.event {
        Event::PersonalErased(erased) => {
            let hold = before.directory.hold_on(erased.person.as_deref());
            erasure(record, hold.is_none())
        }
        Event::ErasureRefused(refused) => {
            let about = holds.get(&refused.hold);
            let fits = about.is_some_and(|about| about.is_none() || *about == refused.person);
            erasure(record, fits)
        }
        Event::HoldSet(set) => {
            named(record, "hold", &set.id)?;
            held(!holds.contains_key(&set.id), Fault::Hold)
        }
        Event::HoldLifted(lifted) => {
            named(record, "hold", &lifted.id)?;
            held(holds.contains_key(&lifted.id), Fault::Hold)
        }
        _ => Ok(()),
    }
}

/// Keys of actors, and of the signer.
fn key_changed(before: &State, record: &Applied<'_>) -> Result<(), Fault> {
    let directory = &before.directory;
    match record.event {
        Event::KeyRegistered(registered) => {
            let known = directory.keys.contains_key(id_in("key/", record)?);
            held(!known, Fault::BadSubject)?;
            signing::register(directory, registered)?;
        }
        Event::KeyRevoked(_) => {
            let known = directory.keys.contains_key(id_in("key/", record)?);
            held(known, Fault::NotInForce)?;
        }
        Event::SignerRotated(rotated) => {
            on_own(before, record, "signer")?;
            signer::rotate(directory, rotated)?;
        }
        Event::SignerCompromised(compromised) => {
            on_own(before, record, "signer")?;
            signer::compromise(directory, compromised)?;
        }
        _ => {}
    }
    Ok(())
}

fn log_opened(record: &Applied<'_>, opened: &LogOpened) -> Result<(), Fault> {
    if record.sequence != 0 {
        return Err(Fault::Opening);
    }
    match opened.engine {
        1..=ENGINE => {}
        0 => return Err(Fault::OtherEngine),
        engine => return Err(Fault::NewerEngine { engine }),
    }
    named(record, "log", &opened.log_id)
}

fn log_restored(before: &State, record: &Applied<'_>, restored: &LogRestored) -> Result<(), Fault> {
    on_log(before, record)?;
    let origin = before.directory.log.as_ref().map(|log| log.origin.as_str());
    let continues =
        origin == Some(restored.previous_origin.as_str()) && restored.size == record.sequence;
    if continues {
        Ok(())
    } else {
        Err(Fault::OtherOrigin)
    }
}

fn adapter_registered(
    before: &State,
    record: &Applied<'_>,
    adapter: &AdapterRegistered,
) -> Result<(), Fault> {
    named(record, "adapter", &adapter.id)?;
    let mut kept = adapter.clone();
    if is_adapter(record.actor, &adapter.id) {
        keep_restrictions(&mut kept, before.directory.adapters.get(&adapter.id));
    }
    if kept == *adapter {
        Ok(())
    } else {
        Err(Fault::RegistrationLoosened)
    }
}

fn budget_set(record: &Applied<'_>, set: &BudgetSet) -> Result<(), Fault> {
    named(record, "budget", "tenant")?;
    if set.period_start < set.period_end {
        Ok(())
    } else {
        Err(Fault::Budget)
    }
}

fn budget_crossed(
    before: &State,
    record: &Applied<'_>,
    crossed: &BudgetCrossed,
) -> Result<(), Fault> {
    named(record, "budget", "tenant")?;
    let truly = before.budget.as_ref().is_some_and(|budget| {
        budget.micros == crossed.micros
            && budget.spent_micros == crossed.spent_micros
            && budget.is_crossing(crossed.level)
    });
    if truly {
        Ok(())
    } else {
        Err(Fault::BudgetNotCrossed)
    }
}

/// An erasure has a stream of its own.
fn erasure(record: &Applied<'_>, fits: bool) -> Result<(), Fault> {
    let id = record.subject.strip_prefix("erasure/");
    if id.is_none_or(|id| uuid::Uuid::try_parse(id).is_err()) {
        return Err(Fault::BadSubject);
    }
    held(fits, Fault::Hold)
}

fn on_log(before: &State, record: &Applied<'_>) -> Result<(), Fault> {
    on_own(before, record, "log")
}

/// On a stream of which a log has one.
fn on_own(before: &State, record: &Applied<'_>, thing: &str) -> Result<(), Fault> {
    let log = before.directory.log.as_ref();
    named(record, thing, log.map_or("", |log| log.log_id.as_str()))
}

fn named(record: &Applied<'_>, thing: &str, id: &str) -> Result<(), Fault> {
    let fits = Subject::new(thing, id).is_ok_and(|subject| subject.as_str() == record.subject);
    if fits { Ok(()) } else { Err(Fault::BadSubject) }
}

fn held(holds: bool, fault: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault) }
}

fn id_in<'a>(thing: &str, record: &Applied<'a>) -> Result<&'a str, Fault> {
    record.subject.strip_prefix(thing).ok_or(Fault::BadSubject)
}
