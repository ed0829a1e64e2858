//! What shows that the log is what it says: checkpoint, receipts, verifier key. No content is shown.

use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_checkpoint))
        .routes(routes!(get_receipt))
        .routes(routes!(get_verifier_key))
}

const NO_LOG: ApiError = ApiError::NotFound { what: "log" };
const NO_RECORD: ApiError = ApiError::NotFound { what: "record" };

/// The newest checkpoint: size and root of the log, signed (C2SP tlog-checkpoint).
#[utoipa::path(get, path = "/v1/logs/{tenant}/checkpoint", tag = "proofs",
    params(("tenant" = String, Path, description = "the log's tenant")),
    responses((status = 200, content_type = "text/plain", body = String), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_checkpoint(
    State(app): State<App>,
    principal: Principal,
) -> Result<impl IntoResponse, ApiError> {
    principal.require(Right::Prove)?;
    let checkpoint = app.ledger.checkpoint(&principal.tenant).await?;
    Ok(([(CACHE_CONTROL, "no-cache")], checkpoint.ok_or(NO_LOG)?))
}

/// The receipt of a record: index, inclusion proof and checkpoint (C2SP tlog-proof). It verifies offline.
#[utoipa::path(get, path = "/v1/logs/{tenant}/receipts/{sequence}", tag = "proofs",
    params(("tenant" = String, Path, description = "the log's tenant"), ("sequence" = u64, Path, description = "the record's position")),
    responses((status = 200, content_type = "text/plain", body = String), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_receipt(
    State(app): State<App>,
    principal: Principal,
    Path((_, sequence)): Path<(String, String)>,
) -> Result<String, ApiError> {
    principal.require(Right::Prove)?;
    let sequence = sequence.parse().map_err(|_| NO_RECORD)?;
    app.ledger
        .inclusion(&principal.tenant, sequence)
        .await?
        .ok_or(NO_RECORD)
}

/// The key that checkpoints verify under (C2SP vkey). Whoever judges the log had better get it another way, too.
#[utoipa::path(get, path = "/v1/logs/{tenant}/vkey", tag = "proofs",
    params(("tenant" = String, Path, description = "the log's tenant")),
    responses((status = 200, content_type = "text/plain", body = String), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_verifier_key(
    State(app): State<App>,
    principal: Principal,
) -> Result<String, ApiError> {
    principal.require(Right::Prove)?;
    let key = app
        .ledger
        .verifier_key(&principal.tenant)
        .await?
        .ok_or(NO_LOG)?;
    Ok(format!("{key}\n"))
}
