//! What a caller is shown when an upload was not taken in.

use super::{Face, face};
use axum::http::StatusCode as S;
use probity_ledger::upload::UploadError as E;

/// The status of each: 4xx and 507 where the caller must change something, 503 where it may come again.
pub(super) fn face_of(error: &E) -> Face {
    match error {
        E::NoLog => face(S::NOT_FOUND, "not_found", "Not found"),
        E::Busy => face(S::SERVICE_UNAVAILABLE, "uploads_full", "Too busy").retry_after(1),
        E::Quota { .. } => face(
            S::INSUFFICIENT_STORAGE,
            "quota_exceeded",
            "Quota of attachments exceeded",
        ),
        E::Length { .. } => face(S::BAD_REQUEST, "malformed", "Not understood"),
        E::Differs { .. } => face(
            S::UNPROCESSABLE_ENTITY,
            "attachment_differs",
            "Other content than its name",
        ),
        E::Gone => face(S::SERVICE_UNAVAILABLE, "not_kept", "Not kept").retry_after(1),
        E::Store(_) => face(
            S::SERVICE_UNAVAILABLE,
            "store_unavailable",
            "Store unavailable",
        )
        .retry_after(1),
    }
}
