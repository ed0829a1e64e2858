//! What a caller is shown when the rules cannot meet a command. A denial is not here: it is a record.

use super::{Face, face};
use axum::http::StatusCode as S;
use probity_governance::execute::Rejected as R;

/// The status of each rejection.
pub(super) fn face_of(rejected: &R) -> Face {
    match rejected {
        R::NotEntitled { .. } | R::NotAPerson | R::AdapterMismatch => {
            face(S::FORBIDDEN, "forbidden", "Not allowed")
        }
        R::SelfApproval => face(
            S::FORBIDDEN,
            "self_approval",
            "Nobody approves their own request",
        ),
        R::DecisionUnknown { .. }
        | R::PolicyUnknown { .. }
        | R::CredentialUnknown { .. }
        | R::KeyUnknown { .. } => face(S::NOT_FOUND, "not_found", "Not found"),
        R::HoldUnknown { .. } => face(S::NOT_FOUND, "not_found", "Not found"),
        R::SealOutOfPlace => face(S::CONFLICT, "seal_out_of_place", "Sealed meanwhile"),
        R::HoldStands { .. } => face(S::CONFLICT, "hold_stands", "Hold in force already"),
        R::AlreadyResolved { .. } => face(S::CONFLICT, "already_resolved", "Resolved already"),
        R::SignatureInvalid { .. } => face(
            S::UNPROCESSABLE_ENTITY,
            "signature",
            "Not signed as it must be",
        ),
        R::ReportSignature { .. } => face(
            S::UNPROCESSABLE_ENTITY,
            "report_signature",
            "Not signed as it must be",
        ),
        R::FactsTooLarge { .. } => face(S::PAYLOAD_TOO_LARGE, "too_large", "Too large"),
        R::TooManyOpen => face(
            S::SERVICE_UNAVAILABLE,
            "too_many_open",
            "Too many open decisions",
        )
        .retry_after(60),
        R::ReservedSubject { .. }
        | R::PolicyInvalid { .. }
        | R::SettingInvalid { .. }
        | R::CredentialInvalid
        | R::KeyInvalid { .. }
        | R::SignerInvalid { .. }
        | R::BudgetInvalid
        | R::NameInvalid { .. }
        | R::TextTooLong { .. }
        | R::NumberTooLarge { .. } => face(S::UNPROCESSABLE_ENTITY, "invalid", "Not valid"),
        R::OpenedTwice | R::NotOpened | R::NotHydrated { .. } | R::NotWithheld => {
            face(S::INTERNAL_SERVER_ERROR, "internal", "Server fault")
        }
    }
}
