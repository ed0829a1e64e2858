//! What surrounds every answer of this surface: error bodies, the reading of a JSON body, trace ids, unknown routes.
//!
//! Not the identities (`credentials.rs`) and not any endpoint's own words. Every error of the surface is one [`Failure`].

use super::credentials::Place;
use super::fields::{Faults, Fields};
use crate::error::ApiError;
use axum::Json;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use probity_governance::command::Standing;
use probity_governance::execute::Rejected;
use probity_ledger::error::SubmitError;
use probity_ledger::store::StoreError;
use probity_projections::ViewError;
use probity_schemas::body::Body;
use probity_schemas::canonical::{CanonicalError, CanonicalFault};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

/// Bytes of a request's body.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Header by which a caller follows its request through logs.
pub(crate) const TRACE_HEADER: &str = "x-trace-id";

/// Bytes of a caller's own trace id that are echoed.
const TRACE_ID_BYTES_MAX: usize = 128;

/// Why a request is answered with an error.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The framework's own words: nothing was understood yet.
    Framework {
        status: StatusCode,
        code: Option<&'static str>,
        message: String,
    },
    /// The payload (or the query, as `what` says) is at fault.
    Invalid { what: &'static str, faults: Faults },
    /// Who asks is not known, or not allowed in.
    Credential {
        status: StatusCode,
        error: String,
        code: &'static str,
    },
    /// Plain words under a status.
    Said { status: StatusCode, error: String },
    /// Plain words and more about them.
    Told { status: StatusCode, body: Value },
    /// What all surfaces answer alike, in their own words and this one's form.
    Api(ApiError),
}

impl Failure {
    /// Plain words under a status.
    pub(crate) fn said(status: StatusCode, error: impl Into<String>) -> Self {
        Self::Said {
            status,
            error: error.into(),
        }
    }

    /// Our own records say what they cannot say.
    pub(crate) fn corrupt(fault: &dyn std::error::Error) -> Self {
        tracing::error!(
            error = fault.to_string(),
            "a record or a row of a view cannot be read"
        );
        Self::said(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }

    /// The ledger recorded something else than what was asked of it.
    pub(crate) fn unanswerable() -> Self {
        tracing::error!("a receipt does not hold what it answers");
        Self::said(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }

    /// The request's ids are not those of its token.
    pub(crate) fn scope() -> Self {
        Self::said(StatusCode::FORBIDDEN, "Adapter scope mismatch")
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self::Invalid {
            what: "Invalid payload",
            faults,
        }
    }
}

/// The body of an error in the surface's words.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What went wrong.
    error: String,
    /// The fields at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Faults>,
    /// The kind of refusal, for credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let plain = |error: String| ErrorBody {
            error,
            details: None,
            code: None,
        };
        match self {
            Self::Framework {
                status,
                code,
                message,
            } => (status, Json(framework(status, code, &message))).into_response(),
            Self::Invalid { what, faults } => {
                let body = ErrorBody {
                    details: Some(faults),
                    ..plain(what.to_owned())
                };
                (StatusCode::BAD_REQUEST, Json(body)).into_response()
            }
            Self::Credential {
                status,
                error,
                code,
            } => (
                status,
                Json(ErrorBody {
                    code: Some(code),
                    ..plain(error)
                }),
            )
                .into_response(),
            Self::Said { status, error } => (status, Json(plain(error))).into_response(),
            Self::Told { status, body } => (status, Json(body)).into_response(),
            Self::Api(error) => api_error(error),
        }
    }
}

/// What the frame says of an error, in the surface's form; the frame's own marks stay on it.
fn api_error(error: ApiError) -> Response {
    let body = ErrorBody { error: error.to_string(), details: None, code: None };
    let status = error.face().status;
    let mut response = error.into_response();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = serde_json::to_vec(&body).unwrap_or_default().into();
    *response.status_mut() = status;
    response
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::Api(error.into())
    }
}

/// A command that cannot be met is answered as this surface does; every other failure as all surfaces do.
impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Rejected(rejected) => refusal(rejected),
            other => Self::Api(other.into()),
        }
    }
}

fn refusal(rejected: Rejected) -> Failure {
    match rejected {
        Rejected::DecisionUnknown { .. } => Failure::said(StatusCode::NOT_FOUND, "Decision not found"),
        Rejected::PolicyUnknown { .. } => Failure::said(StatusCode::NOT_FOUND, "Policy not found"),
        Rejected::AlreadyResolved { how } => already_resolved(how),
        Rejected::AdapterMismatch => Failure::scope(),
        Rejected::PolicyInvalid { .. }
        | Rejected::NameInvalid { .. }
        | Rejected::TextTooLong { .. }
        | Rejected::NumberTooLarge { .. } => Faults::of_form(rejected.to_string()).into(),
        other => Failure::Api(SubmitError::Rejected(other).into()),
    }
}

