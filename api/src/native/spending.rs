//! The budget: what the tenant may spend in a period.

use super::credentials::Recorded;
use super::{Input, idempotency, submit};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use probity_governance::command::Operation;
use probity_governance::state::Budget;
use probity_schemas::event::registry::BudgetSet;
use probity_schemas::time::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_budget, set_budget))
}

/// What the tenant may spend in a period.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetInput {
    /// Micro-USD.
    micros: u64,
    /// Whether it refuses (the default) or only warns.
    #[serde(default = "yes")]
    hard: bool,
    /// The share, in thousandths, at which a warning is recorded.
    #[serde(default = "alert_default")]
    alert_milli: u32,
    /// The first moment of the period, RFC 3339.
    period_start: String,
    /// The first moment after the period, RFC 3339.
    period_end: String,
}

fn yes() -> bool {
    true
}

fn alert_default() -> u32 {
    800
}

/// The budget and its use.
#[derive(Serialize, ToSchema)]
pub(crate) struct BudgetView {
    /// Micro-USD.
    micros: u64,
    /// Spent in the period, micro-USD.
    spent_micros: u64,
    /// Left of it, micro-USD.
    remaining_micros: u64,
    /// Whether it refuses or only warns.
    hard: bool,
    /// The share, in thousandths, at which a warning is recorded.
    alert_milli: u32,
    /// The first moment of the period.
    period_start: String,
    /// The first moment after the period.
    period_end: String,
}

impl From<&Budget> for BudgetView {
    fn from(budget: &Budget) -> Self {
        Self {
            micros: budget.micros,
            spent_micros: budget.spent_micros,
            remaining_micros: budget.micros.saturating_sub(budget.spent_micros),
            hard: budget.hard,
            alert_milli: budget.alert_milli,
            period_start: budget.period_start.to_string(),
            period_end: budget.period_end.to_string(),
        }
    }
}

impl BudgetInput {
    fn into_event(self) -> Result<BudgetSet, ApiError> {
        let time = |name: &str, text: &str| {
            Time::parse_rfc3339(text).map_err(|_| ApiError::Invalid {
                detail: format!("{name}: expected an RFC 3339 time"),
            })
        };
        Ok(BudgetSet {
            alert_milli: self.alert_milli,
            hard: self.hard,
            micros: self.micros,
            period_start: time("period_start", &self.period_start)?,
            period_end: time("period_end", &self.period_end)?,
        })
    }
}

/// The budget in force and what is spent of it: the very state that the next decision reads, not a view.
#[utoipa::path(get, path = "/v1/logs/{tenant}/budget", tag = "budget",
    params(("tenant" = String, Path, description = "the log's tenant")),
    responses((status = 200, body = BudgetView), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_budget(
    State(app): State<App>,
    principal: Principal,
) -> Result<Json<BudgetView>, ApiError> {
    principal.require(Right::Views)?;
    let state = app.ledger.state(&principal.tenant).await?;
    let budget = state.as_ref().and_then(|state| state.budget.as_ref());
    budget
        .map(|budget| Json(BudgetView::from(budget)))
        .ok_or(ApiError::NotFound { what: "budget" })
}

/// Sets the budget. Setting it again for a period that begins at the same moment keeps what was spent.
#[utoipa::path(put, path = "/v1/logs/{tenant}/budget", tag = "budget",
    params(("tenant" = String, Path, description = "the log's tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "a retry with the same key and body is answered the same")),
    request_body = BudgetInput,
    responses((status = 200, body = Recorded), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn set_budget(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    Input { value, bytes }: Input<BudgetInput>,
) -> Result<Json<Recorded>, ApiError> {
    principal.require(Right::Budget)?;
    let key = idempotency(&headers, &bytes)?;
    let receipt = submit(
        &app,
        &principal,
        Operation::SetBudget(value.into_event()?),
        key,
    )
    .await?;
    Ok(Json(Recorded {
        sequence: receipt.last(),
    }))
}
