//! What is in force: adapters and policies.

use crate::app::App;
use crate::auth::Principal;
use crate::error::{ApiError, Problem};
use crate::native::Checked;
use crate::native::page::{PageQuery, Row, Rows, word};
use axum::extract::State;
use axum::response::Response;
use probity_projections::Workspace;
use probity_projections::views::{AdapterFilter, PolicyFilter};
use probity_schemas::vocabulary::Effect;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_adapters))
        .routes(routes!(list_policies))
}

/// Which adapters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AdapterQuery {
    /// Switched on, or off.
    enabled: Option<bool>,
}

/// Which policies.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PolicyQuery {
    /// Switched on, or off.
    enabled: Option<bool>,
    /// What they ask for: allow, require_approval, deny.
    effect: Option<String>,
    /// Those that hold in this workspace only.
    workspace: Option<String>,
    /// Those that hold in this environment only.
    environment: Option<String>,
}

/// Registered adapters, by id.
#[utoipa::path(get, path = "/v1/logs/{tenant}/adapters", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), PageQuery, AdapterQuery),
    responses((status = 200, body = Rows<Row>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn list_adapters(
    State(app): State<App>,
    principal: Principal,
    Checked(page): Checked<PageQuery>,
    Checked(query): Checked<AdapterQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let filter = AdapterFilter {
        enabled: query.enabled,
    };
    Ok(page.answer(
        app.views
            .adapters()
            .list(&principal.tenant, &filter, &page.page())
            .await?,
    ))
}

/// Policies in force, strongest first.
#[utoipa::path(get, path = "/v1/logs/{tenant}/policies", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), PageQuery, PolicyQuery),
    responses((status = 200, body = Rows<Row>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list_policies(
    State(app): State<App>,
    principal: Principal,
    Checked(page): Checked<PageQuery>,
    Checked(query): Checked<PolicyQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let filter = PolicyFilter {
        enabled: query.enabled,
        effect: word("effect", query.effect.as_deref(), Effect::parse)?,
        workspace: query.workspace.map_or(Workspace::Any, Workspace::Named),
        environment: query.environment,
    };
    Ok(page.answer(
        app.views
            .policies()
            .list(&principal.tenant, &filter, &page.page())
            .await?,
    ))
}
