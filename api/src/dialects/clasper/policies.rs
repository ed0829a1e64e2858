//! Policies as operators manage them. Each change is a record; what is retired stays in the log.

mod conditions;
mod wire;

pub(crate) use conditions::operator_word;

use super::call::{self, Operator};
use super::case::iso;
use super::envelope::{ErrorBody, Failure};
use super::fields::{self, Faults, Fields, switch};
use super::intake::{Parameters, Payload};
use crate::app::App;
use crate::open::OPERATOR_ACTOR;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use probity_governance::command::Operation;
use probity_ledger::Receipt;
use probity_projections::views::{PolicyFilter, PolicyRow};
use probity_projections::{Entry, Page};
use probity_schemas::event::Event;
use probity_schemas::policy::Policy;
use probity_schemas::time::Time;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::PolicyBody;

/// Policies that one list shows.
const POLICIES_MAX: u32 = 1_000;

/// Routes of this group.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_policies, publish_policy))
        .routes(routes!(switch_policy, retire_policy))
}

/// A policy, and when it was published.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyRecord {
    #[serde(flatten)]
    policy: PolicyBody,
    tenant_id: String,
    workspace_id: Option<String>,
    environment: Option<String>,
    created_at: String,
    updated_at: String,
}

/// Policies, the highest precedence first.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyList {
    policies: Vec<PolicyRecord>,
}

/// One policy.
#[derive(Serialize, ToSchema)]
pub(crate) struct OnePolicy {
    policy: PolicyRecord,
}

/// What publishing a policy came to. It resolves nothing by itself: a pending decision is for a person.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublishedPolicy {
    policy: PolicyRecord,
    /// Always null.
    source_decision: Option<String>,
    /// Always empty.
    resolved_decision_ids: Vec<String>,
    /// Always 0.
    resolved_decision_count: u32,
}

/// Whether a policy is to be in force.
#[derive(ToSchema)]
pub(crate) struct PolicySwitch {
    /// Whether it is to be in force.
    enabled: bool,
    /// The tenant, if stated.
    tenant_id: Option<String>,
}

/// What became of a policy that was deleted.
#[derive(Serialize, ToSchema)]
pub(crate) struct RetiredPolicy {
    /// deleted.
    status: &'static str,
}

impl PolicySwitch {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let switch = Self {
            enabled: fields.required("enabled", fields::flag),
            tenant_id: fields.optional("tenant_id", fields::text),
        };
        fields.close(switch)
    }
}

impl PolicyRecord {
    fn of_row(row: &PolicyRow, tenant: &str) -> Result<Self, Failure> {
        let policy = row.policy.get().map_err(|fault| Failure::corrupt(&fault))?;
        Ok(Self::of(&policy, tenant, row.created, row.updated))
    }

    fn of(policy: &Policy, tenant: &str, created: Time, updated: Time) -> Self {
        Self {
            policy: wire::write(policy, tenant),
            tenant_id: tenant.to_owned(),
            workspace_id: policy.scope.workspace.clone(),
            environment: policy.scope.environment.clone(),
            created_at: iso(created),
            updated_at: iso(updated),
        }
    }
}

/// Policies in force, and those switched off.
#[utoipa::path(get, path = "/ops/api/policies", tag = "operators", security(("operator" = [])),
    params(("enabled" = Option<bool>, Query), ("environment" = Option<String>, Query), ("tenant_id" = Option<String>, Query),
        ("workspace_id" = Option<String>, Query)),
    responses((status = 200, body = PolicyList), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)))]
async fn list_policies(
    State(app): State<App>,
    _: Operator,
    parameters: Parameters,
) -> Result<Json<PolicyList>, Failure> {
    let place = call::place(&app);
    parameters.within(place)?;
    let filter = filter(&parameters)?;
    app.settle(&app.config.tenant).await?;
    let (rows, _) = app
        .views
        .policies()
        .list(&app.config.tenant, &filter, &Page::first(POLICIES_MAX))
        .await?;
    let policies = rows
        .iter()
        .map(|row| PolicyRecord::of_row(row, place.tenant))
        .collect::<Result<_, _>>()?;
    Ok(Json(PolicyList { policies }))
}

