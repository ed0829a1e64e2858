//! The contract of an adapter's plugin, and a pack of policies, over real HTTP.

use crate::harness::{Engine, Home, Server, accepted};
use crate::player::{RUNS, play};
use crate::plugin::{Operator, Plugin};
use reqwest::Method;
use serde_json::{Value, json};

async fn begin(home: &Home) -> (Server, Plugin, Operator) {
    let server = home.serve().await;
    let plugin = server.plugin("acceptance-plugin", &["tool"]);
    plugin.register(&plugin.registration()).await;
    let operator = server.operator();
    for policy in [
        json!({"policy_id": "read", "subject": {"type": "tool", "name": "read"}, "effect": {"decision": "allow"}, "precedence": 10}),
        json!({"policy_id": "delete", "subject": {"type": "tool", "name": "delete"}, "effect": {"decision": "deny"},
               "explanation": "Nothing is deleted.", "precedence": 20}),
        json!({"policy_id": "pay", "subject": {"type": "tool", "name": "pay"}, "effect": {"decision": "require_approval"}, "precedence": 20}),
    ] {
        operator.publish(&policy).await;
    }
    (server, plugin, operator)
}

async fn ask(plugin: &Plugin, execution: &str, tool: &str) -> Value {
    plugin
        .request(&plugin.body(execution, tool, json!({})))
        .await
}

#[tokio::test]
async fn allow_deny_pending_approved_and_pending_denied() {
    let home = Home::new(Engine::Sqlite).await;
    let (server, plugin, operator) = begin(&home).await;

    let allowed = ask(&plugin, "e-read", "read").await;
    assert_eq!(
        (&allowed["decision"], &allowed["allowed"]),
        (&json!("allow"), &json!(true))
    );
    assert_eq!(allowed["granted_scope"]["capabilities"], json!(["tool"]));
    plugin
        .ingest(
            "audit",
            &plugin.outcome("e-read", "tool_execution_completed"),
        )
        .await;

    let denied = ask(&plugin, "e-delete", "delete").await;
    assert_eq!(
        (&denied["decision"], &denied["blocked_reason"]),
        (&json!("deny"), &json!("policy_denied"))
    );
    assert_eq!(denied["explanation"], json!("Nothing is deleted."));

    let unknown = ask(&plugin, "e-unknown", "never-heard-of").await;
    assert_eq!(
        unknown["decision"],
        json!("deny"),
        "guarded means what it says: {unknown}"
    );

    // Approved: the plugin polls, never asks again, and its first report uses the grant up.
    let pending = ask(&plugin, "e-pay-1", "pay").await;
    assert_eq!(
        (&pending["decision"], &pending["requires_approval"]),
        (&json!("pending"), &json!(true))
    );
    assert_eq!(pending["required_role"], json!("release_manager"));
    let decision = pending["decision_id"].as_str().unwrap();
    assert_eq!(operator.pending().await.len(), 1);
    operator.resolve(decision, "approved").await;
    assert_eq!(plugin.poll("e-pay-1").await["effect"], json!("allow"));
    assert_eq!(
        plugin.poll("e-pay-1").await["effect"],
        json!("allow"),
        "a poll uses nothing up"
    );
    let reported = plugin
        .ingest(
            "audit",
            &plugin.outcome("e-pay-1", "tool_execution_completed"),
        )
        .await;
    assert_eq!(reported["status"], json!("ok"));
    let afresh = ask(&plugin, "e-pay-1", "pay").await;
    assert_eq!(
        afresh["decision"],
        json!("pending"),
        "the grant was used: decided afresh"
    );

    // Denied.
    let pending = ask(&plugin, "e-pay-2", "pay").await;
    operator
        .resolve(pending["decision_id"].as_str().unwrap(), "denied")
        .await;
    assert_eq!(plugin.poll("e-pay-2").await["effect"], json!("deny"));
    let again = ask(&plugin, "e-pay-2", "pay").await;
    assert_eq!(
        (&again["decision"], &again["blocked_reason"]),
        (&json!("deny"), &json!("approval_denied"))
    );

    server.stop();
    accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
}

