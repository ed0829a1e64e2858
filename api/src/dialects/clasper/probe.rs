//! A token for operators who test their installation: short-lived, for one adapter, good for the probe tool only.

use super::call::{self, Operator};
use super::credentials::probe_token;
use super::envelope::{ErrorBody, Failure};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(mint_probe_token))
}

/// A token.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProbeToken {
    token: String,
}

/// Mints a token by which an operator asks as an adapter would, for the probe tool, for five minutes.
#[utoipa::path(get, path = "/ops/api/adapter-probe-token", tag = "operators", security(("operator" = [])),
    responses((status = 200, body = ProbeToken), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 500, body = ErrorBody)))]
async fn mint_probe_token(
    State(app): State<App>,
    _: Operator,
) -> Result<Json<ProbeToken>, Failure> {
    let token = probe_token(call::place(&app), call::now().micros() / 1_000_000)?;
    Ok(Json(ProbeToken { token }))
}
