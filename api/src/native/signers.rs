//! The keys that sign a log's checkpoints: rotated, and called compromised, by an admin; listed for whoever may see proofs. No
//! secret is read or shown here.

use super::credentials::Recorded;
use super::{Input, submit};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use probity_governance::command::Operation;
use probity_schemas::event::signer::SignerCompromised;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(rotate_signer, list_signers))
        .routes(routes!(report_compromise))
}

/// Why the signer gets another key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// Why, in words.
    reason: Option<String>,
}

/// A key that signs from now on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rotated {
    /// The new verifier key.
    signer: String,
    /// The record that says so. The checkpoint right after it is signed by both keys.
    sequence: Option<u64>,
}

/// A key that is not to be trusted any more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Compromise {
    /// The verifier key. It must have been rotated away.
    key: String,
    /// The size of the last checkpoint by it that is to be trusted; 0 for none.
    last_trusted_size: u64,
    /// Why, in words.
    reason: Option<String>,
}

/// The keys of a log's signer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Signers {
    /// The one in force last.
    items: Vec<SignerItem>,
}

/// A key of a log's signer.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignerItem {
    /// The verifier key.
    key: String,
    /// The size of the last checkpoint by it that is to be trusted, if it was compromised.
    last_trusted_size: Option<u64>,
    /// The record that named it.
    sequence: u64,
}

/// Makes a new key, and has it sign the log's checkpoints from now on. Auditors who hold the key before follow by the record.
#[utoipa::path(post, path = "/v1/logs/{tenant}/signers", tag = "keys",
    params(("tenant" = String, Path, description = "the log's tenant")), request_body = Rotation,
    responses((status = 201, body = Rotated), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn rotate_signer(
    State(app): State<App>,
    principal: Principal,
    Input { value, .. }: Input<Rotation>,
) -> Result<Response, ApiError> {
    principal.require(Right::Credentials)?;
    let signer = app.ledger.next_signer(&principal.tenant).await?;
    let operation = Operation::RotateSigner {
        signer: signer.clone(),
        reason: value.reason,
    };
    let sequence = submit(&app, &principal, operation, None).await?.last();
    let rotated = Rotated { signer, sequence };
    Ok((StatusCode::CREATED, Json(rotated)).into_response())
}

/// The keys that signed this log, and the one that does. Whoever judges the log had better get one of them another way, too.
#[utoipa::path(get, path = "/v1/logs/{tenant}/signers", tag = "keys",
    params(("tenant" = String, Path, description = "the log's tenant")),
    responses((status = 200, body = Signers), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list_signers(
    State(app): State<App>,
    principal: Principal,
) -> Result<Json<Signers>, ApiError> {
    principal.require(Right::Prove)?;
    let terms = app.ledger.signers(&principal.tenant).await?;
    let items = terms.into_iter().map(|term| SignerItem {
        key: term.key,
        last_trusted_size: term.last_trusted_size,
        sequence: term.sequence,
    });
    Ok(Json(Signers {
        items: items.collect(),
    }))
}

/// Records that a key which signs no more was compromised, and up to which size what it signed is to be trusted.
#[utoipa::path(post, path = "/v1/logs/{tenant}/signers/compromised", tag = "keys",
    params(("tenant" = String, Path, description = "the log's tenant")), request_body = Compromise,
    responses((status = 200, body = Recorded), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn report_compromise(
    State(app): State<App>,
    principal: Principal,
    Input { value, .. }: Input<Compromise>,
) -> Result<Json<Recorded>, ApiError> {
    principal.require(Right::Credentials)?;
    let operation = Operation::ReportCompromise(SignerCompromised {
        key: value.key,
        last_trusted_size: value.last_trusted_size,
        reason: value.reason,
    });
    let receipt = submit(&app, &principal, operation, None).await?;
    Ok(Json(Recorded {
        sequence: receipt.last(),
    }))
}
