//! Adapters: registering one, and how far it is governed.

use super::call;
use super::case::iso;
use super::credentials::Adapter;
use super::envelope::{ErrorBody, Failure};
use super::fields::{self, Faults, Fields, word};
use super::intake::Payload;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use probity_governance::command::Operation;
use probity_governance::posture::{Posture, posture};
use probity_projections::Entry;
use probity_schemas::event::Event;
use probity_schemas::event::registry::AdapterRegistered;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::RiskClass;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The version that clients of this surface expect of its rules.
const ENGINE_VERSION: &str = "1.0.0";

/// The tiers an adapter can state; the last when it states none.
const TIERS: [&str; 3] = ["verified", "community", "experimental"];

/// Routes of this group.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register_adapter))
        .routes(routes!(show_posture))
        .routes(routes!(show_policy_posture))
}

/// What an adapter says of itself.
#[derive(Debug, PartialEq, ToSchema)]
pub(crate) struct AdapterBody {
    /// The token's adapter.
    adapter_id: String,
    /// Its name for people.
    display_name: String,
    /// low, medium, high or critical.
    #[schema(value_type = String)]
    risk_class: RiskClass,
    /// What it can do.
    capabilities: Vec<String>,
    /// Its version.
    version: String,
    /// Whether it may ask at all.
    enabled: bool,
    /// verified, community or experimental; experimental when absent.
    #[schema(required = false)]
    certification_tier: String,
    /// The tools it brings.
    #[schema(required = false)]
    tool_capabilities: Vec<String>,
}

/// An adapter as it is registered now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdapterRecord {
    tenant_id: String,
    adapter_id: String,
    version: String,
    display_name: String,
    risk_class: &'static str,
    capabilities: Vec<String>,
    enabled: bool,
    certification_tier: String,
    tool_capabilities: Vec<String>,
    created_at: String,
    updated_at: String,
}

/// How far an adapter is governed.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct PostureReply {
    adapter: String,
    /// permissive, guarded or strict.
    mode: &'static str,
    /// ENFORCED, DEGRADED or DISABLED.
    status: String,
    engine_version: &'static str,
    fallback_present: bool,
    fallback_enabled: bool,
    policy_count: usize,
    covered_tools: Vec<String>,
    uncovered_tools: Vec<String>,
}

impl AdapterBody {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let body = Self {
            adapter_id: fields.required("adapter_id", fields::id),
            display_name: fields.required("display_name", fields::text),
            risk_class: fields
                .required("risk_class", |raw| {
                    word(RiskClass::ALL, RiskClass::parse)(raw).map(Some)
                })
                .unwrap_or(RiskClass::Critical),
            capabilities: fields.required("capabilities", fields::texts),
            version: fields.required("version", fields::text),
            enabled: fields.required("enabled", fields::flag),
            certification_tier: fields
                .optional("certification_tier", tier)
                .unwrap_or_else(|| TIERS[2].to_owned()),
            tool_capabilities: fields
                .optional("tool_capabilities", fields::texts)
                .unwrap_or_default(),
        };
        fields.close(body)
    }

    fn translate(self) -> AdapterRegistered {
        AdapterRegistered {
            capabilities: self.capabilities,
            certification: self.certification_tier,
            display_name: self.display_name,
            enabled: self.enabled,
            id: self.adapter_id,
            risk_class: self.risk_class,
            tool_capabilities: self.tool_capabilities,
            version: self.version,
        }
    }
}

fn tier(raw: &str) -> Result<String, String> {
    let text = fields::text(raw)?;
    if TIERS.contains(&text.as_str()) {
        Ok(text)
    } else {
        Err(fields::not_a_word(&TIERS, &text))
    }
}

impl AdapterRecord {
    pub(super) fn of(
        adapter: &AdapterRegistered,
        tenant: &str,
        created: Time,
        updated: Time,
    ) -> Self {
        Self {
            tenant_id: tenant.to_owned(),
            adapter_id: adapter.id.clone(),
            version: adapter.version.clone(),
            display_name: adapter.display_name.clone(),
            risk_class: adapter.risk_class.as_str(),
            capabilities: adapter.capabilities.clone(),
            enabled: adapter.enabled,
            certification_tier: adapter.certification.clone(),
            tool_capabilities: adapter.tool_capabilities.clone(),
            created_at: iso(created),
            updated_at: iso(updated),
        }
    }
}

impl PostureReply {
    fn of(adapter: &str, posture: Posture) -> Self {
        Self {
            adapter: adapter.to_owned(),
            mode: posture.mode.as_str(),
            status: posture.status.as_str().to_uppercase(),
            engine_version: ENGINE_VERSION,
            fallback_present: posture.fallback_present,
            fallback_enabled: posture.fallback_enabled,
            policy_count: posture.policy_count,
            covered_tools: posture.covered,
            uncovered_tools: posture.uncovered,
        }
    }
}

