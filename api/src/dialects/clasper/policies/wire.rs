//! A policy as this surface writes it, and its translation to the normal form and back.

use super::super::credentials::PROBE_TOOL_PREFIX;
use super::super::envelope::Failure;
use super::super::fields::{self, Faults, Fields, word};
use super::conditions;
use axum::http::StatusCode;
use probity_schemas::policy::{Policy, PolicySubject, Scalar, Scope, SubjectKind};
use probity_schemas::vocabulary::Effect;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt;
use utoipa::ToSchema;

/// A policy.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PolicyBody {
    /// Its name.
    policy_id: String,
    /// Where it holds.
    #[schema(required = false)]
    scope: PolicyScope,
    /// What it speaks of.
    subject: PolicyTarget,
    /// All must hold: field, nested or dotted, to a bare value or to one of `eq`, `in`, `prefix`, `exists`, `all_under`, `any_under`.
    #[schema(required = false)]
    conditions: Map<String, Value>,
    /// What it asks for when it matches.
    effect: PolicyEffect,
    /// Words for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// Higher wins; 0 when absent.
    #[schema(required = false)]
    precedence: i32,
    /// Whether it is in force; true when absent.
    #[schema(required = false)]
    enabled: bool,
}

/// Where a policy holds.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PolicyScope {
    /// The tenant.
    #[schema(required = false)]
    tenant_id: String,
    /// Only this workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<String>,
    /// Only this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
}

/// What a policy speaks of.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PolicyTarget {
    /// adapter, tool, skill, environment, risk, cost or agent.
    #[serde(rename = "type")]
    kind: String,
    /// One of that kind; any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// What a policy asks for.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PolicyEffect {
    /// allow, deny or require_approval.
    decision: String,
}

/// The kinds of subjects, by the wire's words.
#[derive(Clone, Copy, Debug)]
struct Kind(SubjectKind);

const KINDS: [Kind; 7] = [
    Kind(SubjectKind::Adapter),
    Kind(SubjectKind::Tool),
    Kind(SubjectKind::Skill),
    Kind(SubjectKind::Environment),
    Kind(SubjectKind::Risk),
    Kind(SubjectKind::Cost),
    Kind(SubjectKind::Agent),
];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            SubjectKind::Adapter => "adapter",
            SubjectKind::Tool => "tool",
            SubjectKind::Skill => "skill",
            SubjectKind::Environment => "environment",
            SubjectKind::Risk => "risk",
            SubjectKind::Cost => "cost",
            SubjectKind::Agent => "agent",
        })
    }
}

impl Kind {
    fn parse(text: &str) -> Option<SubjectKind> {
        KINDS
            .into_iter()
            .find(|kind| kind.to_string() == text)
            .map(|kind| kind.0)
    }
}

/// Reads a policy, for a tenant and its workspace.
pub(super) fn read(fields: Fields, tenant: &str, workspace: &str) -> Result<Policy, Failure> {
    let (policy, outside, unacknowledged) = read_parts(fields, tenant, workspace)?;
    if let Some(error) = outside {
        return Err(Failure::said(StatusCode::FORBIDDEN, error));
    }
    if unacknowledged {
        let error = "An allow policy made with the wizard must be acknowledged";
        let body = json!({ "error": error, "code": "wizard_allow_ack_required" });
        return Err(Failure::Told {
            status: StatusCode::BAD_REQUEST,
            body,
        });
    }
    Ok(policy)
}

