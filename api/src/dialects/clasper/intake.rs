//! What a request brings besides its credentials: its body and its query, opened field by field.
//!
//! A body is read whole, brought into canonical form once, and from then on is text. What two readers could understand
//! differently (a duplicate key, half a surrogate pair, a number that no double holds) is refused with words that say so.

use super::credentials::Place;
use super::envelope::Failure;
use super::fields::{Faults, Fields};
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use http_body_util::LengthLimitError;
use probity_schemas::body::Body;
use probity_schemas::canonical::{CanonicalError, CanonicalFault};

/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A request's body, brought into canonical form; `None` when there is none.
pub(crate) struct Payload(Option<Body>);

impl Payload {
    /// The body as it is.
    pub(crate) const fn body(&self) -> Option<&Body> {
        self.0.as_ref()
    }

    /// Opens the body as an object.
    pub(crate) fn fields(&self) -> Result<Fields, Failure> {
        Ok(Fields::open(self.0.as_ref())?)
    }
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(broken_off)?;
        let media_type = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        payload(media_type, &bytes).map(Self)
    }
}

/// Why a body did not come whole.
fn broken_off(error: axum::Error) -> Failure {
    if error.into_inner().is::<LengthLimitError>() {
        return Failure::Framework {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: Some("FST_ERR_CTP_BODY_TOO_LARGE"),
            message: "Request body is too large".to_owned(),
        };
    }
    Failure::Framework {
        status: StatusCode::BAD_REQUEST,
        code: None,
        message: "Request body broke off".to_owned(),
    }
}

/// A request's query.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Opens the query.
    pub(crate) fn fields(&self) -> Fields {
        Fields::of_query(self.0.clone())
    }

    /// Goes on only with the tenant and the workspace that are served here, where they are stated.
    pub(crate) fn within(&self, place: Place<'_>) -> Result<(), Failure> {
        for (name, value) in &self.0 {
            place.holds(name, value)?;
        }
        Ok(())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(pairs)| Self(pairs))
            .map_err(|error| Failure::Invalid {
                what: "Invalid query parameters",
                faults: Faults::of_form(error.body_text()),
            })
    }
}

/// Reads a body by its media type.
fn payload(media_type: Option<&str>, bytes: &[u8]) -> Result<Option<Body>, Failure> {
    let essence = media_type.map(|text| {
        text.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    });
    match essence.as_deref() {
        Some("application/json") if bytes.is_empty() => Err(Failure::Framework {
            status: StatusCode::BAD_REQUEST,
            code: Some("FST_ERR_CTP_EMPTY_JSON_BODY"),
            message: "Body cannot be empty when content-type is set to 'application/json'"
                .to_owned(),
        }),
        _ if bytes.is_empty() => Ok(None),
        Some("application/json") => Body::from_foreign(bytes)
            .map(Some)
            .map_err(|error| unreadable(&error)),
        Some("text/plain") => Err(Faults::of_form("Expected object, received string").into()),
        other => Err(Failure::Framework {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code: Some("FST_ERR_CTP_INVALID_MEDIA_TYPE"),
            message: format!("Unsupported Media Type: {}", other.unwrap_or("undefined")),
        }),
    }
}

/// JSON that nobody can read is the framework's error; JSON that two readers could read differently is the payload's.
fn unreadable(error: &CanonicalError) -> Failure {
    match error.fault {
        CanonicalFault::TooLong
        | CanonicalFault::TooDeep
        | CanonicalFault::DuplicateKey
        | CanonicalFault::LoneSurrogate
        | CanonicalFault::NumberRange
        | CanonicalFault::NumberInexact => Faults::of_form(error.to_string()).into(),
        _ => Failure::Framework {
            status: StatusCode::BAD_REQUEST,
            code: Some("FST_ERR_CTP_INVALID_JSON_BODY"),
            message: format!("Body is not valid JSON: {error}"),
        },
    }
}

#[cfg(test)]
mod tests;
