//! A request for a decision as it comes in, and what it is in the ledger's words; the other way for those who read it later.
//!
//! Asking for real and asking what would be decided share this one translation, so that they cannot disagree. Three things
//! that a requester may send have no effect: `templateVars` (values come from the server's configuration), `callback_url`
//! (nothing is called from here) and `override` (that it was asked for is kept).

use super::super::credentials::{Adapter, PROBE_TOOL};
use super::super::fields::{self, Faults, Fields, amount, word};
use super::super::number::{MICRO_PLACES, MILLI_PLACES, milli, usd};
use super::context;
use probity_schemas::body::Body;
use probity_schemas::event::decision::{Provenance, Request};
use probity_schemas::vocabulary::{Origin, RiskClass, Sensitivity, SkillState};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// What stands for the tool when a request names none that could be told.
const UNNAMED_TOOL: &str = "unspecified";

/// `POST /api/execution/request`.
#[derive(Debug, ToSchema)]
pub(crate) struct ExecutionRequest {
    /// The token's adapter.
    adapter_id: String,
    /// The token's tenant.
    tenant_id: String,
    /// The token's workspace.
    workspace_id: String,
    /// Capabilities asked for, each within the token's.
    requested_capabilities: Vec<String>,
    /// The caller's id of the execution; one is made when absent.
    execution_id: Option<String>,
    #[serde(flatten)]
    ask: Ask,
}

/// What is asked for.
#[derive(Debug, Default, ToSchema)]
pub(crate) struct Ask {
    /// Capabilities asked for.
    requested_capabilities: Option<Vec<String>>,
    /// The tool to be used.
    tool: Option<String>,
    /// The group it belongs to.
    tool_group: Option<String>,
    /// All tools that may be used.
    tool_names: Option<Vec<String>>,
    /// How many.
    tool_count: Option<u32>,
    /// The kind of action, where no tool is named.
    action: Option<String>,
    /// What it is done to.
    resource: Option<String>,
    /// On whose behalf.
    actor: Option<String>,
    /// The environment.
    environment: Option<String>,
    /// What it is for.
    intent: Option<String>,
    /// How the intent was found.
    intent_source: Option<String>,
    /// The agent.
    agent_id: Option<String>,
    /// Its role.
    agent_role: Option<String>,
    /// Anything else about it.
    #[schema(value_type = Option<Object>)]
    agent_metadata: Option<Body>,
    /// What the act touches: `external_network`, `writes_files`, `elevated_privileges`, `package_manager`, `targets`, `exec`,
    /// `side_effects`, `channel`, `recipient`, `url`, `query` …
    #[schema(value_type = Option<Object>)]
    context: Option<Body>,
    /// low, medium, high or critical; it can raise the registered class, never lower it.
    #[schema(value_type = Option<String>)]
    adapter_risk_class: Option<RiskClass>,
    /// draft, tested, approved, active or deprecated.
    #[schema(value_type = Option<String>)]
    skill_state: Option<SkillState>,
    /// The skill.
    skill: Option<String>,
    /// Whether it is tested.
    skill_tested: Option<bool>,
    /// Whether its version is pinned.
    skill_pinned: Option<bool>,
    /// none, low, medium, high or pii.
    #[schema(value_type = Option<String>)]
    data_sensitivity: Option<Sensitivity>,
    /// Sampling temperature.
    #[schema(value_type = Option<f64>, minimum = 0)]
    temperature: Option<u32>,
    /// Steps at most.
    #[schema(minimum = 1)]
    max_steps: Option<u32>,
    /// US dollars at most.
    #[schema(value_type = Option<f64>, minimum = 0)]
    max_cost: Option<u64>,
    /// US dollars, estimated.
    #[schema(value_type = Option<f64>, minimum = 0)]
    estimated_cost: Option<u64>,
    /// The caller's own risk flags.
    custom_flags: Option<Vec<String>>,
    /// What the caller's own access control says.
    rbac_allowed: Option<bool>,
    /// Where the code comes from: `source` (marketplace, internal, git or unknown), `publisher`, `artifact_hash`.
    #[schema(value_type = Option<Object>)]
    provenance: Option<Provenance>,
    /// Has no effect; that it was asked for is recorded.
    #[serde(rename = "override")]
    #[schema(value_type = Option<Object>)]
    override_asked: bool,
}

