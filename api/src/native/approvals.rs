//! A person's answer to a pending decision.

use super::{Input, idempotency, submit};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use probity_governance::command::{Operation, Resolution};
use probity_schemas::event::key::AnswerSignature;
use probity_schemas::time::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(resolve_decision))
}

/// What a person says.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The very request may go on, once.
    Approved,
    /// It may not.
    Denied,
}

/// A person's answer to a pending decision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolutionInput {
    /// What the person says.
    status: Answer,
    /// Why.
    justification: Option<String>,
    /// A remark.
    note: Option<String>,
    /// The person's own signature.
    signature: Option<SignatureInput>,
}

/// A person's own signature: DSSE over the canonical JSON of `{action, decision, expires, log, origin}`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureInput {
    /// `ed25519` or `ES256`.
    alg: String,
    /// The signed answer is void after this time.
    #[schema(value_type = String)]
    expires: Time,
    /// The registered key: SHA-256 of its DER, lower-case hexadecimal.
    keyid: String,
    /// The signature, base64.
    sig: String,
}

impl From<SignatureInput> for AnswerSignature {
    fn from(input: SignatureInput) -> Self {
        let SignatureInput {
            alg,
            expires,
            keyid,
            sig,
        } = input;
        Self {
            alg,
            expires,
            keyid,
            sig,
        }
    }
}

/// What was recorded.
#[derive(Serialize, ToSchema)]
pub(crate) struct Resolved {
    /// The decision.
    decision: String,
    /// What the person said.
    status: Answer,
    /// The record that says so.
    sequence: Option<u64>,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    replayed: bool,
}

/// Approves or denies a pending decision. Nobody resolves their own request, and an approval is for that request, once.
#[utoipa::path(post, path = "/v1/logs/{tenant}/decisions/{id}/resolve", tag = "decisions",
    params(("tenant" = String, Path, description = "the log's tenant"), ("id" = String, Path, description = "the decision"),
        ("Idempotency-Key" = Option<String>, Header, description = "a retry with the same key and body is answered the same")),
    request_body = ResolutionInput,
    responses((status = 200, body = Resolved), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn resolve_decision(
    State(app): State<App>,
    principal: Principal,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    Input { value, bytes }: Input<ResolutionInput>,
) -> Result<Json<Resolved>, ApiError> {
    principal.require(Right::Resolve)?;
    let decision = Uuid::try_parse(&id).map_err(|_| ApiError::NotFound { what: "decision" })?;
    let grant = value.status == Answer::Approved;
    let resolution = Resolution {
        decision,
        grant,
        justification: value.justification,
        note: value.note,
        signature: value.signature.map(AnswerSignature::from),
    };
    let key = idempotency(&headers, &scoped(&id, &bytes))?;
    let receipt = submit(
        &app,
        &principal,
        Operation::ResolveApproval(resolution),
        key,
    )
    .await?;
    Ok(Json(Resolved {
        decision: id,
        status: value.status,
        sequence: receipt.last(),
        replayed: receipt.replayed,
    }))
}

/// What an idempotency key stands for: the body, and the decision in the path.
fn scoped(id: &str, body: &[u8]) -> axum::body::Bytes {
    [id.as_bytes(), b"\n", body].concat().into()
}
