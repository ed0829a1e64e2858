//! Why a native request was not served: one closed enum, one answer form (RFC 9457).
//!
//! A refusal by the rules is no error but a verdict. What the operator must know and the caller must not see is logged
//! here, once, when the answer is made. A surface with its own error bodies takes status and words from
//! [`ApiError::face`], calls [`ApiError::report`], and keeps [`crate::forward::ForwardTo`] on its answer.

use crate::forward::ForwardTo;
use crate::output;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use probity_ledger::error::SubmitError;
use probity_ledger::store::StoreError;
use probity_ledger::upload::UploadError;
use probity_projections::ViewError;
use probity_schemas::vocabulary::Role;
use serde::Serialize;
use utoipa::ToSchema;

mod rejected;
mod submit;
mod upload;

/// The media type of a [`Problem`].
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a native request was not served.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No key, a wrong key, a revoked key.
    #[error("a valid key is needed: authorization: Bearer KEY, or x-api-key: KEY")]
    Unauthorized,
    /// A good key without the role.
    #[error("this key's roles do not allow it")]
    Forbidden {
        /// The roles that do.
        roles: &'static [Role],
    },
    /// Not there, or not this caller's to see.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// The path exists, the method does not.
    #[error("this path does not know that method")]
    MethodNotAllowed,
    /// Not understood.
    #[error("{detail}")]
    Malformed {
        /// What was not understood.
        detail: String,
    },
    /// Understood, and impossible.
    #[error("{detail}")]
    Invalid {
        /// What is wrong.
        detail: String,
    },
    /// A line of a batch is at fault; nothing of the batch was recorded.
    #[error("line {line}: {detail}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong with it.
        detail: String,
    },
    /// More than a limit.
    #[error("{what}: more than {max}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        max: u64,
    },
    /// A body whose length is not announced.
    #[error("content-length: expected the number of bytes")]
    LengthRequired,
    /// Another media type is needed.
    #[error("content-type: expected {expected}")]
    MediaType {
        /// Which.
        expected: &'static str,
    },
    /// The credential made too many requests.
    #[error("too many requests: try again in {retry_after_seconds} s")]
    RateLimited {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// The view has not come to the position asked for.
    #[error("the view is not there yet")]
    NotYet {
        /// Where it is: the number of records it has seen.
        position: u64,
    },
    /// It was here, and was erased.
    #[error("{what}: erased, as record {sequence} says")]
    Erased {
        /// What was looked for.
        what: &'static str,
        /// The record of the erasure.
        sequence: u64,
    },
    /// A legal hold forbids an erasure; that it was refused is a record.
    #[error("hold {hold} forbids it: record {sequence} says so")]
    Held {
        /// The hold.
        hold: String,
        /// The record of the refusal.
        sequence: u64,
    },
    /// The version that answers cannot do this.
    #[error("{what}: not in this version")]
    NotInThisVersion {
        /// What was asked for.
        what: &'static str,
    },
    /// The server did not answer in time.
    #[error(
        "not answered in time: whether a write was recorded is not known; send it again with the same idempotency key"
    )]
    Timeout,
    /// A handler broke.
    #[error("this request met a fault in the server")]
    Panicked,
    /// The system has no randomness to give.
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
    /// The ledger did not record a command.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// An upload was not taken in.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// The records could not be read.
    #[error("the records could not be read")]
    Read(#[from] StoreError),
    /// A view could not be read.
    #[error("the view could not be read")]
    View(#[from] ViewError),
    /// The owner of the log could not be reached.
    #[error("the node that owns this log could not be reached")]
    Forward(#[source] reqwest::Error),
}

/// What a caller is shown of an error.
#[derive(Debug)]
pub struct Face {
    /// The HTTP status.
    pub status: StatusCode,
    /// One word for programs, from a closed list.
    pub code: &'static str,
    /// The same for people, in general.
    pub title: &'static str,
    /// Seconds after which it may be tried again.
    pub retry_after_seconds: Option<u32>,
}

/// The body of an error: RFC 9457 `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:probity:problem:` and the code.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// What kind of problem it is, for people.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, for people.
    pub detail: String,
    /// What kind of problem it is, for programs.
    pub code: &'static str,
    /// The line of a batch that is at fault, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The roles that may do it.
    #[serde(skip_serializing_if = "<[Role]>::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub roles: &'static [Role],
    /// How many records the view has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
}

impl ApiError {
    /// What a caller is shown.
    #[must_use]
    pub fn face(&self) -> Face {
        use StatusCode as S;
        match self {
            Self::Unauthorized => face(S::UNAUTHORIZED, "unauthorized", "Not authenticated"),
            Self::Forbidden { .. } => face(S::FORBIDDEN, "forbidden", "Not allowed"),
            Self::NotFound { .. } => face(S::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => face(
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Method not allowed",
            ),
            Self::Malformed { .. } => face(S::BAD_REQUEST, "malformed", "Not understood"),
            Self::Invalid { .. } | Self::Line { .. } => {
                face(S::UNPROCESSABLE_ENTITY, "invalid", "Not valid")
            }
            Self::TooLarge { .. } => face(S::PAYLOAD_TOO_LARGE, "too_large", "Too large"),
            Self::LengthRequired => face(S::LENGTH_REQUIRED, "length_required", "Length required"),
            Self::MediaType { .. } => face(
                S::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "Another media type is needed",
            ),
            Self::RateLimited {
                retry_after_seconds,
            } => face(S::TOO_MANY_REQUESTS, "rate_limited", "Too many requests")
                .retry_after(*retry_after_seconds),
            Self::Erased { .. } => face(S::GONE, "erased", "Erased"),
            Self::Held { .. } => face(S::CONFLICT, "held", "A legal hold forbids it"),
            Self::NotYet { .. } => {
                face(S::CONFLICT, "not_yet", "The view is behind").retry_after(1)
            }
            Self::NotInThisVersion { .. } => face(
                S::NOT_IMPLEMENTED,
                "not_in_this_version",
                "Not in this version",
            ),
            Self::Timeout => {
                face(S::SERVICE_UNAVAILABLE, "timeout", "Not answered in time").retry_after(1)
            }
            Self::Submit(error) => submit::face_of(error),
            Self::Upload(error) => upload::face_of(error),
            Self::Forward(_) => face(
                S::SERVICE_UNAVAILABLE,
                "owner_unreachable",
                "The log's owner is out of reach",
            )
            .retry_after(1),
            Self::Read(error) if error.is_away() => store_away(),
            Self::View(error) if error.is_away() => store_away(),
            Self::Panicked | Self::Random(_) | Self::Read(_) | Self::View(_) => {
                face(S::INTERNAL_SERVER_ERROR, "internal", "Server fault")
            }
        }
    }

    /// Logs what the operator must know: faults of ours with their whole chain, and what a caller must try again.
    pub fn report(&self) {
        if matches!(self, Self::Submit(SubmitError::OwnedElsewhere { .. })) {
            return tracing::debug!("request: another node owns the log");
        }
        let face = self.face();
        // A line for each of very many would be more work than the refusal; they are counted.
        if matches!(self, Self::Submit(SubmitError::QueueFull { .. })) {
            return tracing::debug!(error.code = face.code, "request: put off");
        }
        if face.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(
                error.code = face.code,
                error.chain = output::chain(self),
                "request: failed"
            );
        } else if face.status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(
                error.code = face.code,
                error.chain = output::chain(self),
                "request: put off"
            );
        }
    }

    fn problem(&self, face: &Face) -> Problem {
        Problem {
            type_uri: format!("urn:probity:problem:{}", face.code),
            title: face.title,
            status: face.status.as_u16(),
            detail: self.to_string(),
            code: face.code,
            line: if let Self::Line { line, .. } = self {
                Some(*line)
            } else {
                None
            },
            roles: if let Self::Forbidden { roles } = self {
                roles
            } else {
                &[]
            },
            position: if let Self::NotYet { position } = self {
                Some(*position)
            } else {
                None
            },
        }
    }
}

pub(crate) const fn face(status: StatusCode, code: &'static str, title: &'static str) -> Face {
    Face {
        status,
        code,
        title,
        retry_after_seconds: None,
    }
}

/// The database does not answer for now.
pub(crate) const fn store_away() -> Face {
    face(
        StatusCode::SERVICE_UNAVAILABLE,
        "store_unavailable",
        "Store unavailable",
    )
    .retry_after(1)
}

impl Face {
    pub(crate) const fn retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after_seconds: Some(seconds),
            ..self
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.report();
        let face = self.face();
        let body = serde_json::to_vec(&self.problem(&face)).unwrap_or_default();
        let mut response = (face.status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if let Some(seconds) = face.retry_after_seconds {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Self::Submit(SubmitError::OwnedElsewhere { address }) = self {
            response.extensions_mut().insert(ForwardTo { address });
        }
        response
    }
}
