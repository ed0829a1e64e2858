//! The answer to a request for a decision: as it was decided, or how it stands by its own records.

use super::super::case::{GrantedScope, granted_scope, iso, role, scope_of};
use super::super::envelope::Failure;
use super::trace::{Trace, TraceItem};
use axum::http::StatusCode;
use probity_governance::state::Directory;
use probity_projections::views::DecisionRow;
use probity_schemas::event::decision::{DecisionMade, MatchedPolicy};
use probity_schemas::vocabulary::{Reason, RiskLevel, Verdict};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// Pending decisions wait for a person; they are never waved through.
const APPROVAL_MODE: &str = "enforce";

/// The answer to a request for a decision.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ExecutionReply<'a> {
    /// Whether the act may go on now.
    allowed: bool,
    execution_id: String,
    /// allow, deny or pending.
    decision: &'static str,
    decision_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_approval: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    required_role: Option<&'static str>,
    /// Until when a person can answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    granted_scope: Option<GrantedScope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_fallback_hit: Option<bool>,
    #[serde(flatten)]
    weighed: Option<Weighed<'a>>,
}

/// How the request was weighed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Weighed<'a> {
    matched_policies: Vec<&'a str>,
    #[schema(value_type = Vec<TraceItem<'static>>)]
    decision_trace: Trace<'a>,
    approval_mode: &'static str,
    risk_score: u8,
    risk_level: &'static str,
    /// SHA-256 over the policies in force.
    policy_bundle_hash: String,
}

/// The answer to a request that was decided now, or that waits already.
pub(super) fn decided<'a>(
    id: &str,
    made: &'a DecisionMade,
    directory: &'a Directory,
) -> Result<ExecutionReply<'a>, Failure> {
    if made.reason == Some(Reason::CapabilityNotAllowed) {
        return Err(not_carried(made));
    }
    let mut reply = ExecutionReply {
        policy_fallback_hit: Some(is_fallback_hit(&made.matched)),
        ..begun(id, made.verdict, made.facts.request.execution.as_deref())
    };
    reply.blocked_reason = made
        .reason
        .filter(|_| !reply.allowed)
        .map(|reason| blocked_reason(reason, made.risk.level));
    if made.reason == Some(Reason::RbacDenied) {
        return Ok(reply);
    }
    reply.explanation = Some(made.explanation.clone());
    reply.granted_scope = scope_of(made);
    if let Some(needed) = &made.approval {
        reply.requires_approval = Some(true);
        reply.required_role = Some(role(needed.role));
        reply.expires_at = Some(iso(needed.expires));
        reply.explanation = Some(format!(
            "{} Approval grant window opened.",
            made.explanation
        ));
    }
    reply.weighed = Some(Weighed {
        decision_trace: Trace::of(made, directory),
        matched_policies: made
            .matched
            .iter()
            .map(|policy| policy.id.as_str())
            .collect(),
        approval_mode: APPROVAL_MODE,
        risk_score: made.risk.score,
        risk_level: made.risk.level.as_str(),
        policy_bundle_hash: made.policyset.to_hex(),
    });
    Ok(reply)
}

/// The answer to the very request that a person approved: its grant is used by this answer.
pub(super) fn resumed(row: &DecisionRow) -> Result<ExecutionReply<'static>, Failure> {
    Ok(ExecutionReply {
        allowed: true,
        decision: "allow",
        granted_scope: granted_scope(row)?,
        explanation: Some("Approved locally (self-attested)".to_owned()),
        ..begun(&row.id, row.verdict, row.execution.as_deref())
    })
}

/// The answer to the very request that a person refused.
pub(super) fn refused(row: &DecisionRow) -> ExecutionReply<'static> {
    ExecutionReply {
        decision: "deny",
        blocked_reason: Some("approval_denied".to_owned()),
        explanation: Some("Denied locally (self-attested)".to_owned()),
        ..begun(&row.id, row.verdict, row.execution.as_deref())
    }
}

fn begun(id: &str, verdict: Verdict, execution: Option<&str>) -> ExecutionReply<'static> {
    ExecutionReply {
        allowed: matches!(verdict, Verdict::Allow | Verdict::Warn),
        execution_id: execution.unwrap_or_default().to_owned(),
        decision: match verdict {
            Verdict::Allow | Verdict::Warn => "allow",
            Verdict::RequireApproval => "pending",
            Verdict::Deny => "deny",
        },
        decision_id: id.to_owned(),
        ..ExecutionReply::default()
    }
}

/// The words for what holds an act back.
fn blocked_reason(reason: Reason, level: RiskLevel) -> String {
    match reason {
        Reason::NoMatchingPolicy => Reason::PolicyDenied.to_string(),
        Reason::RiskRequiresApproval => format!("{reason}:{level}"),
        other => other.to_string(),
    }
}

/// Whether only a policy matched that calls itself a fallback.
fn is_fallback_hit(matched: &[MatchedPolicy]) -> bool {
    let [only] = matched else { return false };
    only.explanation
        .as_deref()
        .is_some_and(|text| text.to_lowercase().contains("fallback"))
}

/// The refusal of capabilities that the token does not carry.
fn not_carried(made: &DecisionMade) -> Failure {
    let request = &made.facts.request;
    let carried = request
        .credential_capabilities
        .as_deref()
        .unwrap_or_default();
    let missing: Vec<&String> = request
        .capabilities
        .iter()
        .filter(|asked| !carried.contains(asked))
        .collect();
    let body = json!({ "error": "Capability not allowed", "capabilities": missing });
    Failure::Told {
        status: StatusCode::FORBIDDEN,
        body,
    }
}

#[cfg(test)]
mod tests;
