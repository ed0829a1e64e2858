//! What a caller is shown when the ledger did not record a command.

use super::{Face, face, store_away};
use axum::http::StatusCode as S;
use probity_ledger::clock::ClockError;
use probity_ledger::error::SubmitError as E;

const UNAVAILABLE: S = S::SERVICE_UNAVAILABLE;

/// The status of each: 4xx where the caller must change something, 503 where it may come again, 500 for faults of ours.
pub(super) fn face_of(error: &E) -> Face {
    match error {
        E::Rejected(rejected) => super::rejected::face_of(rejected),
        E::NoLog => face(S::NOT_FOUND, "not_found", "Not found"),
        E::QueueFull {
            retry_after_seconds,
        } => face(UNAVAILABLE, "queue_full", "Too busy").retry_after(*retry_after_seconds),
        E::NotRecorded => face(UNAVAILABLE, "not_recorded", "Not recorded").retry_after(1),
        E::OutcomeUnknown => {
            face(UNAVAILABLE, "outcome_unknown", "Outcome not known").retry_after(1)
        }
        E::OwnedElsewhere { .. } => {
            face(UNAVAILABLE, "owned_elsewhere", "Another node owns this log").retry_after(1)
        }
        E::NoOwner {
            retry_after_seconds,
        } => {
            face(UNAVAILABLE, "no_owner", "No node owns this log").retry_after(*retry_after_seconds)
        }
        E::IdempotencyMismatch => face(
            S::UNPROCESSABLE_ENTITY,
            "idempotency_mismatch",
            "Idempotency key used before",
        ),
        E::IdempotencyInFlight => face(
            S::CONFLICT,
            "idempotency_in_flight",
            "Idempotency key in use",
        )
        .retry_after(1),
        E::IdempotencyKeyLength | E::NulInName => {
            face(S::BAD_REQUEST, "malformed", "Not understood")
        }
        E::Clock(ClockError::Behind) => {
            face(UNAVAILABLE, "clock_behind", "Clock behind").retry_after(10)
        }
        E::Clock(ClockError::Jumped) => {
            face(UNAVAILABLE, "clock_jumped", "Clock leapt").retry_after(60)
        }
        E::ReadOnly { .. } => {
            face(UNAVAILABLE, "read_only", "Log is read-only here").retry_after(60)
        }
        E::RecordTooLong { .. } | E::AttachmentTooLong { .. } | E::TooManyAttachments => {
            face(S::PAYLOAD_TOO_LARGE, "too_large", "Too large")
        }
        E::Personal { .. }
        | E::PersonName { .. }
        | E::PersonMissing { .. }
        | E::PersonalRisk { .. }
        | E::PersonalSigned { .. } => face(S::UNPROCESSABLE_ENTITY, "invalid", "Not valid"),
        E::Persons(_) => face(UNAVAILABLE, "keys_unavailable", "Keys unavailable").retry_after(1),
        E::AttachmentMissing { .. } => face(
            S::UNPROCESSABLE_ENTITY,
            "attachment_missing",
            "Attachment not here",
        ),
        E::AttachmentLength { .. } => face(
            S::UNPROCESSABLE_ENTITY,
            "attachment_length",
            "Attachment has another length",
        ),
        E::Broken { .. } => face(UNAVAILABLE, "writer_stopped", "Writer stopped").retry_after(60),
        E::Stopped => face(UNAVAILABLE, "stopping", "Server is stopping").retry_after(1),
        E::Store(_) => store_away(),
        E::Unsealable(_) => face(S::INTERNAL_SERVER_ERROR, "internal", "Server fault"),
    }
}
