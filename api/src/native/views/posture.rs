//! Posture: how far the policies in force govern what each adapter can do.

use crate::app::App;
use crate::auth::Principal;
use crate::error::{ApiError, Problem};
use crate::native::Checked;
use crate::native::page::{PageQuery, positioned};
use axum::extract::State;
use axum::response::Response;
use probity_governance::posture::Posture;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_posture))
}

/// Where posture is looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PostureQuery {
    /// The workspace; the tenant's default one when absent.
    workspace: Option<String>,
}

/// How far an adapter is governed.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdapterPosture {
    /// The adapter.
    adapter: String,
    /// The mode in force: permissive, guarded or strict.
    mode: &'static str,
    /// What mode and fallback come to: enforced, degraded or disabled.
    status: &'static str,
    /// Whether a fallback policy is published.
    fallback_present: bool,
    /// Whether one is switched on.
    fallback_enabled: bool,
    /// Policies that are switched on and hold in the workspace.
    policy_count: usize,
    /// The adapter's tools that some policy speaks of.
    covered: Vec<String>,
    /// The adapter's other tools.
    uncovered: Vec<String>,
}

/// The posture of every registered adapter.
#[derive(Serialize, ToSchema)]
pub(crate) struct Postures {
    /// By adapter.
    items: Vec<AdapterPosture>,
}

impl AdapterPosture {
    fn of((adapter, posture): (String, Posture)) -> Self {
        Self {
            adapter,
            mode: posture.mode.as_str(),
            status: posture.status.as_str(),
            fallback_present: posture.fallback_present,
            fallback_enabled: posture.fallback_enabled,
            policy_count: posture.policy_count,
            covered: posture.covered,
            uncovered: posture.uncovered,
        }
    }
}

/// The posture of every registered adapter.
#[utoipa::path(get, path = "/v1/logs/{tenant}/posture", tag = "views",
    params(("tenant" = String, Path, description = "the log's tenant"), PageQuery, PostureQuery),
    responses((status = 200, body = Postures), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn list_posture(
    State(app): State<App>,
    principal: Principal,
    Checked(page): Checked<PageQuery>,
    Checked(query): Checked<PostureQuery>,
) -> Result<Response, ApiError> {
    page.admit(&app, &principal).await?;
    let (postures, position) = app
        .views
        .posture()
        .all(&principal.tenant, query.workspace.as_deref())
        .await?;
    let items = postures.into_iter().map(AdapterPosture::of).collect();
    Ok(positioned(&Postures { items }, &position))
}
