//! What surrounds every answer of this surface: error bodies, trace ids, unknown routes.
//!
//! Not the identities (`credentials.rs`) and not any endpoint's own words. Every error of the surface is one [`Failure`].

use super::credentials::GoodTokens;
use super::fields::Faults;
use crate::error::ApiError;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use probity_governance::command::Standing;
use probity_governance::execute::Rejected;
use probity_governance::producer::ReportFault;
use probity_ledger::error::SubmitError;
use probity_ledger::store::StoreError;
use probity_projections::ViewError;
use probity_schemas::vocabulary::EnvelopeFault;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// Header by which a caller follows its request through logs.
const TRACE_HEADER: &str = "x-trace-id";

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
    /// Who asks is not known, or not allowed in, or did not sign as it must.
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

    /// The report is not signed as it must be.
    fn signature(why: ReportFault) -> Self {
        let status = match why {
            ReportFault::Envelope(EnvelopeFault::PayloadTooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::Credential {
            status,
            error: why.to_string(),
            code: why.code(),
        }
    }

    /// A request that is refused for what its signature or key is.
    pub(crate) const fn coded(error: String, code: &'static str) -> Self {
        Self::Credential {
            status: StatusCode::BAD_REQUEST,
            error,
            code,
        }
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

/// Bytes of an answer before it has to be moved: a trace of a few dozen policies.
const ANSWER_BYTES: usize = 16 * 1024;

/// An answer that is written where it is made, because it borrows what it says.
pub(crate) struct Written(Vec<u8>);

impl Written {
    /// Writes it as JSON.
    pub(crate) fn of(answer: &impl Serialize) -> Result<Self, Failure> {
        let mut text = Vec::with_capacity(ANSWER_BYTES);
        serde_json::to_writer(&mut text, answer).map_err(|fault| Failure::corrupt(&fault))?;
        Ok(Self(text))
    }
}

impl IntoResponse for Written {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
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
    /// The kind of refusal, for credentials and signatures.
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
    let body = ErrorBody {
        error: error.to_string(),
        details: None,
        code: None,
    };
    let status = error.face().status;
    let mut response = error.into_response();
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
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
        Rejected::DecisionUnknown { .. } => {
            Failure::said(StatusCode::NOT_FOUND, "Decision not found")
        }
        Rejected::PolicyUnknown { .. } => Failure::said(StatusCode::NOT_FOUND, "Policy not found"),
        Rejected::AlreadyResolved { how } => already_resolved(how),
        Rejected::AdapterMismatch => Failure::scope(),
        Rejected::ReportSignature { why } => Failure::signature(why),
        Rejected::KeyInvalid { why } => Failure::coded(why.to_string(), "invalid_key"),
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
    Failure::Told {
        status: StatusCode::CONFLICT,
        body,
    }
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

/// The answer to a route that is not there.
pub(crate) async fn route_not_found(method: Method, uri: Uri) -> Failure {
    Failure::Framework {
        status: StatusCode::NOT_FOUND,
        code: None,
        message: format!("Route {method}:{} not found", uri.path()),
    }
}

/// Every handler finds the tokens that are known to be good; every answer carries a trace id, the caller's own or a fresh one.
pub(crate) async fn surround(
    State(known): State<Arc<GoodTokens>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = own_trace_id(request.headers());
    request.extensions_mut().insert(known);
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
mod tests;
