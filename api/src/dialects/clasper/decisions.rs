//! Decisions as those see them who wait for them: the adapter that asked.

mod query;
mod wire;

pub(crate) use wire::verdict;

use super::call;
use super::case::Case;
use super::credentials::Adapter;
use super::envelope::{ErrorBody, Failure};
use super::intake::Parameters;
use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use probity_governance::posture::{PostureStatus, posture};
use probity_projections::Page;
use probity_projections::views::DecisionRow;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use wire::{DecisionStanding, DecisionSummary, Explanation};

pub(super) mod approvals;

/// Routes of this group.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_decision))
        .routes(routes!(list_adapter_decisions))
        .routes(routes!(show_adapter_decision))
        .routes(routes!(explain_adapter_decision))
}

/// Decisions of an adapter, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct DecisionPage {
    decisions: Vec<DecisionSummary>,
    limit: u32,
    offset: u32,
}

/// One decision of an adapter.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneDecision {
    decision: DecisionSummary,
}

/// How a decision of this adapter stands.
#[utoipa::path(get, path = "/api/decisions/{decision_id}", tag = "decisions", security(("adapter" = [])), params(("decision_id" = String, Path)),
    responses((status = 200, body = DecisionStanding), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn show_decision(
    State(app): State<App>,
    adapter: Adapter,
    Path(decision_id): Path<String>,
) -> Result<Json<DecisionStanding>, Failure> {
    let row = own(&app, &adapter, &decision_id).await?;
    wire::standing(&row, call::now()).map(Json)
}

/// Decisions of this adapter.
#[utoipa::path(get, path = "/api/adapter/decisions", tag = "decisions", security(("adapter" = [])),
    params(("status" = Option<String>, Query, description = "pending, approved, denied, expired, allow or deny"),
        ("decision" = Option<String>, Query, description = "allow, deny, require_approval or pending"),
        ("tool" = Option<String>, Query), ("policy" = Option<String>, Query),
        ("since" = Option<String>, Query, description = "15m, 2h, 7d, or a date"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500), ("offset" = Option<u32>, Query)),
    responses((status = 200, body = DecisionPage), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
async fn list_adapter_decisions(
    State(app): State<App>,
    adapter: Adapter,
    parameters: Parameters,
) -> Result<Json<DecisionPage>, Failure> {
    let now = call::now();
    let (filter, page) = query::of_adapter(parameters.fields(), &adapter.id, now)?;
    app.settle(&app.config.tenant).await?;
    let (rows, _) = app
        .views
        .decisions()
        .list(&app.config.tenant, &filter, &page)
        .await?;
    let status = status_now(&app, &adapter).await?;
    let decisions = rows
        .iter()
        .map(|row| wire::summary(row, status, now))
        .collect();
    let Page { limit, offset } = page;
    Ok(Json(DecisionPage {
        decisions,
        limit,
        offset,
    }))
}

/// One decision of this adapter.
#[utoipa::path(get, path = "/api/adapter/decisions/{decision_id}", tag = "decisions", security(("adapter" = [])), params(("decision_id" = String, Path)),
    responses((status = 200, body = OneDecision), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn show_adapter_decision(
    State(app): State<App>,
    adapter: Adapter,
    Path(decision_id): Path<String>,
) -> Result<Json<OneDecision>, Failure> {
    let row = own(&app, &adapter, &decision_id).await?;
    let decision = wire::summary(&row, status_now(&app, &adapter).await?, call::now());
    Ok(Json(OneDecision { decision }))
}

/// Why a decision of this adapter is what it is.
#[utoipa::path(get, path = "/api/adapter/decisions/{decision_id}/explain", tag = "decisions", security(("adapter" = [])),
    params(("decision_id" = String, Path)),
    responses((status = 200, body = Explanation), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn explain_adapter_decision(
    State(app): State<App>,
    adapter: Adapter,
    Path(decision_id): Path<String>,
) -> Result<Json<Explanation>, Failure> {
    wire::explanation(&own(&app, &adapter, &decision_id).await?).map(Json)
}

/// A decision that this adapter asked for.
async fn own(app: &App, adapter: &Adapter, decision: &str) -> Result<DecisionRow, Failure> {
    let row = known(app, decision).await?.row;
    let own = row.actor == adapter.actor && row.workspace.is_none();
    if own {
        Ok(row)
    } else {
        Err(Failure::said(
            StatusCode::FORBIDDEN,
            "Decision scope mismatch",
        ))
    }
}

/// A decision, from its records.
async fn known(app: &App, decision: &str) -> Result<Case, Failure> {
    let nothing = || Failure::said(StatusCode::NOT_FOUND, "Decision not found");
    let id = Uuid::try_parse(decision).map_err(|_| nothing())?;
    call::case(app, id).await?.ok_or_else(nothing)
}

async fn status_now(app: &App, adapter: &Adapter) -> Result<PostureStatus, Failure> {
    Ok(posture(&*call::directory(app).await?, &adapter.id, None).status)
}
