//! What was reported: traces, the audit trail, spending.

use crate::app::App;
use crate::auth::Principal;
use crate::error::{ApiError, Problem};
use crate::native::Checked;
use crate::native::page::{PageQuery, Row, Rows, positioned, time};
use axum::extract::State;
use axum::response::Response;
use probity_projections::Workspace;
use probity_projections::views::{AuditFilter, SpendFilter, SpendRow, SpendTotals, TraceFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_traces))
        .routes(routes!(list_audit))
        .routes(routes!(list_spend))
}

/// Which traces.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TraceQuery {
    /// The reporter's id of the trace.
    trace: Option<String>,
    /// The execution.
    execution: Option<String>,
    /// The decision.
    decision: Option<String>,
    /// The adapter that reported.
    adapter: Option<String>,
    /// The agent's role.
    agent_role: Option<String>,
    /// The workspace.
    workspace: Option<String>,
    /// Recorded not before this time (RFC 3339).
    since: Option<String>,
    /// Recorded before this time (RFC 3339).
    until: Option<String>,
    /// Recorded before this sequence: the way through a long list.
    before: Option<u64>,
}

/// Which part of the audit trail.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// The records' types, e.g. `decision.made.v1`; several separated by commas.
    event: Option<String>,
    /// The reporter's own name of the event.
    label: Option<String>,
    /// Who caused it.
    actor: Option<String>,
    /// The stream.
    subject: Option<String>,
    /// The execution.
    execution: Option<String>,
    /// The trace.
    trace: Option<String>,
    /// The workspace.
    workspace: Option<String>,
    /// Recorded not before this time (RFC 3339).
    since: Option<String>,
    /// Recorded before this time (RFC 3339).
    until: Option<String>,
    /// Recorded before this sequence: the way through a long list.
    before: Option<u64>,
}

/// Which spending.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SpendQuery {
    /// Reported by this adapter.
    adapter: Option<String>,
    /// Spent on this model.
    model: Option<String>,
    /// Not before this day, `YYYY-MM-DD`.
    since: Option<String>,
    /// Before this day.
    until: Option<String>,
}

/// Spending: part of the days, and the sum of all of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Spending {
    /// By day, adapter and model, newest day first.
    #[schema(value_type = Vec<Row>)]
    items: Vec<SpendRow>,
    /// The sum of everything asked for, all pages together.
    #[schema(value_type = Row)]
    totals: SpendTotals,
}

/// Traces of executions, newest first.
#[utoipa::path(get, path = "/v1/logs/{tenant}/traces", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), PageQuery, TraceQuery),
    responses((status = 200, body = Rows<Row>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list_traces(
    State(app): State<App>,
    principal: Principal,
    Checked(page): Checked<PageQuery>,
    Checked(query): Checked<TraceQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let filter = query.filter()?;
    Ok(page.answer(
        app.views
            .traces()
            .list(&principal.tenant, &filter, &page.page())
            .await?,
    ))
}

/// The audit trail, newest first: every record but traces, costs, metrics and observations.
#[utoipa::path(get, path = "/v1/logs/{tenant}/audit", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), PageQuery, AuditQuery),
    responses((status = 200, body = Rows<Row>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list_audit(
    State(app): State<App>,
    principal: Principal,
    Checked(page): Checked<PageQuery>,
    Checked(query): Checked<AuditQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let filter = query.filter()?;
    Ok(page.answer(
        app.views
            .audit()
            .list(&principal.tenant, &filter, &page.page())
            .await?,
    ))
}

/// Tokens and micro-USD by day, adapter and model, and their sum.
#[utoipa::path(get, path = "/v1/logs/{tenant}/spend", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), PageQuery, SpendQuery),
    responses((status = 200, body = Spending), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn list_spend(
    State(app): State<App>,
    principal: Principal,
    Checked(page): Checked<PageQuery>,
    Checked(query): Checked<SpendQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let filter = query.filter();
    let (items, position) = app
        .views
        .spend()
        .list(&principal.tenant, &filter, &page.page())
        .await?;
    let (totals, _) = app.views.spend().totals(&principal.tenant, &filter).await?;
    Ok(positioned(&Spending { items, totals }, &position))
}

impl TraceQuery {
    fn filter(self) -> Result<TraceFilter, ApiError> {
        Ok(TraceFilter {
            trace: self.trace,
            execution: self.execution,
            decision: self.decision,
            adapter: self.adapter,
            agent_role: self.agent_role,
            workspace: self.workspace.map_or(Workspace::Any, Workspace::Named),
            since: time("since", self.since.as_deref())?,
            until: time("until", self.until.as_deref())?,
            before: self.before,
        })
    }
}

impl AuditQuery {
    fn filter(self) -> Result<AuditFilter, ApiError> {
        Ok(AuditFilter {
            event: self
                .event
                .iter()
                .flat_map(|text| text.split(','))
                .map(|event| event.trim().to_owned())
                .collect(),
            label: self.label,
            actor: self.actor,
            subject: self.subject,
            execution: self.execution,
            trace: self.trace,
            workspace: self.workspace.map_or(Workspace::Any, Workspace::Named),
            since: time("since", self.since.as_deref())?,
            until: time("until", self.until.as_deref())?,
            before: self.before,
        })
    }
}

impl SpendQuery {
    fn filter(self) -> SpendFilter {
        SpendFilter {
            adapter: self.adapter,
            model: self.model,
            since: self.since,
            until: self.until,
        }
    }
}
