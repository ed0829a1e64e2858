//! The names of the rules, as reports state them. They are stable: README.md lists them, and programs compare them.

use probity_governance::adjudicate::Fault;
use probity_schemas::error::FormatError;

/// The register is another than the one that was sealed.
pub(crate) const STATE_DIGEST: &str = "state_digest.digest";

/// A key takes the place of another than the one in force, or is none.
pub(crate) const SIGNERS_ROTATION: &str = "signers.rotation";

/// A key is called compromised that is in force, or never was the log's.
pub(crate) const SIGNERS_COMPROMISED: &str = "signers.compromised";

/// The checkpoint that hands a key on is missing or none.
pub(crate) const SIGNERS_CHECKPOINT: &str = "signers.checkpoint";

/// The checkpoint that hands a key on is of other records.
pub(crate) const SIGNERS_ROOT: &str = "signers.root";

/// Of a part of a log: a proof of a handover stands out of order, or names no record that hands a key on.
pub(crate) const SIGNERS_PROOF: &str = "signers.proof";

/// The key before did not sign the checkpoint that hands the next one on.
pub(crate) const SIGNERS_OLD_SIGNATURE: &str = "signers.old_signature";

/// The key after did not sign the checkpoint that hands it on.
pub(crate) const SIGNERS_NEW_SIGNATURE: &str = "signers.new_signature";

/// A key signed after it was rotated away.
pub(crate) const CHECKPOINT_RETIRED_KEY: &str = "checkpoint.retired_key";

/// A compromised key signed more than what it is still trusted for.
pub(crate) const CHECKPOINT_COMPROMISED_KEY: &str = "checkpoint.compromised_key";

/// The rule that a line breaks.
pub(crate) const fn name(error: &FormatError) -> &'static str {
    match error {
        FormatError::TooLong { .. } => "format.length",
        FormatError::NotCanonical(_) => "format.canonical",
        FormatError::Shape { .. } => "format.shape",
        FormatError::BadSpecVersion => "format.specversion",
        FormatError::BadId => "format.id",
        FormatError::BadTime => "format.time",
        FormatError::BadSequence => "format.sequence",
        FormatError::BadRevision => "format.revision",
        FormatError::BadOrigin => "format.source",
        FormatError::BadTenant => "format.workspace",
        FormatError::BadSubject => "format.subject",
        FormatError::BadActor => "format.actor",
        FormatError::BadSurface => "format.surface",
        FormatError::BadExtension { .. } => "format.extension",
        FormatError::BadType { .. } => "schema.type",
        FormatError::BadData { .. } => "schema.body",
        FormatError::BadOpening => "origin.opening",
        FormatError::OtherOrigin => "origin.source",
        FormatError::SequenceGap { .. } => "chain.sequence",
        FormatError::BadPrevious { .. } => "chain.previous",
        FormatError::IdNotIncreasing { .. } => "chain.id",
        FormatError::TimeGoesBack { .. } => "time.order",
        FormatError::RevisionGap { .. } => "subjects.revision",
        FormatError::BadSubjectPrevious { .. } => "subjects.previous",
    }
}

/// The rule of governance that a record breaks.
pub(crate) const fn of_fault(fault: &Fault) -> &'static str {
    match fault {
        Fault::NewerEngine { .. } => "adjudication.newer_engine",
        Fault::OtherEngine => "adjudication.engine",
        Fault::NotEntitled { .. } => "adjudication.not_entitled",
        Fault::BadSubject => "adjudication.subject",
        Fault::Opening => "adjudication.opening",
        Fault::OtherOrigin => "adjudication.origin",
        Fault::Setting(_) => "adjudication.setting",
        Fault::Policy(_) => "adjudication.policy",
        Fault::NotInForce => "adjudication.not_in_force",
        Fault::Credential => "adjudication.credential",
        Fault::RegistrationLoosened => "adjudication.registration_loosened",
        Fault::Budget => "adjudication.budget",
        Fault::BudgetNotCrossed => "adjudication.budget_not_crossed",
        Fault::ReservedSubject => "adjudication.reserved_subject",
        Fault::DecidedTwice => "adjudication.decided_twice",
        Fault::AdapterMismatch => "adjudication.adapter_mismatch",
        Fault::FactsDiffer { .. } => "adjudication.facts",
        Fault::RequestDigest => "adjudication.request_digest",
        Fault::PolicySetDiffers => "adjudication.policy_set",
        Fault::OutcomeDiffers { .. } => "adjudication.outcome",
        Fault::Standing { .. } => "adjudication.standing",
        Fault::TooLate => "adjudication.too_late",
        Fault::TooEarly => "adjudication.too_early",
        Fault::NotAPerson => "adjudication.not_a_person",
        Fault::SelfApproval => "adjudication.self_approval",
        Fault::Role => "adjudication.role",
        Fault::Signature(_) => "adjudication.signature",
        Fault::ReportSignature(_) => "adjudication.report_signature",
        Fault::Key(_) => "adjudication.key",
        Fault::Signer(_) => "adjudication.signer",
        Fault::OtherRequest => "adjudication.other_request",
        Fault::GrantLength => "adjudication.grant_length",
        Fault::Withheld { .. } => "adjudication.withheld",
        Fault::OtherRequester => "adjudication.other_requester",
        Fault::Seal => "adjudication.seal",
        Fault::StateDigest => STATE_DIGEST,
        Fault::Hold => "adjudication.hold",
        Fault::OutcomeWithoutAllow => "adjudication.outcome_without_allow",
    }
}