fn filter(parameters: &Parameters) -> Result<PolicyFilter, Failure> {
    let mut query = parameters.fields();
    let filter = PolicyFilter {
        enabled: query.optional("enabled", switch),
        environment: query.optional("environment", fields::text),
        ..PolicyFilter::default()
    };
    query.close(filter).map_err(|faults| Failure::Invalid {
        what: "Invalid query parameters",
        faults,
    })
}

/// Publishes a policy, or takes the place of the one of its name.
#[utoipa::path(post, path = "/ops/api/policies", tag = "operators", security(("operator" = [])), request_body = PolicyBody,
    responses((status = 200, body = PublishedPolicy), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn publish_policy(
    State(app): State<App>,
    _: Operator,
    payload: Payload,
) -> Result<Json<PublishedPolicy>, Failure> {
    let place = call::place(&app);
    let policy = publish(
        &app,
        wire::read(payload.fields()?, place.tenant, place.workspace)?,
    )
    .await?;
    let (source_decision, resolved_decision_ids) = (None, Vec::new());
    Ok(Json(PublishedPolicy {
        policy,
        source_decision,
        resolved_decision_ids,
        resolved_decision_count: 0,
    }))
}

/// Switches a policy on or off.
#[utoipa::path(patch, path = "/ops/api/policies/{policy_id}", tag = "operators", security(("operator" = [])), params(("policy_id" = String, Path)),
    request_body = PolicySwitch,
    responses((status = 200, body = OnePolicy), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn switch_policy(
    State(app): State<App>,
    _: Operator,
    Path(policy_id): Path<String>,
    payload: Payload,
) -> Result<Json<OnePolicy>, Failure> {
    let switch = PolicySwitch::read(payload.fields()?)?;
    call::place(&app).is_of(switch.tenant_id.as_deref())?;
    let directory = call::directory(&app).await?;
    let in_force = directory
        .policy(&policy_id)
        .ok_or_else(not_found)?
        .policy
        .clone();
    let policy = publish(
        &app,
        Policy {
            enabled: switch.enabled,
            ..in_force
        },
    )
    .await?;
    Ok(Json(OnePolicy { policy }))
}

/// Retires a policy.
#[utoipa::path(delete, path = "/ops/api/policies/{policy_id}", tag = "operators", security(("operator" = [])), params(("policy_id" = String, Path)),
    request_body = Object,
    responses((status = 200, body = RetiredPolicy), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn retire_policy(
    State(app): State<App>,
    _: Operator,
    Path(policy_id): Path<String>,
    payload: Payload,
) -> Result<Json<RetiredPolicy>, Failure> {
    let mut fields = payload.fields()?;
    let tenant = fields.optional("tenant_id", fields::text);
    fields.close(())?;
    call::place(&app).is_of(tenant.as_deref())?;
    call::submit(&app, OPERATOR_ACTOR, Operation::RetirePolicy(policy_id)).await?;
    Ok(Json(RetiredPolicy { status: "deleted" }))
}

async fn publish(app: &App, policy: Policy) -> Result<PolicyRecord, Failure> {
    let receipt = call::submit(
        app,
        OPERATOR_ACTOR,
        Operation::PublishPolicy(Box::new(policy)),
    )
    .await?;
    let entry = published(&receipt)?;
    let created = call::first(app, &entry).await?;
    match &entry.event {
        Event::PolicyPublished(published) => Ok(PolicyRecord::of(
            &published.policy,
            app.config.tenant.as_str(),
            created,
            entry.time,
        )),
        _ => Err(Failure::unanswerable()),
    }
}

fn published(receipt: &Receipt) -> Result<Entry, Failure> {
    call::entries(receipt)?
        .pop()
        .ok_or_else(Failure::unanswerable)
}

fn not_found() -> Failure {
    Failure::said(StatusCode::NOT_FOUND, "Policy not found")
}