#[tokio::test]
async fn what_the_peer_lets_through_does_not_pass_here() {
    let home = Home::new(Engine::Sqlite).await;
    let (server, plugin, operator) = begin(&home).await;

    let mut overriding = plugin.body("h-1", "delete", json!({}));
    overriding["override"] = json!({"actor": "ceo", "role": "admin",
        "request": {"reason_code": "hotfix", "justification": "because I say so"}});
    assert_eq!(
        plugin.request(&overriding).await["decision"],
        json!("deny"),
        "nobody grants themselves an override"
    );

    let pending = ask(&plugin, "h-2", "pay").await;
    let retried = ask(&plugin, "h-2", "pay").await;
    assert_eq!(
        pending["decision_id"], retried["decision_id"],
        "a retry makes no second pending"
    );
    operator
        .resolve(pending["decision_id"].as_str().unwrap(), "approved")
        .await;
    assert_eq!(
        ask(&plugin, "h-2", "delete").await["decision"],
        json!("deny"),
        "an approval is of the very request"
    );

    let pending = ask(&plugin, "h-3", "pay").await;
    operator
        .resolve(pending["decision_id"].as_str().unwrap(), "approved")
        .await;
    assert_eq!(ask(&plugin, "h-3", "pay").await["decision"], json!("allow"));
    assert_eq!(
        ask(&plugin, "h-3", "pay").await["decision"],
        json!("pending"),
        "an approval is used once"
    );

    let mut disabled = plugin.registration();
    disabled["enabled"] = json!(false);
    plugin.register(&disabled).await;
    assert_eq!(
        ask(&plugin, "h-4", "read").await["decision"],
        json!("deny"),
        "a disabled adapter is denied"
    );

    let stranger = server.plugin("stranger", &["tool"]);
    assert_eq!(
        ask(&stranger, "h-5", "read").await["decision"],
        json!("deny"),
        "an unknown adapter is denied"
    );

    plugin.register(&plugin.registration()).await;
    let reported = plugin
        .ingest("audit", &plugin.outcome("h-1", "tool_execution_completed"))
        .await;
    assert_eq!(
        reported["status"],
        json!("ok"),
        "an outcome without an allow is kept"
    );
    let key = server_key(&home, server).await;
    let text = std::fs::read_to_string(home.path("bundle").join("records.jsonl")).unwrap();
    assert!(text.contains("outcome_without_allow"), "as a violation");
    accepted(&home.path("bundle"), &key);
}

/// Stops the server and exports; the verifier key.
async fn server_key(home: &Home, server: Server) -> String {
    server.stop();
    home.export("local", "bundle");
    home.vkey("local")
}

#[tokio::test]
async fn expiry_is_enforced_and_recorded() {
    let home = Home::new(Engine::Sqlite).await;
    let server = home.serve_as("data", &["--approval-seconds", "1"]).await;
    let plugin = server.plugin("acceptance-plugin", &["tool"]);
    plugin.register(&plugin.registration()).await;
    let operator = server.operator();
    operator
        .publish(
            &json!({"policy_id": "pay", "subject": {"type": "tool", "name": "pay"},
            "effect": {"decision": "require_approval"}}),
        )
        .await;
    let pending = ask(&plugin, "x-1", "pay").await;
    assert_eq!(
        plugin.poll("x-1").await["effect"],
        json!("deny"),
        "nobody came in time"
    );
    let path = format!(
        "/ops/api/decisions/{}/resolve",
        pending["decision_id"].as_str().unwrap()
    );
    let (status, answer) = operator
        .call(Method::POST, &path, Some(&json!({"status": "approved"})))
        .await;
    assert_eq!(status, 409, "too late: {answer}");
    let key = server_key(&home, server).await;
    let text = std::fs::read_to_string(home.path("bundle").join("records.jsonl")).unwrap();
    assert!(text.contains("decision.expired.v1"));
    accepted(&home.path("bundle"), &key);
}

