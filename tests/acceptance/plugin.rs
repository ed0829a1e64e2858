//! Clients as they are in the world: an adapter's plugin (own JWT, register, request, poll, telemetry; retries on 5xx), and an operator.
//!
//! Written from the published contract only.

use crate::harness::{ADAPTER_SECRET, OPS_KEY, PATIENCE};
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An adapter's plugin.
#[derive(Clone)]
pub(crate) struct Plugin {
    base: String,
    http: Client,
    adapter: String,
    token: String,
}

impl Plugin {
    pub(crate) fn new(base: &str, http: &Client, adapter: &str, capabilities: &[&str]) -> Self {
        let token = token(adapter, "local", capabilities, ADAPTER_SECRET);
        Self {
            base: base.to_owned(),
            http: http.clone(),
            adapter: adapter.to_owned(),
            token,
        }
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let call = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("x-adapter-token", &self.token);
        send(call, body).await
    }

    pub(crate) async fn register(&self, body: &Value) {
        let (status, answer) = self
            .call(Method::POST, "/adapters/register", Some(body))
            .await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["adapter_id"], json!(self.adapter));
    }

    pub(crate) async fn request(&self, body: &Value) -> Value {
        let (status, answer) = self
            .call(Method::POST, "/api/execution/request", Some(body))
            .await;
        assert_eq!(status, 200, "every decision is a 200: {answer}");
        answer
    }

    /// Polls as the plugin does until a person has decided.
    pub(crate) async fn poll(&self, execution: &str) -> Value {
        let begun = Instant::now();
        loop {
            let (status, answer) = self
                .call(Method::GET, &format!("/api/execution/{execution}"), None)
                .await;
            assert_eq!(status, 200, "{answer}");
            if answer["effect"] != json!("pending") {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "nobody decided");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn ingest(&self, kind: &str, body: &Value) -> Value {
        let (status, answer) = self
            .call(Method::POST, &format!("/api/ingest/{kind}"), Some(body))
            .await;
        assert_eq!(status, 200, "{kind}: {answer}");
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// A plain request of this adapter.
    pub(crate) fn body(&self, execution: &str, tool: &str, context: Value) -> Value {
        json!({
            "adapter_id": self.adapter, "tenant_id": "local", "workspace_id": "local", "execution_id": execution,
            "requested_capabilities": ["tool"], "tool": tool, "context": context,
        })
    }

    pub(crate) fn registration(&self) -> Value {
        json!({
            "adapter_id": self.adapter, "display_name": "Plugin", "risk_class": "low", "capabilities": ["tool"],
            "version": "1.0.0", "enabled": true,
        })
    }

    /// The report that a tool call is over.
    pub(crate) fn outcome(&self, execution: &str, event: &str) -> Value {
        json!({
            "tenant_id": "local", "workspace_id": "local", "execution_id": execution, "adapter_id": self.adapter,
            "trace_id": format!("trace-{execution}"), "event_type": event, "occurred_at": "2026-11-22T10:00:00.000Z",
            "message": "done",
        })
    }
}

/// Sends a call; its status and body.
async fn send(call: RequestBuilder, body: Option<&Value>) -> (u16, Value) {
    let call = match body {
        Some(body) => call.json(body),
        None => call,
    };
    let answer = call.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// A token as an adapter mints it.
pub(crate) fn token(adapter: &str, tenant: &str, capabilities: &[&str], secret: &str) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = json!({
        "type": "adapter", "adapter_id": adapter, "tenant_id": tenant, "workspace_id": "local",
        "allowed_capabilities": capabilities, "sub": format!("adapter:{adapter}"), "iat": now, "exp": now + 7200,
    });
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .unwrap()
}

/// A person with the operators' key.
#[derive(Clone)]
pub(crate) struct Operator {
    pub(crate) base: String,
    pub(crate) http: Client,
}

impl Operator {
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let call = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("x-ops-api-key", OPS_KEY);
        send(call, body).await
    }

    pub(crate) async fn publish(&self, policy: &Value) -> Value {
        let (status, answer) = self
            .call(Method::POST, "/ops/api/policies", Some(policy))
            .await;
        assert_eq!(status, 200, "{policy}: {answer}");
        answer
    }

    pub(crate) async fn resolve(&self, decision: &str, status: &str) -> Value {
        let body = json!({ "status": status, "justification": "looked at it" });
        let path = format!("/ops/api/decisions/{decision}/resolve");
        let (code, answer) = self.call(Method::POST, &path, Some(&body)).await;
        assert_eq!(code, 200, "{answer}");
        answer
    }

    pub(crate) async fn pending(&self) -> Vec<Value> {
        let (status, answer) = self.call(Method::GET, "/ops/api/decisions", None).await;
        assert_eq!(status, 200, "{answer}");
        answer["decisions"].as_array().unwrap().clone()
    }
}
