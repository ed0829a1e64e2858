//! Forgetting a person, and the legal holds that forbid it. A refusal is a record.
//!
//! No record says who a person is: what stands for one is random, and says nothing once the person is forgotten.

use super::{Call, Decided, Rejected, draft};
use crate::command::{Erasure, Hold};
use crate::limits::NOTE_BYTES_MAX;
use probity_schemas::event::personal::{ErasureRefused, HoldLifted, HoldSet, PersonalErased};
use probity_schemas::event::telemetry::is_attachment_name;
use probity_schemas::limits::{ERASED_ATTACHMENTS_MAX, LABEL_BYTES_MAX};
use probity_schemas::subject::Subject;

pub(super) fn erase(call: &Call<'_>, erasure: &Erasure) -> Result<Decided, Rejected> {
    named(&erasure.person)?;
    words("the legal basis", &erasure.basis)?;
    let names = &erasure.attachments;
    if names.len() > ERASED_ATTACHMENTS_MAX || !names.iter().all(|name| is_attachment_name(name)) {
        return Err(Rejected::NameInvalid { what: "attachment" });
    }
    let subject = Subject::of("erasure", call.moment.id);
    let (basis, person) = (erasure.basis.clone(), erasure.token.clone());
    let hold = call.state.directory.hold_on(person.as_deref());
    let record = match hold.map(str::to_owned) {
        Some(hold) => draft(
            subject,
            ErasureRefused {
                basis,
                hold,
                person,
            },
        ),
        None => draft(
            subject,
            PersonalErased {
                attachments: erasure.attachments.iter().cloned().collect(),
                basis,
                disclosures: erasure.disclosures,
                person,
            },
        ),
    };
    Ok(Decided::recorded(vec![record]))
}

pub(super) fn set_hold(call: &Call<'_>, hold: &Hold) -> Result<Decided, Rejected> {
    words("the reason", &hold.reason)?;
    let subject = hold_subject(&hold.id)?;
    if let Some(person) = &hold.person {
        named(person)?;
        if hold.token.is_none() {
            return Err(Rejected::NotWithheld);
        }
    }
    if call.state.directory.holds.contains_key(&hold.id) {
        return Err(Rejected::HoldStands {
            id: hold.id.clone(),
        });
    }
    let record = HoldSet {
        id: hold.id.clone(),
        person: hold.token.clone(),
        reason: hold.reason.clone(),
    };
    Ok(Decided::recorded(vec![draft(subject, record)]))
}

pub(super) fn lift_hold(call: &Call<'_>, hold: &HoldLifted) -> Result<Decided, Rejected> {
    words("the reason", &hold.reason)?;
    let subject = hold_subject(&hold.id)?;
    if !call.state.directory.holds.contains_key(&hold.id) {
        return Err(Rejected::HoldUnknown {
            id: hold.id.clone(),
        });
    }
    Ok(Decided::recorded(vec![draft(subject, hold.clone())]))
}

fn hold_subject(id: &str) -> Result<Subject, Rejected> {
    Subject::new("hold", id).map_err(|_| Rejected::NameInvalid { what: "hold" })
}

fn named(person: &str) -> Result<(), Rejected> {
    if person.is_empty() || person.len() > LABEL_BYTES_MAX || person.contains('\0') {
        return Err(Rejected::NameInvalid { what: "person" });
    }
    Ok(())
}

fn words(what: &'static str, text: &str) -> Result<(), Rejected> {
    match text.len() {
        0 => Err(Rejected::NameInvalid { what }),
        1..=NOTE_BYTES_MAX => Ok(()),
        _ => Err(Rejected::TextTooLong { what }),
    }
}
