//! A server on a free port over a data directory of its own, and keys for whoever a story needs.

use probity_api::app::App;
use probity_api::config::{ServerConfig, StoreConfig};
use probity_api::key::MintedKey;
use probity_api::serve::Server;
use probity_governance::command::{Command, Operation};
use probity_ledger::Submission;
use probity_schemas::event::registry::CredentialIssued;
use probity_schemas::subject::Tenant;
use probity_schemas::vocabulary::{CredentialMethod, Role};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// One good line of a batch.
pub(crate) const LINE: &str = r#"{"kind":"seen","subject":"ticket/1","data":{"b":1,"a":2}}"#;

pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) app: App,
    pub(crate) http: reqwest::Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Served {
    /// A fresh server; the directory lives as long as the guard that comes with it.
    pub(crate) async fn fresh() -> (Self, TempDir) {
        let directory = TempDir::new().unwrap();
        (Self::on(directory.path(), |_| {}).await, directory)
    }

    /// A server over a directory, configured.
    pub(crate) async fn on(data: &Path, configure: impl FnOnce(&mut ServerConfig)) -> Self {
        let store = StoreConfig {
            data: data.to_owned(),
            keys: None,
            database: None,
            origin: Some("ledger.example".to_owned()),
        };
        let mut config = ServerConfig::new(store, tenant("local"), ([127, 0, 0, 1], 0).into());
        configure(&mut config);
        let server = Server::open(config).await.unwrap();
        let (url, app) = (format!("http://{}", server.address()), server.app().clone());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async { drop(stopped.await) }));
        Self {
            url,
            app,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            stop,
            running,
        }
    }

    /// Issues a key as whoever holds the data directory.
    pub(crate) async fn issue(&self, tenant_name: &str, role: Role) -> String {
        let tenant = tenant(tenant_name);
        let minted = MintedKey::mint(&tenant).unwrap();
        let kind = if role == Role::Agent { "agent" } else { "user" };
        let issued = CredentialIssued {
            actor: format!("{kind}:{}", minted.id),
            digest: minted.digest.clone(),
            method: CredentialMethod::Key,
            roles: vec![role],
        };
        self.app.ledger.create_log(&tenant).await.unwrap();
        let operation = Operation::IssueCredential(minted.id.to_string(), Box::new(issued));
        self.app
            .ledger
            .submit(&tenant, submission(operation))
            .await
            .unwrap();
        minted.key.to_string()
    }

    pub(crate) fn request(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("x-api-key", key)
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Response {
        self.request(Method::GET, path, key).send().await.unwrap()
    }

    pub(crate) fn batch(&self, key: &str, lines: impl Into<String>) -> RequestBuilder {
        let request = self.request(Method::POST, "/v1/logs/local/records", key);
        request
            .header("content-type", "application/x-ndjson")
            .body(lines.into())
    }

    /// How many records the log has.
    pub(crate) async fn size(&self) -> u64 {
        self.app
            .ledger
            .reader()
            .log(&tenant("local"))
            .await
            .unwrap()
            .unwrap()
            .size
    }

    /// Stops as a signal would, and waits until all is closed.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        drop(self.app);
        self.running.await.unwrap();
    }
}

/// Status and code of a problem; anything else is shown.
pub(crate) async fn problem(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json",
        "{status}"
    );
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    assert_eq!(
        body["type"],
        format!("urn:probity:problem:{}", body["code"].as_str().unwrap())
    );
    (status, body["code"].as_str().unwrap().to_owned())
}

pub(crate) fn tenant(name: &str) -> Tenant {
    Tenant::parse(name).unwrap()
}

/// A command of the ledger itself.
pub(crate) fn submission(operation: Operation) -> Submission {
    let command = Command {
        actor: "system".to_owned(),
        surface: "native",
        workspace: None,
        correlation: None,
        causation: None,
        traceparent: None,
        operation,
    };
    Submission {
        command,
        idempotency: None,
        attachments: Vec::new(),
    }
}
