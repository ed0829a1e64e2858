//! How the witnessing of a log stands: what was cosigned last, by whom, and what went wrong.

use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::Json;
use axum::extract::State;
use probity_ledger::witness::{WitnessReport, WitnessingReport};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_witnesses))
}

/// How the witnessing of a log stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Witnessing {
    /// Records of the log.
    size: u64,
    /// `witnessed at size N by K`, `not witnessed since N`, or `not witnessed`.
    witnessed: String,
    /// Whether the newest cosigned checkpoint has the quorum of the policy.
    quorum: bool,
    /// Why nothing is signed any more, when a witness has evidence against this log.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    /// The witnesses of the policy; none when none is configured.
    witnesses: Vec<Witness>,
}

/// What is known of one witness since this server started.
#[derive(Serialize, ToSchema)]
pub(crate) struct Witness {
    /// Its name in the policy.
    name: String,
    /// Its key (C2SP vkey).
    key: String,
    /// Where it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The newest size that it cosigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// When, by its own clock, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    /// Why it did not cosign the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// How the witnessing of a log stands.
#[utoipa::path(get, path = "/v1/logs/{tenant}/witnesses", tag = "proofs",
    params(("tenant" = String, Path, description = "the log's tenant")),
    responses((status = 200, body = Witnessing), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_witnesses(
    State(app): State<App>,
    principal: Principal,
) -> Result<Json<Witnessing>, ApiError> {
    principal.require(Right::Prove)?;
    let report = app.ledger.witnessing(&principal.tenant).await?;
    let report = report.ok_or(ApiError::NotFound { what: "log" })?;
    Ok(Json(report.into()))
}

impl From<WitnessingReport> for Witnessing {
    fn from(report: WitnessingReport) -> Self {
        Self {
            size: report.size,
            witnessed: report.witnessed.to_string(),
            quorum: report.quorum,
            refusal: report.refusal,
            witnesses: report.witnesses.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<WitnessReport> for Witness {
    fn from(report: WitnessReport) -> Self {
        let (size, time) = report.cosigned.unzip();
        Self {
            name: report.name,
            key: report.key,
            url: report.url,
            size,
            time,
            failure: report.failure,
        }
    }
}