#[tokio::test]
async fn a_pack_of_32_policies_is_seeded_and_decides() {
    let home = Home::new(Engine::Sqlite).await;
    let server = home.serve().await;
    let plugin = server.plugin("acceptance-plugin", &["tool"]);
    plugin.register(&plugin.registration()).await;
    let operator = server.operator();
    for policy in pack() {
        operator.publish(&policy).await;
    }
    let exec = |argv0: &str, path: &str| json!({"exec": {"argv0": argv0, "argv": [argv0], "cwd": "/workspace/repo"}, "targets": {"paths": [path]}});
    for (name, tool, context, wanted) in [
        (
            "a safe command inside",
            "exec",
            exec("ls", "/workspace/repo/src"),
            "allow",
        ),
        (
            "a safe command outside",
            "exec",
            exec("ls", "/etc"),
            "pending",
        ),
        (
            "out by dots",
            "exec",
            exec("ls", "/workspace/repo/../../etc/shadow"),
            "pending",
        ),
        (
            "a dangerous command",
            "exec",
            exec("rm", "/workspace/repo"),
            "deny",
        ),
        ("a tool of the pack", "tool-07", json!({}), "allow"),
        ("an unknown tool", "teleport", json!({}), "pending"),
    ] {
        let mut body = plugin.body(&format!("pack-{name}"), tool, context);
        body["templateVars"] = json!({"workspace.root": "/"});
        let answer = plugin.request(&body).await;
        assert_eq!(answer["decision"], json!(wanted), "{name}: {answer}");
    }
    let posture = plugin.get("/api/adapter/posture").await;
    assert_eq!(
        (&posture["mode"], &posture["fallback_present"]),
        (&json!("guarded"), &json!(true)),
        "{posture}"
    );
    assert_eq!(posture["policy_count"], json!(32), "{posture}");
    let (status, listed) = operator.call(Method::GET, "/ops/api/policies", None).await;
    assert_eq!(
        (status, listed["policies"].as_array().unwrap().len()),
        (200, 32)
    );
    let (status, _) = operator
        .call(
            Method::PATCH,
            "/ops/api/policies/safe-reads",
            Some(&json!({"enabled": false})),
        )
        .await;
    assert_eq!(status, 200);
    let body = plugin.body("pack-after", "exec", exec("ls", "/workspace/repo/src"));
    assert_eq!(
        plugin.request(&body).await["decision"],
        json!("pending"),
        "the rule is switched off"
    );
    let key = server_key(&home, server).await;
    accepted(&home.path("bundle"), &key);
}

/// 32 policies in the style of the pack that operators seed: dotted keys, templates, a fallback of precedence -100.
fn pack() -> Vec<Value> {
    let mut pack = vec![
        json!({"policy_id": "safe-reads", "subject": {"type": "tool", "name": "exec"}, "precedence": 30,
            "conditions": {"context.exec.argv0": {"in": ["ls", "cat", "git"]},
                           "context.targets.paths": {"all_under": ["{{workspace.root}}"]}},
            "effect": {"decision": "allow"}, "explanation": "Safe reads inside the workspace."}),
        json!({"policy_id": "dangerous", "subject": {"type": "tool", "name": "exec"}, "precedence": 90,
            "conditions": {"context.exec.argv0": {"in": ["rm", "dd", "mkfs"]}}, "effect": {"decision": "deny"}}),
        json!({"policy_id": "fallback", "subject": {"type": "tool"}, "precedence": -100,
            "effect": {"decision": "require_approval"}, "explanation": "Fallback: a person decides."}),
    ];
    for number in 0..29 {
        let name = format!("tool-{number:02}");
        pack.push(
            json!({"policy_id": format!("allow-{name}"), "subject": {"type": "tool", "name": name},
            "effect": {"decision": "allow"}, "precedence": 10, "scope": {}}),
        );
    }
    pack
}

#[tokio::test]
async fn three_agent_runs_play_on_both_stores_and_the_judge_accepts() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let home = Home::new(engine).await;
        let server = home.serve().await;
        for run in RUNS {
            play(&server, run).await;
        }
        server.stop();
        let text = accepted(&home.export("local", "bundle.tar"), &home.vkey("local"));
        assert!(text.contains("adjudication"), "{text}");
        home.remove().await;
    }
}
