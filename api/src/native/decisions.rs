//! Asking for a decision. Every verdict is an answer; the same request under the same execution is the same decision.
//!
//! Values about persons are decided on in memory and stand in the record as digests alone.

use super::observations::PersonalValue;
use super::{Input, idempotency, submit};
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use probity_governance::command::{DecisionRequest, Operation, Personal, Reply, Standing};
use probity_ledger::Receipt;
use probity_ledger::receipt::Committed;
use probity_schemas::body::Body;
use probity_schemas::event::Event;
use probity_schemas::event::decision::{DecisionMade, Request};
use probity_schemas::vocabulary::{RiskClass, Sensitivity, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(request_decision))
}

/// A request for a decision. What is not stated is not known to the rules.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDecision {
    /// What is to be done: the tool, or the kind of action.
    #[schema(example = "send_email")]
    action: String,
    /// The adapter that asks.
    adapter: Option<String>,
    /// The agent's id.
    agent: Option<String>,
    /// The agent's role.
    agent_role: Option<String>,
    /// Capabilities asked for.
    #[serde(default)]
    capabilities: Vec<String>,
    /// What the act touches: an object.
    #[schema(value_type = Option<Object>)]
    context: Option<Box<RawValue>>,
    /// Estimated cost, micro-USD.
    cost_micros: Option<u64>,
    /// The most it may cost, micro-USD.
    cost_micros_max: Option<u64>,
    /// The environment.
    environment: Option<String>,
    /// The caller's id of the execution; one is made when absent.
    execution: Option<String>,
    /// The caller's own risk flags.
    #[serde(default)]
    flags: Vec<String>,
    /// What it is for.
    intent: Option<String>,
    /// Anything else about the agent: an object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Box<RawValue>>,
    /// Values in `context` and `metadata` about persons: they stand in the record as digests alone, and can be erased. Pointers begin
    /// with `/context/` or `/metadata/`.
    #[serde(default)]
    personal: Vec<PersonalValue>,
    /// On whose behalf, by the caller's word.
    requester: Option<String>,
    /// What it is done to.
    resource: Option<String>,
    /// low, medium, high or critical; it can raise the registered class, never lower it.
    #[schema(value_type = Option<String>)]
    risk_class: Option<RiskClass>,
    /// none, low, medium, high or pii.
    #[schema(value_type = Option<String>)]
    sensitivity: Option<Sensitivity>,
    /// Steps at most.
    steps_max: Option<u32>,
    /// How many tools may be used.
    #[serde(default)]
    tool_count: u32,
    /// The group the tool belongs to.
    tool_group: Option<String>,
    /// The tools that may be used.
    #[serde(default)]
    tools: Vec<String>,
}

/// A decision, as it stands after the request.
#[derive(Serialize, ToSchema)]
pub(crate) struct Decision {
    /// Its id.
    decision: String,
    /// `allowed`, `refused`, `pending` (a person must approve), `denied` (a person refused), or `consumed`: a person approved, and this
    /// request uses the grant.
    standing: &'static str,
    /// The verdict of the rules; absent where an earlier decision answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// Why it is not a plain allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// The execution it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<String>,
    /// After this time nobody can approve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// The last record that the request made; absent where it made none.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    replayed: bool,
}

/// Asks for a decision, and records it. A refusal is an answer, not an error.
#[utoipa::path(post, path = "/v1/logs/{tenant}/decisions", tag = "decisions",
    params(("tenant" = String, Path, description = "the log's tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "a retry with the same key and body is answered the same")),
    request_body = NewDecision,
    responses((status = 201, body = Decision, description = "decided, or resumed by a grant"), (status = 200, body = Decision, description = "an earlier decision stands"),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn request_decision(
    State(app): State<App>,
    principal: Principal,
    headers: HeaderMap,
    Input { value, bytes }: Input<NewDecision>,
) -> Result<(StatusCode, Json<Decision>), ApiError> {
    principal.require(Right::Append)?;
    let key = idempotency(&headers, &bytes)?;
    let asked = Operation::RequestDecision(Box::new(value.translate()?));
    let receipt = submit(&app, &principal, asked, key).await?;
    let status = match receipt.records.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    Ok((status, Json(answer(&receipt)?)))
}

fn answer(receipt: &Receipt) -> Result<Decision, ApiError> {
    let standing = |decision: Uuid, standing: Standing| Decision {
        decision: decision.to_string(),
        standing: standing.as_str(),
        verdict: None,
        reason: None,
        explanation: None,
        execution: None,
        expires: None,
        sequence: receipt.records.last().map(|record| record.sequence),
        replayed: receipt.replayed,
    };
    match receipt.reply {
        Reply::Standing {
            decision,
            standing: how,
        } => Ok(standing(decision, how)),
        Reply::Resumed { decision } => Ok(standing(decision, Standing::Consumed)),
        _ => {
            let committed = receipt.records.last().ok_or(ApiError::Panicked)?;
            let (decision, made) = made(committed)?;
            Ok(Decision {
                verdict: Some(made.verdict.as_str()),
                reason: made.reason.map(|reason| reason.as_str()),
                explanation: Some(made.explanation),
                execution: made.facts.request.execution,
                expires: made.approval.map(|approval| approval.expires.to_string()),
                ..standing(decision, stands(made.verdict))
            })
        }
    }
}

fn made(committed: &Committed) -> Result<(Uuid, DecisionMade), ApiError> {
    let record = committed.record().map_err(|_| ApiError::Panicked)?;
    let Ok(Event::DecisionMade(made)) = record.event() else {
        return Err(ApiError::Panicked);
    };
    let id = record.envelope.subject.strip_prefix("decision/");
    match id.map(Uuid::try_parse) {
        Some(Ok(id)) => Ok((id, *made)),
        _ => Err(ApiError::Panicked),
    }
}

const fn stands(verdict: Verdict) -> Standing {
    match verdict {
        Verdict::Allow | Verdict::Warn => Standing::Allowed,
        Verdict::RequireApproval => Standing::Pending,
        Verdict::Deny => Standing::Refused,
    }
}

impl NewDecision {
    fn translate(self) -> Result<DecisionRequest, ApiError> {
        let request = Request {
            action: self.action,
            adapter: self.adapter,
            agent: self.agent,
            agent_role: self.agent_role,
            capabilities: self.capabilities,
            context: object("context", self.context)?,
            cost_micros: self.cost_micros,
            cost_micros_max: self.cost_micros_max,
            environment: self.environment,
            execution: self.execution,
            flags: self.flags,
            intent: self.intent,
            metadata: object("metadata", self.metadata)?,
            requester: self.requester,
            resource: self.resource,
            risk_class: self.risk_class,
            sensitivity: self.sensitivity,
            steps_max: self.steps_max,
            tool_count: self.tool_count,
            tool_group: self.tool_group,
            tools: self.tools,
            ..Request::default()
        };
        Ok(DecisionRequest {
            personal: self.personal.into_iter().map(Personal::from).collect(),
            ..request.into()
        })
    }
}

/// A body that is an object, in canonical form.
fn object(name: &str, raw: Option<Box<RawValue>>) -> Result<Option<Body>, ApiError> {
    let Some(raw) = raw else { return Ok(None) };
    let invalid = |why: String| ApiError::Invalid {
        detail: format!("{name}: {why}"),
    };
    let body =
        Body::from_foreign(raw.get().as_bytes()).map_err(|error| invalid(error.to_string()))?;
    if body.is_object() {
        Ok(Some(body))
    } else {
        Err(invalid("expected an object".to_owned()))
    }
}
