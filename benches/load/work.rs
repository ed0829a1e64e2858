//! What is asked of the server. Every request is one that its clients make, with ids of its own.

use crate::client::{Ask, Target};
use hyper::Method;
use serde_json::json;
use uuid::Uuid;

pub const ADAPTER: &str = "bench-adapter";
const JSON: &str = "application/json";

/// Lines of one NDJSON request.
const LINES: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A governed decision under 32 policies.
    Decide,
    /// An adapter's report: that a tool was run.
    Audit,
    /// An adapter's report: what it cost.
    Cost,
    /// An adapter's report: how much work it was.
    Metrics,
    /// An adapter's report: what should not have happened.
    Violations,
    /// 500 observations a request.
    Ndjson,
    /// A person's answer to a decision that waits.
    Resolve,
    /// A page of 50 of the decisions that were denied.
    Page,
    /// One decision.
    Point,
    /// A receipt.
    Receipt,
}

impl Work {
    pub const ALL: [Self; 10] = [
        Self::Decide,
        Self::Audit,
        Self::Cost,
        Self::Metrics,
        Self::Violations,
        Self::Ndjson,
        Self::Resolve,
        Self::Page,
        Self::Point,
        Self::Receipt,
    ];

    pub const NAMES: [&str; 10] = [
        "decide",
        "audit",
        "cost",
        "metrics",
        "violations",
        "ndjson",
        "resolve",
        "page",
        "point",
        "receipt",
    ];

    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|work| work.name() == name)
    }

    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Units of work in one request.
    pub const fn units(self) -> u64 {
        match self {
            Self::Ndjson => LINES as u64,
            _ => 1,
        }
    }

    /// The request of this number; none when there is nothing left to ask.
    pub fn ask(self, number: u64, target: &Target) -> Option<Ask> {
        if number >= target.asks_max {
            return None;
        }
        let id = |number: u64| &target.ids[number as usize % target.ids.len()];
        Some(match self {
            Self::Decide => decide(ALLOWED),
            Self::Audit => report(
                "audit",
                json!({"event_type": "tool_execution_completed", "occurred_at": NOW, "message": "done"}),
            ),
            Self::Cost => report(
                "cost",
                json!({"cost_usd": 0.0125, "recorded_at": NOW, "input_tokens": 1200, "output_tokens": 340, "model": "m-large", "provider": "p"}),
            ),
            Self::Metrics => report(
                "metrics",
                json!({"step_count": 4, "duration_ms": 1830, "recorded_at": NOW}),
            ),
            Self::Violations => report(
                "violations",
                json!({"violation_type": "scope", "message": "wrote outside of its workspace", "occurred_at": NOW}),
            ),
            Self::Ndjson => Ask {
                method: Method::POST,
                path: "/v1/logs/local/records".to_owned(),
                content_type: "application/x-ndjson",
                body: lines(number),
            },
            Self::Resolve => post(
                &format!("/v1/logs/local/decisions/{}/resolve", id(number)),
                &json!({"status": "approved", "justification": "looked at it"}),
            ),
            Self::Page => get("/v1/logs/local/decisions?verdict=deny&limit=50"),
            Self::Point => get(&format!("/v1/logs/local/decisions/{}", id(number))),
            Self::Receipt => get(&format!("/v1/logs/local/receipts/{}", number % target.size)),
        })
    }
}

const NOW: &str = "2026-11-23T10:00:00.000Z";

/// Tools, by what the policies say of them.
pub const ALLOWED: &str = "exec";
pub const DENIED: &str = "delete";
pub const WAITING: &str = "pay";

/// What an adapter asks before it acts.
pub fn decide(tool: &str) -> Ask {
    let body = json!({
        "adapter_id": ADAPTER, "tenant_id": "local", "workspace_id": "local", "execution_id": Uuid::now_v7().to_string(),
        "requested_capabilities": ["tool"], "tool": tool, "tool_count": 1, "environment": "staging",
        "context": {
            "exec": {"argv0": "ls", "argv": ["ls", "-la"], "cwd": "/workspace/repo"},
            "targets": {"paths": ["/workspace/repo/src/billing.rs"]},
        },
    });
    post("/api/execution/request", &body)
}

/// The 32 policies: of those about the allowed tool the last one fits; the fallback asks a person.
pub fn policies() -> Vec<serde_json::Value> {
    let about = |number: usize| {
        let place = if number == 29 { "repo" } else { "other" };
        json!({
            "policy_id": format!("policy-{number:02}"), "subject": {"type": "tool", "name": ALLOWED}, "precedence": 10,
            "conditions": {
                "context.exec.argv0": {"in": ["ls", "cat", "git"]},
                "context.targets.paths": {"all_under": [format!("/workspace/{place}")]},
            },
            "effect": {"decision": "allow"},
        })
    };
    let mut all: Vec<_> = (0..30).map(about).collect();
    all.push(json!({"policy_id": "no-deletion", "subject": {"type": "tool", "name": DENIED}, "precedence": 10,
        "effect": {"decision": "deny"}}));
    all.push(
        json!({"policy_id": "fallback", "subject": {"type": "tool"}, "precedence": -100,
        "effect": {"decision": "require_approval"}}),
    );
    all
}

fn report(kind: &str, mut body: serde_json::Value) -> Ask {
    let id = Uuid::now_v7();
    for (name, value) in [
        ("adapter_id", ADAPTER),
        ("tenant_id", "local"),
        ("workspace_id", "local"),
    ] {
        body[name] = value.into();
    }
    body["execution_id"] = id.to_string().into();
    body["trace_id"] = format!("trace-{id}").into();
    post(&format!("/api/ingest/{kind}"), &body)
}

fn lines(number: u64) -> Vec<u8> {
    let mut all = Vec::new();
    for at in 0..LINES {
        let id = Uuid::now_v7();
        let text = format!("{:x>120}", number * LINES as u64 + at as u64);
        let line = json!({"kind": "note", "subject": format!("note/{id}"), "data": {"text": text}});
        serde_json::to_writer(&mut all, &line).unwrap();
        all.push(b'\n');
    }
    all
}

fn post(path: &str, body: &serde_json::Value) -> Ask {
    Ask {
        method: Method::POST,
        path: path.to_owned(),
        content_type: JSON,
        body: serde_json::to_vec(body).unwrap(),
    }
}

/// What is only read.
pub fn get(path: &str) -> Ask {
    Ask {
        method: Method::GET,
        path: path.to_owned(),
        content_type: JSON,
        body: Vec::new(),
    }
}
