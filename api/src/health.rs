//! Is it alive, is it ready, how is it doing: `/health`, `/ready`, `/metrics`.
//!
//! Health and readiness are open and name nobody. Metrics speak of the whole process, so they need a key of the
//! configured tenant (`--tenant`) with a role that reads views, on every interface, loopback too: behind a proxy
//! everybody comes from loopback.

use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::ApiError;
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes that belong to no tenant.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_health))
        .routes(routes!(get_ready))
        .routes(routes!(get_metrics))
}

/// Whether the process lives.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`: a process that does not live does not answer.
    status: &'static str,
    /// The program's version.
    version: &'static str,
}

/// Whether requests will be served.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Whether they will.
    ready: bool,
    /// Why not.
    reasons: Vec<String>,
}

/// Whether the process lives.
#[utoipa::path(get, path = "/health", tag = "process", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn get_health() -> Json<Health> {
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Whether requests will be served, and why not.
#[utoipa::path(get, path = "/ready", tag = "process", security(()), responses(
    (status = 200, body = Ready), (status = 503, description = "not yet, or not any more", body = Ready)))]
pub(crate) async fn get_ready(State(app): State<App>) -> (StatusCode, Json<Ready>) {
    let reasons = reasons(&app).await;
    let status = if reasons.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(Ready {
            ready: reasons.is_empty(),
            reasons,
        }),
    )
}

/// Measurements of the process in Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "process", responses(
    (status = 200, content_type = "text/plain", body = String),
    (status = 401, body = crate::error::Problem), (status = 403, body = crate::error::Problem)))]
pub(crate) async fn get_metrics(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let principal = Principal::from_headers(&app, &headers).await?;
    principal.require(Right::Views)?;
    if principal.tenant != app.config.tenant {
        return Err(ApiError::NotFound { what: "route" });
    }
    app.metrics.run_upkeep();
    Ok((
        [(CONTENT_TYPE, "text/plain; version=0.0.4")],
        app.metrics.render(),
    )
        .into_response())
}

/// Why requests would not be served: the store does not answer, or views stopped. No tenant is named here.
async fn reasons(app: &App) -> Vec<String> {
    let mut reasons = Vec::new();
    if app.stopping.is_cancelled() {
        reasons.push("the server is stopping".to_owned());
    }
    if let Err(error) = app.ledger.state(&app.config.tenant).await {
        tracing::warn!(
            error.chain = crate::output::chain(&error),
            "ready: the record store does not answer"
        );
        reasons.push("the record store does not answer".to_owned());
    }
    let stopped = app
        .views
        .lag()
        .into_iter()
        .filter(|lag| !lag.stopped.is_empty());
    reasons.extend(stopped.map(|lag| format!("the view {} stopped", lag.view)));
    reasons
}
