//! The story's client: an adapter with a token it signs itself, operators with their key, an admin with a native key.

use super::keep::Kept;
use crate::cli::Failure;
use jsonwebtoken::{EncodingKey, Header, encode};
use probity_ledger::clock::{Clock as _, SystemClock};
use probity_schemas::subject::Tenant;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// How long an adapter's token holds.
const TOKEN_SECONDS: i64 = 2 * 60 * 60;

/// A client of the server under the story.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    tenant: Tenant,
    secrets: crate::config::Secrets,
    admin_key: HeaderValue,
}

/// Who asks.
pub(super) enum As {
    /// The adapter, by its token.
    Adapter(HeaderValue),
    /// An operator.
    Operator,
}

impl Client {
    pub(super) fn new(address: SocketAddr, tenant: Tenant, kept: &Kept) -> Result<Self, Failure> {
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            base: format!("http://{address}"),
            tenant,
            secrets: kept.secrets(),
            admin_key: header(kept.admin_key())?,
        })
    }

    /// The tenant of the story.
    pub(super) const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// A token as an adapter makes it for itself.
    pub(super) fn adapter(&self, adapter: &Value) -> Result<As, Failure> {
        let id = adapter["adapter_id"].as_str().unwrap_or_default();
        let now = SystemClock.now().millis() / 1000;
        let claims = json!({
            "type": "adapter",
            "adapter_id": id,
            "tenant_id": self.tenant.as_str(),
            "workspace_id": "local",
            "allowed_capabilities": adapter["capabilities"],
            "sub": format!("adapter:{id}"),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        });
        let secret = self
            .secrets
            .adapter_jwt
            .as_ref()
            .map_or("", |secret| secret.as_str());
        let key = EncodingKey::from_secret(secret.as_bytes());
        let token = encode(
            &Header::new(self.secrets.adapter_jwt_algorithm),
            &claims,
            &key,
        );
        header(&token.map_err(|error| Failure::Environment(error.to_string()))?).map(As::Adapter)
    }

    /// Sends a request and gives status and JSON.
    pub(super) async fn call(
        &self,
        who: &As,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), Failure> {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .headers(self.headers(who)?);
        let request = if let Some(body) = body {
            request.json(body)
        } else {
            request
        };
        let response = request.send().await?;
        let status = response.status();
        let text = response.bytes().await?;
        Ok((status, serde_json::from_slice(&text).unwrap_or(Value::Null)))
    }

    /// A bundle of the whole log.
    pub(super) async fn bundle(&self) -> Result<reqwest::Response, Failure> {
        let url = format!("{}/v1/logs/{}/bundles", self.base, self.tenant);
        let request = self
            .http
            .post(url)
            .header("x-api-key", self.admin_key.clone());
        Ok(request.send().await?.error_for_status()?)
    }

    fn headers(&self, who: &As) -> Result<HeaderMap, Failure> {
        let (name, value) = match who {
            As::Adapter(token) => ("x-adapter-token", token.clone()),
            As::Operator => (
                "x-ops-api-key",
                header(self.secrets.ops_key.as_ref().map_or("", |key| key.as_str()))?,
            ),
        };
        Ok(HeaderMap::from_iter([(
            HeaderName::from_static(name),
            value,
        )]))
    }
}

fn header(text: &str) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::try_from(text);
    let mut value = value
        .map_err(|_| Failure::Environment("a key holds what no header can carry".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}