/// The answer to a second answer.
pub(crate) fn already_resolved(how: Standing) -> Failure {
    let status = match how {
        Standing::Allowed => "allow",
        Standing::Refused => "deny",
        Standing::Consumed => Standing::Approved.as_str(),
        other => other.as_str(),
    };
    let body = json!({ "error": "Decision already resolved", "status": status });
    Failure::Told { status: StatusCode::CONFLICT, body }
}

fn framework(status: StatusCode, code: Option<&'static str>, message: &str) -> Value {
    let mut body = json!({
        "statusCode": status.as_u16(),
        "error": status.canonical_reason().unwrap_or_default(),
        "message": message,
    });
    if let Some(code) = code {
        body["code"] = code.into();
    }
    body
}

/// A request's body, brought into canonical form; `None` when there is none.
pub(crate) struct Payload(Option<Body>);

impl Payload {
    /// Opens the body as an object.
    pub(crate) fn fields(&self) -> Result<Fields, Failure> {
        Ok(Fields::open(self.0.as_ref())?)
    }
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, BODY_BYTES_MAX)
            .await
            .map_err(|_| Failure::Framework {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                code: Some("FST_ERR_CTP_BODY_TOO_LARGE"),
                message: "Request body is too large".to_owned(),
            })?;
        let media_type = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        payload(media_type, &bytes).map(Self)
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
        query.map(|Query(pairs)| Self(pairs)).map_err(|error| Failure::Invalid {
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

/// The answer to a route that is not there.
pub(crate) async fn route_not_found(method: Method, uri: Uri) -> Failure {
    Failure::Framework {
        status: StatusCode::NOT_FOUND,
        code: None,
        message: format!("Route {method}:{} not found", uri.path()),
    }
}

/// Every answer carries a trace id: the caller's own, or a fresh one.
pub(crate) async fn trace_id(request: Request, next: Next) -> Response {
    let id = own_trace_id(request.headers());
    let mut response = next.run(request).await;
    if let Some(id) = id.or_else(|| HeaderValue::from_str(&Uuid::now_v7().to_string()).ok()) {
        response.headers_mut().insert(TRACE_HEADER, id);
    }
    response
}

fn own_trace_id(headers: &HeaderMap) -> Option<HeaderValue> {
    headers
        .get(TRACE_HEADER)
        .filter(|id| !id.is_empty() && id.len() <= TRACE_ID_BYTES_MAX)
        .cloned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{Failure, payload, route_not_found};
    use axum::body::to_bytes;
    use axum::http::Method;
    use axum::response::IntoResponse;
    use serde_json::{Value, json};

    async fn answer(failure: Failure) -> (u16, Value) {
        let response = failure.into_response();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 65_536).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_read_is_answered_as_the_framework_does() {
        let json = Some("application/json; charset=utf-8");
        let table = [
            (json, "", 400, "FST_ERR_CTP_EMPTY_JSON_BODY"),
            (json, "{\"a\":", 400, "FST_ERR_CTP_INVALID_JSON_BODY"),
            (json, "{'a':1}", 400, "FST_ERR_CTP_INVALID_JSON_BODY"),
            (
                Some("application/xml"),
                "<a/>",
                415,
                "FST_ERR_CTP_INVALID_MEDIA_TYPE",
            ),
            (None, "{}", 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"),
        ];
        for (media_type, text, status, code) in table {
            let (found, body) = answer(payload(media_type, text.as_bytes()).unwrap_err()).await;
            assert_eq!(
                (found, body["code"].as_str()),
                (status, Some(code)),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn json_that_can_be_read_in_two_ways_is_the_payloads_fault() {
        let table = [
            (r#"{"a":1,"a":2}"#, "duplicate key"),
            (r#"{"a":"\ud800"}"#, "lone surrogate"),
            (r#"{"a":9007199254740993}"#, "out of range"),
            (r#"{"a":0.1234567890123456789}"#, "more digits"),
        ];
        for (text, words) in table {
            let (status, body) =
                answer(payload(Some("application/json"), text.as_bytes()).unwrap_err()).await;
            assert_eq!(
                (status, body["error"].as_str()),
                (400, Some("Invalid payload"))
            );
            assert!(
                body["details"]["formErrors"][0]
                    .as_str()
                    .unwrap()
                    .contains(words),
                "{body}"
            );
        }
    }

    #[tokio::test]
    async fn an_unknown_route_is_named() {
        let (status, body) =
            answer(route_not_found(Method::GET, "/x?y=1".parse().unwrap()).await).await;
        assert_eq!(status, 404);
        assert_eq!(
            body,
            json!({"message": "Route GET:/x not found", "error": "Not Found", "statusCode": 404})
        );
    }
}
