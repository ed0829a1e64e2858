//! The judge's door: does a record follow the rules, given the records before it?
//!
//! [`adjudicate`] needs the state before the record, so a whole log. [`adjudicate_outcome`] needs only the policies in
//! force and the record itself: it is the half that holds for a part of a log too. Neither says that the rules are
//! wise, only that they were followed. The writer does not call this; it is checked against it.

mod case;
mod registry;

use crate::engine::{self, Beside, ENGINE, Outcome, PolicySet};
use crate::permission::Right;
use crate::policy::PolicyFault;
use crate::producer::{self, ReportFault};
use crate::settings::SettingFault;
use crate::signer::SignerFault;
use crate::signing::{KeyFault, SignatureFault};
use crate::state::{Applied, State};
use probity_schemas::disclosure::{Disclosure, is_member_digest};
use probity_schemas::event::Event;
use probity_schemas::event::decision::{DecisionMade, WithheldResult};
use probity_schemas::subject::RESERVED_THINGS;

/// The rule that a record breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The record names rules that are newer than this program: it cannot be judged.
    #[error("engine {engine} is newer than this program")]
    NewerEngine {
        /// The version of the rules.
        engine: u32,
    },
    /// The rules that decided are not the ones in force.
    #[error("the engine is not the one in force")]
    OtherEngine,
    /// The actor has no credential for this.
    #[error("{actor} was not entitled to this")]
    NotEntitled {
        /// The actor.
        actor: String,
    },
    /// The subject is not the one of such a record.
    #[error("the subject does not belong to this type, or to what the body names")]
    BadSubject,
    /// The log is opened twice, or not by its first record.
    #[error("the log is not opened by its first record alone")]
    Opening,
    /// The log goes on from another origin than it had.
    #[error("the previous origin is not the log's")]
    OtherOrigin,
    /// A setting has a value that its name does not take.
    #[error("the setting is refused: {0}")]
    Setting(#[from] SettingFault),
    /// A policy is none.
    #[error("the policy is refused: {0}")]
    Policy(#[from] PolicyFault),
    /// Something was taken away that is not in force.
    #[error("what is taken away is not in force")]
    NotInForce,
    /// A credential without actor, role or digest.
    #[error("the credential has no actor, role or digest")]
    Credential,
    /// An adapter switched itself on or lowered its own class.
    #[error("the adapter loosened its own registration")]
    RegistrationLoosened,
    /// A budget whose period is empty.
    #[error("the budget's period is empty")]
    Budget,
    /// The budget's sums are not the recorded ones, or the mark is not passed, or was passed before.
    #[error("the budget was not crossed so")]
    BudgetNotCrossed,
    /// An observation on the stream of a thing that carries state.
    #[error("an observation on a stream that carries state")]
    ReservedSubject,
    /// The decision was made before.
    #[error("the decision was made twice")]
    DecidedTwice,
    /// The adapter that asked is another than the one it named.
    #[error("an adapter asked in another's name")]
    AdapterMismatch,
    /// The facts are not what the records before give.
    #[error("the facts are not what the records before give: {part}")]
    FactsDiffer {
        /// The first part that differs.
        part: &'static str,
    },
    /// The request's digest is not the one of salt and request.
    #[error("the request digest is not of this request")]
    RequestDigest,
    /// The policy-set digest is not the one of the policies in force.
    #[error("the policy set is not the one in force")]
    PolicySetDiffers,
    /// The outcome is not what the rules give.
    #[error("the outcome is not what the rules give: {part}")]
    OutcomeDiffers {
        /// The first part that differs.
        part: &'static str,
    },
    /// The decision does not stand where the record needs it.
    #[error("the decision is {stands}, and the record needs it {needed}")]
    Standing {
        /// How it stands.
        stands: &'static str,
        /// How it should.
        needed: &'static str,
    },
    /// Too late: the wait or the grant was over.
    #[error("time had run out")]
    TooLate,
    /// Recorded as run out before it was.
    #[error("time had not run out, or another time did")]
    TooEarly,
    /// Not a person.
    #[error("only a person can approve or deny")]
    NotAPerson,
    /// The requester answered for itself.
    #[error("the requester approved their own request")]
    SelfApproval,
    /// The person was not entitled by the recorded role.
    #[error("the person was not entitled by this role")]
    Role,
    /// The answer is not signed as it must be.
    #[error("{0}")]
    Signature(#[from] SignatureFault),
    /// The report is not signed as it must be.
    #[error("{0}")]
    ReportSignature(#[from] ReportFault),
    /// A key that cannot be registered.
    #[error("the key is refused: {0}")]
    Key(#[from] KeyFault),
    /// A key that cannot become the signer's, or cannot be called compromised.
    #[error("the signer's key is refused: {0}")]
    Signer(#[from] SignerFault),
    /// The digest is not the one of the decision.
    #[error("the request digest is not the decision's")]
    OtherRequest,
    /// The grant's end is not the one the decision promised.
    #[error("the grant does not last as long as the decision said")]
    GrantLength,
    /// A result is recorded of a condition that looks at no withheld value, or none of one that does; or what is shown of the
    /// values gives another.
    #[error("the results over withheld values are not what the rules give: {part}")]
    Withheld {
        /// What is wrong.
        part: &'static str,
    },
    /// Somebody else used the grant.
    #[error("the grant was used by another than the requester")]
    OtherRequester,
    /// The seal over the subjects does not go on from the one before.
    #[error("the seal does not go on from the one before")]
    Seal,
    /// The register is another than the one that was sealed.
    #[error("the register that the records come to is not the one that was sealed")]
    StateDigest,
    /// A person was forgotten although a hold was in force, or the erasure was refused although none was.
    #[error("the erasure does not fit the holds in force")]
    Hold,
    /// An outcome of an execution that was not allowed.
    #[error("an outcome without an allow")]
    OutcomeWithoutAllow,
}

/// Judges a record against the records before it.
///
/// # Errors
/// The [`Fault`] that names the broken rule.
pub fn adjudicate(before: &State, record: &Applied<'_>) -> Result<(), Fault> {
    if before.directory.log.is_none() != matches!(record.event, Event::LogOpened(_)) {
        return Err(Fault::Opening);
    }
    let right = Right::behind(&before.directory, record);
    if right.is_some_and(|right| !right.is_held(&before.directory, record.actor)) {
        return Err(Fault::NotEntitled {
            actor: record.actor.to_owned(),
        });
    }
    match record.event {
        Event::DecisionMade(made) => case::made(before, record, made),
        Event::ApprovalGranted(granted) => case::granted(before, record, granted),
        Event::ApprovalDenied(denied) => case::denied(before, record, denied),
        Event::GrantConsumed(consumed) => case::consumed(before, record, consumed),
        Event::DecisionExpired(expired) => case::expired(before, record, expired),
        Event::OutcomeRecorded(_) => {
            case::outcome(before, record)?;
            Ok(producer::judge(&before.directory, record)?)
        }
        Event::TraceIngested(_)
        | Event::AuditIngested(_)
        | Event::CostIngested(_)
        | Event::MetricIngested(_)
        | Event::ViolationIngested(_) => Ok(producer::judge(&before.directory, record)?),
        Event::ObservationRecorded(_) => {
            let thing = record.subject.split('/').next().unwrap_or_default();
            if RESERVED_THINGS.contains(&thing) {
                Err(Fault::ReservedSubject)
            } else {
                Ok(())
            }
        }
        _ => registry::change(before, record),
    }
}

/// Judges the half of a decision that needs no records but the policies: the outcome is what the rules give on the
/// recorded facts. How conditions stood that look at withheld values is taken as it is recorded.
///
/// # Errors
/// The [`Fault`] that names the broken rule.
pub fn adjudicate_outcome(policies: &PolicySet<'_>, made: &DecisionMade) -> Result<(), Fault> {
    adjudicate_shown(policies, made, &[]).map(drop)
}

/// Judges the same half where some of the withheld values are shown: conditions are judged on what these disclosures open. Gives
/// how many conditions were not, and taken as recorded.
///
/// # Errors
/// The [`Fault`] that names the broken rule.
pub fn adjudicate_shown(
    policies: &PolicySet<'_>,
    made: &DecisionMade,
    disclosures: &[Disclosure],
) -> Result<u32, Fault> {
    match made.engine {
        ENGINE => {}
        engine if engine > ENGINE => return Err(Fault::NewerEngine { engine }),
        _ => return Err(Fault::OtherEngine),
    }
    let facts = &made.facts;
    if engine::request_digest(&facts.salt, &facts.request) != facts.request_digest {
        return Err(Fault::RequestDigest);
    }
    if made.policyset != policies.digest() {
        return Err(Fault::PolicySetDiffers);
    }
    let beside = Beside::Recorded {
        results: &made.withheld,
        disclosures,
    };
    let (given, recorded) = (
        engine::decide(policies, facts, beside),
        Outcome::recorded(made),
    );
    withheld_as(&given.withheld, &recorded.withheld)?;
    if disclosures.iter().any(|shown| is_risk_flag(made, shown)) {
        let part = "the risk score reads what was withheld";
        return Err(Fault::Withheld { part });
    }
    let parts = [
        ("verdict", given.verdict == recorded.verdict),
        ("reason", given.reason == recorded.reason),
        ("winner", given.winner == recorded.winner),
        ("matched", given.matched == recorded.matched),
        ("risk", given.risk == recorded.risk),
        ("grant", given.grant == recorded.grant),
        ("approval", given.approval == recorded.approval),
        ("explanation", given.explanation == recorded.explanation),
    ];
    match parts.into_iter().find(|(_, same)| !same) {
        Some((part, _)) => Err(Fault::OutcomeDiffers { part }),
        None => Ok(given.taken),
    }
}

/// Results stand for the conditions that look at withheld values, no more and no less, and are what the shown values give.
fn withheld_as(given: &[WithheldResult], recorded: &[WithheldResult]) -> Result<(), Fault> {
    let same = |(given, recorded): (&WithheldResult, &WithheldResult)| {
        given.policy == recorded.policy && given.field == recorded.field
    };
    let part = if given.len() != recorded.len() || !given.iter().zip(recorded).all(same) {
        "they are of other conditions"
    } else if given != recorded {
        "a shown value gives another result"
    } else {
        return Ok(());
    };
    Err(Fault::Withheld { part })
}

/// Whether a disclosure opens a member of the context itself that the risk score reads.
fn is_risk_flag(made: &DecisionMade, shown: &Disclosure) -> bool {
    let named = shown
        .name()
        .is_some_and(|name| engine::RISK_FLAGS.contains(&name));
    let context = made.facts.request.context.as_ref();
    named && context.is_some_and(|context| is_member_digest(context, &shown.digest()))
}
