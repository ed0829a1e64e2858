//! Decisions and pending approvals.

use crate::app::App;
use crate::auth::Principal;
use crate::error::{ApiError, Problem};
use crate::native::Checked;
use crate::native::page::{PageQuery, Row, Rows, positioned, time, words};
use axum::extract::{Path, State};
use axum::response::Response;
use probity_projections::Workspace;
use probity_projections::views::{DecisionFilter, DecisionStatus};
use probity_schemas::vocabulary::Verdict;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_decisions))
        .routes(routes!(get_decision))
        .routes(routes!(list_approvals))
}

/// Which decisions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DecisionQuery {
    /// How they stand: allow, warn, deny, pending, approved, denied, expired, consumed; several separated by commas.
    status: Option<String>,
    /// What was decided: allow, warn, require_approval, deny; several separated by commas.
    verdict: Option<String>,
    /// The tool or kind of action.
    action: Option<String>,
    /// The policy whose effect was taken.
    policy: Option<String>,
    /// The adapter that asked.
    adapter: Option<String>,
    /// The agent that asked.
    agent: Option<String>,
    /// The caller's id of the execution.
    execution: Option<String>,
    /// The workspace.
    workspace: Option<String>,
    /// Made not before this time (RFC 3339).
    since: Option<String>,
    /// Made before this time (RFC 3339).
    until: Option<String>,
    /// Made by a record before this sequence: the way through a long list.
    before: Option<u64>,
}

impl DecisionQuery {
    fn filter(self) -> Result<DecisionFilter, ApiError> {
        Ok(DecisionFilter {
            status: words("status", self.status.as_deref(), DecisionStatus::parse)?,
            verdict: words("verdict", self.verdict.as_deref(), Verdict::parse)?,
            action: self.action,
            policy: self.policy,
            adapter: self.adapter,
            agent: self.agent,
            execution: self.execution,
            workspace: self.workspace.map_or(Workspace::Any, Workspace::Named),
            since: time("since", self.since.as_deref())?,
            until: time("until", self.until.as_deref())?,
            before: self.before,
        })
    }
}

/// Decisions, newest first.
#[utoipa::path(get, path = "/v1/logs/{tenant}/decisions", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), PageQuery, DecisionQuery),
    responses((status = 200, body = Rows<Row>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list_decisions(
    State(app): State<App>,
    principal: Principal,
    Checked(page): Checked<PageQuery>,
    Checked(query): Checked<DecisionQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let filter = query.filter()?;
    Ok(page.answer(
        app.views
            .decisions()
            .list(&principal.tenant, &filter, &page.page())
            .await?,
    ))
}

/// One decision: facts, verdict, matched policies, risk, and what became of it.
#[utoipa::path(get, path = "/v1/logs/{tenant}/decisions/{id}", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), ("id" = String, Path, description = "the decision"), PageQuery),
    responses((status = 200, body = Row), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn get_decision(
    State(app): State<App>,
    principal: Principal,
    Path((_, id)): Path<(String, String)>,
    Checked(page): Checked<PageQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let (row, position) = app.views.decisions().get(&principal.tenant, &id).await?;
    let row = row.ok_or(ApiError::NotFound { what: "decision" })?;
    Ok(positioned(&row, &position))
}

/// Decisions that wait for a person, newest first.
#[utoipa::path(get, path = "/v1/logs/{tenant}/approvals", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), PageQuery),
    responses((status = 200, body = Rows<Row>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn list_approvals(
    State(app): State<App>,
    principal: Principal,
    Checked(page): Checked<PageQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let pending = DecisionFilter {
        status: vec![DecisionStatus::Pending],
        ..DecisionFilter::default()
    };
    Ok(page.answer(
        app.views
            .decisions()
            .list(&principal.tenant, &pending, &page.page())
            .await?,
    ))
}
