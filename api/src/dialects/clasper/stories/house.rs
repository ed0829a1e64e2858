//! A server in this process over a data directory of its own, and clients that speak this surface to it.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::config::{Secrets, ServerConfig};
use crate::router::router;
use crate::serve::Server;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use clap::Parser as _;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

const SECRET: &str = "a secret that adapters share";
const OPS_KEY: &str = "a key that operators share";

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    config: ServerConfig,
}

/// A server, and where its data lies.
pub(super) struct House {
    server: Server,
    router: Router,
    _data: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    /// The body of an answer that must be a 200.
    pub(super) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Status and error text.
    pub(super) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or_default())
    }
}

impl House {
    /// A server with these flags beside its own.
    pub(super) async fn open(flags: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let own = [
            "probity",
            "--listen",
            "127.0.0.1:0",
            "--data",
            data.path().to_str().unwrap(),
        ];
        let mut config = Flags::parse_from([&own, flags].concat()).config;
        config.secrets = Secrets {
            adapter_jwt: Some(Zeroizing::new(SECRET.to_owned())),
            ops_key: Some(Zeroizing::new(OPS_KEY.to_owned())),
            ..Secrets::default()
        };
        let server = Server::open(config).await.unwrap();
        let router = router(server.app().clone());
        Self {
            server,
            router,
            _data: data,
        }
    }

    /// How many records the log has.
    pub(super) async fn size(&self) -> u64 {
        let app = self.server.app();
        app.ledger
            .state(&app.config.tenant)
            .await
            .unwrap()
            .unwrap()
            .size
    }

    /// Sends a request as it stands.
    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 4 * 1024 * 1024).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    async fn call(
        &self,
        credential: (&str, &str),
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(credential.0, credential.1);
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    /// An operator's call.
    pub(super) async fn ops(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.call(("x-ops-api-key", OPS_KEY), method, path, body)
            .await
    }

    /// Publishes policies.
    pub(super) async fn publish(&self, policies: &[Value]) {
        for policy in policies {
            self.ops("POST", "/ops/api/policies", Some(policy))
                .await
                .ok();
        }
    }

    /// A person's answer to a decision.
    pub(super) async fn resolve(&self, decision: &Value, status: &str) -> Answer {
        let path = format!("/ops/api/decisions/{}/resolve", decision.as_str().unwrap());
        self.ops(
            "POST",
            &path,
            Some(&json!({"status": status, "justification": "looked at it"})),
        )
        .await
    }

    /// An adapter with a token that somebody else minted.
    pub(super) fn bearer<'h>(&'h self, id: &str, token: &str) -> Client<'h> {
        Client {
            house: self,
            id: id.to_owned(),
            token: token.to_owned(),
        }
    }

    /// An adapter that holds the shared secret and is registered.
    pub(super) async fn adapter<'h>(&'h self, id: &str, capabilities: &[&str]) -> Client<'h> {
        let client = Client {
            house: self,
            id: id.to_owned(),
            token: token(id, capabilities),
        };
        client.register(&json!({})).await.ok();
        client
    }
}

/// A token as an adapter mints it.
fn token(id: &str, capabilities: &[&str]) -> String {
    let claims = json!({"type": "adapter", "adapter_id": id, "tenant_id": "local", "workspace_id": "local",
        "allowed_capabilities": capabilities, "sub": format!("adapter:{id}")});
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .unwrap()
}

/// An adapter.
pub(super) struct Client<'h> {
    house: &'h House,
    id: String,
    token: String,
}

impl Client<'_> {
    /// The same call with `more` over the ids that every call states.
    fn with_ids(&self, more: &Value) -> Value {
        let mut body =
            json!({"adapter_id": self.id, "tenant_id": "local", "workspace_id": "local"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.house
            .call(("x-adapter-token", &self.token), "GET", path, None)
            .await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.house
            .call(("x-adapter-token", &self.token), "POST", path, Some(body))
            .await
    }

    pub(super) async fn register(&self, more: &Value) -> Answer {
        let mut body = json!({"adapter_id": self.id, "display_name": "An adapter", "risk_class": "low",
            "capabilities": ["read", "send", "delete"], "version": "1.0.0", "enabled": true, "tool_capabilities": ["read", "send"]});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.post("/adapters/register", &body).await
    }

    /// Asks to use a tool in an execution.
    pub(super) async fn ask(&self, execution: &str, tool: &str, more: &Value) -> Answer {
        let mut body = self.with_ids(
            &json!({"execution_id": execution, "tool": tool, "requested_capabilities": ["read"]}),
        );
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.post("/api/execution/request", &body).await
    }

    /// How an execution stands.
    pub(super) async fn effect(&self, execution: &str) -> Value {
        self.get(&format!("/api/execution/{execution}")).await.ok()["effect"].clone()
    }

    /// Reports something about an execution.
    pub(super) async fn report(&self, kind: &str, execution: &str, more: &Value) -> Answer {
        let mut body = self.with_ids(&json!({"execution_id": execution, "trace_id": "trace-1"}));
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.post(&format!("/api/ingest/{kind}"), &body).await
    }
}