impl ExecutionRequest {
    /// Reads a request for a decision.
    pub(super) fn read(mut fields: Fields) -> Result<Self, Faults> {
        let request = Self {
            adapter_id: fields.required("adapter_id", fields::id),
            tenant_id: fields.required("tenant_id", fields::id),
            workspace_id: fields.required("workspace_id", fields::id),
            execution_id: fields.optional("execution_id", fields::id),
            requested_capabilities: fields.required("requested_capabilities", fields::texts),
            ask: Ask::read(&mut fields),
        };
        fields.close(request)
    }

    /// Whether the ids are those of the token.
    pub(super) fn is_of(&self, adapter: &Adapter) -> bool {
        adapter.is(&self.tenant_id, &self.workspace_id, &self.adapter_id)
    }

    /// The request in the ledger's words.
    pub(super) fn translate(self, adapter: &Adapter) -> Request {
        let ask = Ask {
            requested_capabilities: Some(self.requested_capabilities),
            ..self.ask
        };
        Request {
            execution: self.execution_id,
            ..ask.translate(adapter)
        }
    }
}

impl Ask {
    /// Reads what is asked for, all of it optional.
    pub(super) fn read(fields: &mut Fields) -> Self {
        let count = |raw: &str| fields::small(fields::count(raw)?);
        Self {
            requested_capabilities: fields.optional("requested_capabilities", fields::texts),
            tool: fields.optional("tool", fields::text),
            tool_group: fields.optional("tool_group", fields::text),
            tool_names: fields.optional("tool_names", fields::texts),
            tool_count: fields.optional("tool_count", count),
            action: fields.optional("action", fields::text),
            resource: fields.optional("resource", fields::text),
            actor: fields.optional("actor", fields::text),
            environment: fields.optional("environment", fields::text),
            intent: fields.optional("intent", fields::text),
            intent_source: fields.optional("intent_source", fields::text),
            agent_id: fields.optional("agent_id", fields::text),
            agent_role: fields.optional("agent_role", fields::text),
            agent_metadata: fields.optional("agent_metadata", fields::object),
            context: fields.optional("context", context::read),
            adapter_risk_class: fields
                .optional("adapter_risk_class", word(RiskClass::ALL, RiskClass::parse)),
            skill_state: fields.optional("skill_state", word(SkillState::ALL, SkillState::parse)),
            skill: fields.optional("skill", fields::text),
            skill_tested: fields.optional("skill_tested", fields::flag),
            skill_pinned: fields.optional("skill_pinned", fields::flag),
            data_sensitivity: fields.optional(
                "data_sensitivity",
                word(Sensitivity::ALL, Sensitivity::parse),
            ),
            temperature: fields.optional("temperature", |raw| {
                fields::small(amount(MILLI_PLACES)(raw)?)
            }),
            max_steps: fields.optional("max_steps", |raw| match count(raw)? {
                0 => Err("Number must be greater than 0".to_owned()),
                steps => Ok(steps),
            }),
            max_cost: fields.optional("max_cost", amount(MICRO_PLACES)),
            estimated_cost: fields.optional("estimated_cost", amount(MICRO_PLACES)),
            custom_flags: fields.optional("custom_flags", fields::texts),
            rbac_allowed: fields.optional("rbac_allowed", fields::flag),
            provenance: fields.nested("provenance", provenance),
            override_asked: fields.optional("override", fields::object).is_some(),
        }
    }

    /// The request in the ledger's words, by an adapter.
    pub(super) fn translate(self, adapter: &Adapter) -> Request {
        let probe = self.tool.as_deref() == Some(PROBE_TOOL);
        Request {
            action: self.act(),
            adapter: Some(adapter.id.clone()),
            agent: self.agent_id,
            agent_role: self.agent_role,
            capabilities: self.requested_capabilities.unwrap_or_default(),
            context: self.context,
            cost_micros: self.estimated_cost,
            cost_micros_max: self.max_cost,
            credential_capabilities: (!probe).then(|| adapter.capabilities.clone()),
            environment: self.environment,
            execution: None,
            flags: self.custom_flags.unwrap_or_default(),
            intent: self.intent,
            metadata: metadata(self.agent_metadata, self.intent_source),
            override_ignored: self.override_asked,
            provenance: self.provenance,
            rbac_allowed: self.rbac_allowed,
            requester: self.actor,
            resource: self.resource,
            risk_class: self.adapter_risk_class,
            sensitivity: self.data_sensitivity,
            skill: self.skill,
            skill_pinned: self.skill_pinned,
            skill_state: self.skill_state,
            skill_tested: self.skill_tested,
            steps_max: self.max_steps,
            temperature_milli: self.temperature,
            tool_count: self.tool_count.unwrap_or_default(),
            tool_group: self.tool_group,
            tools: self.tool_names.unwrap_or_default(),
            workspace: None,
        }
    }

