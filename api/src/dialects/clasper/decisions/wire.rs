//! A decision as operators and adapters read it, made from one row.

use super::super::case::{GrantedScope, Status, granted_scope, iso, role};
use super::super::credentials::Place;
use super::super::envelope::Failure;
use super::super::execution::request::snapshot;
use probity_governance::posture::PostureStatus;
use probity_projections::views::DecisionRow;
use probity_schemas::event::decision::{MatchedPolicy, Request};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::Verdict;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Words of a command line that an explanation shows.
const ARGUMENTS_SHOWN_MAX: usize = 8;

/// A decision, for operators.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionRecord {
    decision_id: String,
    tenant_id: String,
    workspace_id: String,
    execution_id: Option<String>,
    adapter_id: Option<String>,
    /// pending, approved, denied, expired, allow or deny.
    status: &'static str,
    required_role: Option<&'static str>,
    expires_at: Option<String>,
    request_snapshot: RequestSnapshot,
    granted_scope: Option<GrantedScope>,
    resolution: Option<ResolutionRecord>,
    /// Always null: nothing is called from here.
    callback_url: Option<String>,
    created_at: String,
    updated_at: String,
}

/// What was asked, and what was decided at first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestSnapshot {
    #[schema(value_type = Object)]
    request: Value,
    #[schema(value_type = Object)]
    decision: Value,
}

/// A person's answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResolutionRecord {
    approval_type: &'static str,
    trust_level: &'static str,
    approved_by: String,
    cloud_authority: bool,
    note: Option<String>,
    justification: Option<String>,
    resolved_at: Option<String>,
}

/// A decision, for the adapter that waits for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionStanding {
    decision_id: String,
    status: &'static str,
    required_role: Option<&'static str>,
    expires_at: Option<String>,
    /// Always null.
    decision_token: Option<String>,
    granted_scope: Option<GrantedScope>,
    resolution: Option<ResolutionRecord>,
    /// Always null.
    decision_token_used_at: Option<String>,
}

/// A decision, in an adapter's list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionSummary {
    decision_id: String,
    timestamp: String,
    tool: String,
    policy: Option<String>,
    /// What was decided at first: allow, deny or require_approval.
    decision: &'static str,
    /// How far the rules bind now: enforced, degraded or disabled.
    status: &'static str,
    /// Always null.
    trace_id: Option<String>,
    /// How it stands: pending, approved, denied, expired, allow or deny.
    state: &'static str,
    execution_id: Option<String>,
}

/// Why a decision is what it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation {
    policy: Option<String>,
    reason: String,
    tool: String,
    #[schema(value_type = Object)]
    input_summary: Value,
    decision: &'static str,
}

/// A decision for operators.
pub(super) fn record(
    row: &DecisionRow,
    place: Place<'_>,
    now: Time,
) -> Result<DecisionRecord, Failure> {
    let workspace = row.workspace.as_deref().unwrap_or(place.workspace);
    Ok(DecisionRecord {
        decision_id: row.id.clone(),
        tenant_id: place.tenant.to_owned(),
        workspace_id: workspace.to_owned(),
        execution_id: row.execution.clone(),
        adapter_id: row.adapter.clone(),
        status: Status::of(row, now).as_str(),
        required_role: row.required_role.map(role),
        expires_at: row.expires.map(iso),
        request_snapshot: RequestSnapshot {
            request: snapshot(&request(row)?, place.tenant, workspace),
            decision: weighed(row)?,
        },
        granted_scope: granted_scope(row)?,
        resolution: resolution(row),
        callback_url: None,
        created_at: iso(row.created),
        updated_at: iso(row.updated),
    })
}

/// A decision for the adapter that waits for it.
pub(super) fn standing(row: &DecisionRow, now: Time) -> Result<DecisionStanding, Failure> {
    Ok(DecisionStanding {
        decision_id: row.id.clone(),
        status: Status::of(row, now).as_str(),
        required_role: row.required_role.map(role),
        expires_at: row.expires.map(iso),
        decision_token: None,
        granted_scope: granted_scope(row)?,
        resolution: resolution(row),
        decision_token_used_at: None,
    })
}

/// A decision in an adapter's list.
pub(super) fn summary(row: &DecisionRow, posture: PostureStatus, now: Time) -> DecisionSummary {
    DecisionSummary {
        decision_id: row.id.clone(),
        timestamp: iso(row.created),
        tool: row.action.clone(),
        policy: row.winner.clone(),
        decision: verdict(row.verdict),
        status: posture.as_str(),
        trace_id: None,
        state: Status::of(row, now).as_str(),
        execution_id: row.execution.clone(),
    }
}

/// Why a decision is what it is.
pub(super) fn explanation(row: &DecisionRow) -> Result<Explanation, Failure> {
    let reason = if row.explanation.is_empty() {
        "No explanation available."
    } else {
        &row.explanation
    };
    Ok(Explanation {
        policy: row.winner.clone(),
        reason: reason.to_owned(),
        tool: row.action.clone(),
        input_summary: input_summary(&request(row)?),
        decision: verdict(row.verdict),
    })
}

/// The word for what was decided at first.
pub(crate) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow | Verdict::Warn => "allow",
        Verdict::RequireApproval => "require_approval",
        Verdict::Deny => "deny",
    }
}

fn request(row: &DecisionRow) -> Result<Request, Failure> {
    row.request.get().map_err(|fault| Failure::corrupt(&fault))
}

fn weighed(row: &DecisionRow) -> Result<Value, Failure> {
    let matched: Vec<MatchedPolicy> = row
        .matched
        .get()
        .map_err(|fault| Failure::corrupt(&fault))?;
    let ids: Vec<&str> = matched.iter().map(|policy| policy.id.as_str()).collect();
    Ok(json!({
        "decision": verdict(row.verdict), "matched_policies": ids, "explanation": row.explanation,
        "blocked_reason": row.reason, "risk_score": row.risk_score, "risk_level": row.risk_level,
        "policy_bundle_hash": row.policyset.to_hex(), "mode": row.mode,
    }))
}

fn resolution(row: &DecisionRow) -> Option<ResolutionRecord> {
    let resolver = row.resolver.as_ref()?;
    Some(ResolutionRecord {
        approval_type: "local",
        trust_level: "self_attested",
        approved_by: resolver
            .strip_prefix("user:")
            .unwrap_or(resolver)
            .to_owned(),
        cloud_authority: false,
        note: row.note.clone(),
        justification: row.justification.clone(),
        resolved_at: row.resolved.map(iso),
    })
}

/// What the request was about, in short.
fn input_summary(request: &Request) -> Value {
    let context: Value = request
        .context
        .as_ref()
        .and_then(|body| serde_json::from_str(body.as_str()).ok())
        .unwrap_or_default();
    let (exec, targets) = (&context["exec"], &context["targets"]);
    let mut argv = exec["argv"].clone();
    if let Some(arguments) = argv.as_array_mut() {
        arguments.truncate(ARGUMENTS_SHOWN_MAX);
    }
    let parts = [
        ("argv0", exec["argv0"].clone()),
        ("argv", argv),
        ("cwd", exec["cwd"].clone()),
        (
            "targets",
            if targets.is_array() {
                targets.clone()
            } else {
                Value::Null
            },
        ),
        ("paths", targets["paths"].clone()),
        ("hosts", targets["hosts"].clone()),
        ("resource", json!(request.resource)),
        ("intent", json!(request.intent)),
    ];
    let stated = parts.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(
        stated
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests;