/// The policy, which part of its scope is not this caller's, and whether the wizard's question was left open.
fn read_parts(
    mut fields: Fields,
    tenant: &str,
    workspace: &str,
) -> Result<(Policy, Option<&'static str>, bool), Faults> {
    let scope = fields.nested("scope", scope).unwrap_or_default();
    let policy = Policy {
        conditions: fields
            .optional("conditions", read_conditions)
            .unwrap_or_default(),
        effect: fields
            .nested_required("effect", |inner| {
                inner.required("decision", |raw| effect(raw).map(Some))
            })
            .unwrap_or(Effect::Deny),
        enabled: fields.optional("enabled", fields::flag).unwrap_or(true),
        explanation: fields.optional("explanation", fields::text),
        id: fields.required("policy_id", fields::id),
        precedence: fields
            .optional("precedence", fields::integer)
            .unwrap_or_default(),
        scope: Scope {
            environment: scope.environment,
            workspace: scope.workspace.clone(),
        },
        subject: fields
            .nested_required("subject", |inner| Some(subject(inner)))
            .unwrap_or(ANY_TOOL),
    };
    let wizard = fields.nested("_wizard_meta", |inner| {
        let outcome = inner.optional("selected_outcome", fields::text);
        let acknowledged = inner
            .optional("wizard_acknowledged_allow", fields::flag)
            .unwrap_or_default();
        outcome.as_deref() == Some("allow") && !acknowledged
    });
    if names_reserved(&policy) {
        fields.fault(
            "subject",
            format!("Tool names that begin with {PROBE_TOOL_PREFIX} are reserved"),
        );
    }
    let outside = match (&scope.tenant, &scope.workspace) {
        (Some(other), _) if other != tenant => Some("Tenant access denied"),
        (_, Some(other)) if other != workspace => Some("Workspace access denied"),
        _ => None,
    };
    fields.close((policy, outside, wizard.unwrap_or_default()))
}

#[derive(Default)]
struct StatedScope {
    tenant: Option<String>,
    workspace: Option<String>,
    environment: Option<String>,
}

fn scope(inner: &mut Fields) -> StatedScope {
    StatedScope {
        tenant: inner.optional("tenant_id", fields::id),
        workspace: inner.optional("workspace_id", fields::id),
        environment: inner.optional("environment", fields::id),
    }
}

const ANY_TOOL: PolicySubject = PolicySubject {
    kind: SubjectKind::Tool,
    name: None,
};

fn subject(inner: &mut Fields) -> PolicySubject {
    let kind = inner
        .required("type", |raw| kind(raw).map(Some))
        .unwrap_or(SubjectKind::Tool);
    PolicySubject {
        kind,
        name: inner.optional("name", fields::text),
    }
}

fn kind(raw: &str) -> Result<SubjectKind, String> {
    let text = fields::text(raw)?;
    Kind::parse(&text).ok_or_else(|| fields::not_a_word(&KINDS, &text))
}

fn effect(raw: &str) -> Result<Effect, String> {
    word(Effect::ALL, Effect::parse)(raw)
}

fn read_conditions(raw: &str) -> Result<Vec<probity_schemas::policy::Condition>, String> {
    fields::object(raw)?;
    conditions::read(serde_json::from_str(raw).map_err(|error| error.to_string())?)
}

/// Whether a policy names a tool by which installations test themselves.
fn names_reserved(policy: &Policy) -> bool {
    let reserved = |text: &str| text.starts_with(PROBE_TOOL_PREFIX);
    let of_tool = policy
        .conditions
        .iter()
        .filter(|condition| condition.field == "tool");
    let mut values = of_tool.flat_map(|condition| &condition.values);
    policy.subject.name.as_deref().is_some_and(reserved)
        || values.any(|value| matches!(value, Scalar::Text(text) if reserved(text)))
}

/// Writes a policy.
pub(super) fn write(policy: &Policy, tenant: &str) -> PolicyBody {
    PolicyBody {
        policy_id: policy.id.clone(),
        scope: PolicyScope {
            tenant_id: tenant.to_owned(),
            workspace_id: policy.scope.workspace.clone(),
            environment: policy.scope.environment.clone(),
        },
        subject: PolicyTarget {
            kind: Kind(policy.subject.kind).to_string(),
            name: policy.subject.name.clone(),
        },
        conditions: conditions::write(&policy.conditions),
        effect: PolicyEffect {
            decision: policy.effect.to_string(),
        },
        explanation: policy.explanation.clone(),
        precedence: policy.precedence,
        enabled: policy.enabled,
    }
}

#[cfg(test)]
mod tests;