    /// The tool, else the action, else the only tool or capability there is. Of several, none: a policy that speaks of one of
    /// them must not cover the others.
    fn act(&self) -> String {
        let stated = self
            .tool
            .as_ref()
            .or(self.action.as_ref())
            .filter(|name| !name.is_empty());
        let listed = [&self.tool_names, &self.requested_capabilities]
            .into_iter()
            .flatten();
        let implied = listed.map(Vec::as_slice).find(|names| !names.is_empty());
        let only = implied.and_then(|names| if let [only] = names { Some(only) } else { None });
        stated
            .or(only)
            .cloned()
            .unwrap_or_else(|| UNNAMED_TOOL.to_owned())
    }
}

fn provenance(inner: &mut Fields) -> Provenance {
    Provenance {
        artifact_hash: inner.optional("artifact_hash", fields::text),
        publisher: inner.optional("publisher", fields::text),
        source: inner.optional("source", word(Origin::ALL, Origin::parse)),
    }
}

/// Where two things that no policy of this surface names are kept together.
#[derive(Deserialize)]
struct Metadata {
    agent_metadata: Option<Box<RawValue>>,
    intent_source: Option<String>,
}

fn metadata(agent: Option<Body>, intent_source: Option<String>) -> Option<Body> {
    let agent = agent.map(|body| format!("\"agent_metadata\":{}", body.as_str()));
    let source = intent_source.map(|source| format!("\"intent_source\":{}", json!(source)));
    let members: Vec<String> = agent.into_iter().chain(source).collect();
    let text = format!("{{{}}}", members.join(","));
    if members.is_empty() {
        None
    } else {
        Body::from_foreign(text.as_bytes()).ok()
    }
}

/// The request again in this surface's words, for those who decide on it.
pub(crate) fn snapshot(request: &Request, tenant: &str, workspace: &str) -> Value {
    let metadata: Option<Metadata> = request
        .metadata
        .as_ref()
        .and_then(|body| serde_json::from_str(body.as_str()).ok());
    let (agent_metadata, intent_source) = metadata.map_or((None, None), |metadata| {
        (metadata.agent_metadata, metadata.intent_source)
    });
    let all = json!({
        "adapter_id": request.adapter, "tenant_id": tenant, "workspace_id": workspace,
        "execution_id": request.execution, "requested_capabilities": request.capabilities,
        "tool": request.action, "tool_group": request.tool_group, "tool_count": request.tool_count,
        "tool_names": request.tools, "resource": request.resource, "actor": request.requester,
        "environment": request.environment, "intent": request.intent, "intent_source": intent_source,
        "agent_id": request.agent, "agent_role": request.agent_role, "agent_metadata": agent_metadata,
        "context": request.context, "adapter_risk_class": request.risk_class, "skill": request.skill,
        "skill_state": request.skill_state, "skill_tested": request.skill_tested,
        "skill_pinned": request.skill_pinned, "data_sensitivity": request.sensitivity,
        "temperature": request.temperature_milli.map(|thousandths| milli(u64::from(thousandths))),
        "max_steps": request.steps_max, "max_cost": request.cost_micros_max.map(usd),
        "estimated_cost": request.cost_micros.map(usd), "custom_flags": request.flags,
        "rbac_allowed": request.rbac_allowed, "provenance": request.provenance,
        "override_ignored": request.override_ignored.then_some(true),
    });
    stated(all)
}

/// Leaves out what was not stated.
fn stated(all: Value) -> Value {
    let Value::Object(members) = all else {
        return all;
    };
    Value::Object(
        members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests;
