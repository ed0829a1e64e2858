//! The published OpenAPI documents, held against the running server by a tool that nobody here wrote: Schemathesis makes calls of each document, good
//! ones and bad ones, and every answer must be one that the document has.
//!
//! `fuzzed.py` beside this file is what the tool cannot know. The seed is fixed; `PROBITY_SCHEMATHESIS_EXAMPLES` asks for more examples of each operation.

use crate::harness::{ADAPTER_SECRET, Engine, Home, OPS_KEY, Server, repository, run};
use crate::judges::tool;
use crate::plugin::token;
use serde_json::{Value, json};
use std::process::Command;

/// Examples of each operation, besides the values at the edges of each schema.
const EXAMPLES: &str = "5";

/// Every answer is no fault of the server's, and its status, its media type and its body are in the document.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// The same calls every time, all of them, and nothing kept for the next time. No call takes longer than 20 s.
const OPTIONS: &str = "--phases coverage,fuzzing --seed 1 --workers 1 --continue-on-failure --generation-database none \
    --request-timeout 20 --suppress-health-check all --warnings off --no-color --report json --report-json-path report.json";

/// A server that knows something already.
struct Target {
    home: Home,
    server: Server,
    /// An admin's key.
    key: String,
    /// What paths may name, by their ends.
    names: Value,
}

impl Target {
    async fn begin() -> Self {
        let home = Home::new(Engine::Sqlite).await;
        let key = home.issue_key("local", "admin");
        let server = home.serve().await;
        let plugin = server.plugin("fuzzed", &["tool"]);
        plugin.register(&plugin.registration()).await;
        let policy = json!({"policy_id": "pay", "subject": {"type": "tool", "name": "pay"}, "effect": {"decision": "require_approval"}});
        server.operator().publish(&policy).await;
        let pending = plugin.request(&plugin.body("e-1", "pay", json!({}))).await;
        let report = plugin.outcome("e-1", "tool_execution_completed");
        plugin.ingest("audit", &report).await;
        assert_eq!(server.observe(&key).await.0, 201);
        let names = json!({
            "/decisions/{id}": pending["decision_id"], "/{decision_id}": pending["decision_id"], "/{execution_id}": "e-1",
            "/{policy_id}": "pay", "/tile/{path}": "0/000.p/1",
        });
        Self {
            home,
            server,
            key,
            names,
        }
    }

    /// Holds a document against the server, with these headers on every call; how many operations let a call in.
    fn fuzz(self, document: &str, headers: &[String]) -> usize {
        let examples = std::env::var("PROBITY_SCHEMATHESIS_EXAMPLES");
        let hooks = repository().join("tests/acceptance/fuzzed.py");
        let mut command = Command::new(tool("venv/bin/schemathesis"));
        command
            .current_dir(self.home.path(""))
            .env("SCHEMATHESIS_HOOKS", hooks)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PROBITY_FUZZED_NAMES", self.names.to_string())
            .args(["run", document, "--url", &self.server.base])
            .args(["--checks", CHECKS, "--max-examples"])
            .arg(examples.as_deref().unwrap_or(EXAMPLES))
            .args(OPTIONS.split_whitespace())
            .args(headers.iter().flat_map(|header| ["--header", header]));
        run(&mut command);
        let report = std::fs::read(self.home.path("report.json")).unwrap();
        let report: Value = serde_json::from_slice(&report).unwrap();
        self.server.stop();
        summary(document, &report)
    }
}

/// Calls that are all refused would show little of an operation's answers.
fn summary(document: &str, report: &Value) -> usize {
    let (operations, calls) = (&report["operations"], &report["test_cases"]["generated"]);
    assert_eq!(operations["tested"], operations["total"], "{operations}");
    let let_in = |phases: &&Value| {
        let mut phases = phases.as_object().unwrap().values();
        phases.any(|phase| phase["accepted"] != json!(0))
    };
    let rates = report["valid_rates"].as_object().unwrap();
    let accepting = rates.values().filter(let_in).count();
    eprintln!(
        "{document}: {calls} calls of {} operations; {accepting} operations let calls in",
        operations["tested"]
    );
    accepting
}

#[tokio::test]
async fn every_answer_of_the_native_surface_is_in_its_document() {
    let target = Target::begin().await;
    let document = format!("{}/openapi.json", target.server.base);
    let key = format!("Authorization: Bearer {}", target.key);
    assert!(target.fuzz(&document, &[key]) >= 30);
}

#[tokio::test]
async fn every_answer_of_the_dialect_is_in_its_document() {
    let target = Target::begin().await;
    let document = repository().join("schemas/openapi/clasper.json");
    let adapter = token("fuzzed", "local", &["tool"], ADAPTER_SECRET);
    let headers = [
        format!("X-Adapter-Token: {adapter}"),
        format!("X-Ops-Api-Key: {OPS_KEY}"),
    ];
    assert!(target.fuzz(document.to_str().unwrap(), &headers) >= 18);
}