/// Registers the token's adapter, or registers it anew.
#[utoipa::path(post, path = "/adapters/register", tag = "adapters", security(("adapter" = [])), request_body = AdapterBody,
    responses((status = 200, body = AdapterRecord), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn register_adapter(
    State(app): State<App>,
    adapter: Adapter,
    payload: Payload,
) -> Result<Json<AdapterRecord>, Failure> {
    let body = AdapterBody::read(payload.fields()?)?;
    if body.adapter_id != adapter.id {
        return Err(Failure::scope());
    }
    let operation = Operation::RegisterAdapter(Box::new(body.translate()));
    let receipt = call::submit(&app, &adapter.actor, operation).await?;
    let entry = call::entries(&receipt)?
        .pop()
        .ok_or_else(Failure::unanswerable)?;
    let first = call::first(&app, &entry).await?;
    registered(&entry, &adapter.tenant, first).map(Json)
}

fn registered(entry: &Entry, tenant: &str, first: Time) -> Result<AdapterRecord, Failure> {
    match &entry.event {
        Event::AdapterRegistered(adapter) => {
            Ok(AdapterRecord::of(adapter, tenant, first, entry.time))
        }
        _ => Err(Failure::unanswerable()),
    }
}

/// How far the policies in force govern this adapter.
#[utoipa::path(get, path = "/api/adapter/posture", tag = "adapters", security(("adapter" = [])),
    responses((status = 200, body = PostureReply), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn show_posture(
    State(app): State<App>,
    adapter: Adapter,
) -> Result<Json<PostureReply>, Failure> {
    let directory = call::directory(&app).await?;
    Ok(Json(PostureReply::of(
        &adapter.id,
        posture(&directory, &adapter.id, None),
    )))
}

/// The same under its other name.
#[utoipa::path(get, path = "/api/adapter/policy-posture", tag = "adapters", security(("adapter" = [])),
    responses((status = 200, body = PostureReply), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody)))]
async fn show_policy_posture(
    app: State<App>,
    adapter: Adapter,
) -> Result<Json<PostureReply>, Failure> {
    show_posture(app, adapter).await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{AdapterBody, AdapterRecord, PostureReply};
    use crate::dialects::clasper::case::samples::{START, directory, policy};
    use crate::dialects::clasper::fields::{Faults, Fields};
    use probity_governance::posture::posture;
    use probity_schemas::body::Body;
    use probity_schemas::vocabulary::Effect;
    use serde_json::{Value, json};

    fn read(body: &Value) -> Result<AdapterBody, Faults> {
        let body = Body::from_foreign(body.to_string().as_bytes()).unwrap();
        AdapterBody::read(Fields::open(Some(&body)).unwrap())
    }

    fn desk() -> Value {
        json!({"adapter_id": "desk", "display_name": "Desk", "risk_class": "medium", "capabilities": ["read"], "version": "1.0.0", "enabled": true})
    }

    #[test]
    fn an_adapter_is_told_what_it_registered() {
        let registered = read(&desk()).unwrap().translate();
        let record = AdapterRecord::of(&registered, "local", START, START.plus_seconds(1));
        assert_eq!(
            serde_json::to_value(record).unwrap(),
            json!({
                "tenant_id": "local", "adapter_id": "desk", "version": "1.0.0", "display_name": "Desk", "risk_class": "medium",
                "capabilities": ["read"], "enabled": true, "certification_tier": "experimental", "tool_capabilities": [],
                "created_at": "2027-01-15T08:00:00.000Z", "updated_at": "2027-01-15T08:00:01.000Z"
            })
        );
    }

    #[test]
    fn each_field_at_fault_is_named() {
        let table = [
            ("risk_class", json!("extreme")),
            ("enabled", json!("yes")),
            ("certification_tier", json!("gold")),
            ("tool_capabilities", json!({"exec": true})),
            ("capabilities", json!([1])),
        ];
        for (field, value) in table {
            let mut body = desk();
            body[field] = value;
            assert_eq!(
                read(&body).unwrap_err().fields.keys().collect::<Vec<_>>(),
                [field]
            );
        }
        assert_eq!(read(&json!({})).unwrap_err().fields.len(), 6);
    }

    #[test]
    fn posture_says_what_the_mode_and_the_fallback_come_to() {
        let status = |policies: &[_]| {
            serde_json::to_value(PostureReply::of(
                "desk",
                posture(&directory(policies), "desk", None),
            ))
            .unwrap()
        };
        assert_eq!(
            status(&[]),
            json!({"adapter": "desk", "mode": "guarded", "status": "DEGRADED", "engine_version": "1.0.0",
            "fallback_present": false, "fallback_enabled": false, "policy_count": 0, "covered_tools": [], "uncovered_tools": []})
        );
        assert_eq!(
            status(&[policy("last", None, Effect::Deny, -100)])["status"],
            "ENFORCED"
        );
    }
}
