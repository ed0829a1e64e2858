//! Asking for a decision, waiting for one, and asking what would be decided.

mod context;
mod reply;
pub(crate) mod request;
mod trace;

use super::call;
use super::case::{Case, Status};
use super::credentials::Adapter;
use super::decisions::verdict;
use super::envelope::{ErrorBody, Failure, Written};
use super::intake::Payload;
use crate::app::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use probity_governance::command::{Moment, Operation, Reply, Standing};
use probity_governance::engine::{self, Beside};
use probity_governance::state::State as Rules;
use probity_ledger::Receipt;
use probity_ledger::receipt::Told;
use probity_schemas::event::Event;
use probity_schemas::event::decision::Request;
use probity_schemas::hash::Hash;
use reply::ExecutionReply;
use request::{Ask, ExecutionRequest};
use serde::Serialize;
use std::sync::Arc;
use trace::{Trace, TraceItem};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// Routes of this group.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(request_execution))
        .routes(routes!(show_execution))
        .routes(routes!(evaluate_policies))
}

/// How an execution stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionEffect {
    execution_id: String,
    /// allow, deny or pending.
    effect: &'static str,
    decision_id: String,
    approval_type: &'static str,
}

/// What would be decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evaluation<'a> {
    /// allow, deny or require_approval.
    decision: &'static str,
    matched_policies: Vec<&'a str>,
    #[schema(value_type = Vec<TraceItem<'static>>)]
    decision_trace: Trace<'a>,
    explanation: &'a str,
    policy_bundle_hash: String,
}

/// Asks for a decision. Every verdict is a 200; the same request under the same execution is the same decision.
#[utoipa::path(post, path = "/api/execution/request", tag = "execution", security(("adapter" = [])), request_body = ExecutionRequest,
    responses((status = 200, body = ExecutionReply<'static>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 413, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn request_execution(
    State(app): State<App>,
    adapter: Adapter,
    payload: Payload,
) -> Result<Written, Failure> {
    let request = ExecutionRequest::read(payload.fields()?)?;
    if !request.is_of(&adapter) {
        return Err(Failure::scope());
    }
    let operation = Operation::RequestDecision(request.translate(&adapter).into());
    let receipt = call::submit(&app, &adapter.actor, operation).await?;
    answer(&app, &receipt).await
}

/// How an execution stands; looking uses nothing up.
#[utoipa::path(get, path = "/api/execution/{execution_id}", tag = "execution", security(("adapter" = [])), params(("execution_id" = String, Path)),
    responses((status = 200, body = ExecutionEffect), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
async fn show_execution(
    State(app): State<App>,
    adapter: Adapter,
    Path(execution_id): Path<String>,
) -> Result<Json<ExecutionEffect>, Failure> {
    let found = call::case_of_execution(&app, &adapter, &execution_id).await?;
    let nothing = || {
        Failure::said(
            StatusCode::NOT_FOUND,
            "No decision found for this execution_id",
        )
    };
    let row = found.ok_or_else(nothing)?.row;
    let effect = Status::of(&row, call::now()).effect();
    Ok(Json(ExecutionEffect {
        execution_id,
        effect,
        decision_id: row.id,
        approval_type: "local",
    }))
}

/// Says what would be decided on such a request now, by the same translation and the same rules. Nothing is recorded.
#[utoipa::path(post, path = "/api/policy/evaluate", tag = "execution", security(("adapter" = [])), request_body = Ask,
    responses((status = 200, body = Evaluation<'static>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
async fn evaluate_policies(
    State(app): State<App>,
    adapter: Adapter,
    payload: Payload,
) -> Result<Written, Failure> {
    let mut fields = payload.fields()?;
    let ask = Ask::read(&mut fields);
    let request = fields.close(ask)?.translate(&adapter);
    let mut rules = Rules::default();
    if let Some(state) = app.ledger.state(&app.config.tenant).await? {
        rules.directory = state.directory.clone();
        rules.budget = state.budget.clone();
    }
    evaluate(&rules, &adapter, &request)
}

fn evaluate(rules: &Rules, adapter: &Adapter, request: &Request) -> Result<Written, Failure> {
    let moment = Moment {
        time: call::now(),
        id: Uuid::now_v7(),
        salt: Hash::EMPTY,
    };
    let facts = engine::gather(rules, &adapter.actor, None, request, &moment);
    let outcome = engine::decide(&rules.directory.policy_set(), &facts, Beside::Nothing);
    let matched = outcome.matched.iter().map(|policy| policy.id.as_str());
    Written::of(&Evaluation {
        decision: verdict(outcome.verdict),
        matched_policies: matched.collect(),
        decision_trace: Trace::Weighed(&facts, &outcome.withheld, &rules.directory),
        explanation: &outcome.explanation,
        policy_bundle_hash: outcome.policyset.to_hex(),
    })
}

/// The answer to a request, from the records it made or the case it stands under.
async fn answer(app: &App, receipt: &Receipt) -> Result<Written, Failure> {
    let directory = call::directory(app).await?;
    match receipt.reply {
        Reply::Standing {
            decision,
            standing: Standing::Denied,
        } => Written::of(&reply::refused(&known(app, decision).await?.row)),
        Reply::Standing { decision, .. } => {
            let case = known(app, decision).await?;
            Written::of(&reply::decided(&case.row.id, &case.made, &directory)?)
        }
        Reply::Resumed { decision } => {
            Written::of(&reply::resumed(&known(app, decision).await?.row)?)
        }
        _ => {
            let told = made(receipt)?;
            match &told.event {
                Event::DecisionMade(made) => {
                    Written::of(&reply::decided(told.subject.id(), made, &directory)?)
                }
                _ => Err(Failure::unanswerable()),
            }
        }
    }
}

async fn known(app: &App, decision: Uuid) -> Result<Case, Failure> {
    call::case(app, decision)
        .await?
        .ok_or_else(Failure::unanswerable)
}

/// The decision that a receipt holds; what ran out before it stands in front of it.
fn made(receipt: &Receipt) -> Result<Arc<Told>, Failure> {
    for record in receipt.records.iter().rev() {
        let told = record.told().map_err(|fault| Failure::corrupt(&fault))?;
        if matches!(told.event, Event::DecisionMade(_)) {
            return Ok(told);
        }
    }
    Err(Failure::unanswerable())
}
