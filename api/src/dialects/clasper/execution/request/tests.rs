//! Requests in the surface's words, and what they are in the ledger's.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Ask, ExecutionRequest, snapshot};
use crate::dialects::clasper::credentials::Adapter;
use crate::dialects::clasper::fields::{Faults, Fields};
use probity_schemas::body::Body;
use probity_schemas::event::decision::Request;
use probity_schemas::vocabulary::{Origin, RiskClass, Sensitivity, SkillState};
use serde_json::{Value, json};

fn adapter() -> Adapter {
    Adapter {
        id: "desk".to_owned(),
        actor: "adapter:desk".to_owned(),
        tenant: "local".to_owned(),
        workspace: "local".to_owned(),
        capabilities: vec!["read".to_owned()],
    }
}

fn with(more: &Value) -> Value {
    let mut request = json!({"adapter_id": "desk", "tenant_id": "local", "workspace_id": "local", "requested_capabilities": ["read"]});
    request
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    request
}

fn read(more: &Value) -> Result<Request, Faults> {
    let body = Body::from_foreign(with(more).to_string().as_bytes()).unwrap();
    Ok(ExecutionRequest::read(Fields::open(Some(&body)).unwrap())?.translate(&adapter()))
}

#[test]
fn every_field_that_decides_arrives() {
    let request = read(&json!({
        "execution_id": "exec-1", "environment": "production", "adapter_risk_class": "high", "max_steps": 20,
        "max_cost": 1.5, "estimated_cost": 0.020883, "tool_count": 2, "tool_names": ["read", "grep"], "skill_state": "active",
        "temperature": 0.7, "data_sensitivity": "pii", "skill_tested": true, "skill_pinned": false, "custom_flags": ["night"],
        "rbac_allowed": true, "intent": "inspect", "tool": "read", "tool_group": "fs", "skill": "s", "agent_id": "a-1",
        "agent_role": "coding", "provenance": {"source": "git", "publisher": "us", "artifact_hash": "x"}
    })).unwrap();
    let provenance = request.provenance.clone().unwrap();
    assert_eq!(
        (
            request.action.as_str(),
            request.tool_group.as_deref(),
            provenance.source
        ),
        ("read", Some("fs"), Some(Origin::Git))
    );
    assert_eq!(
        (
            request.cost_micros,
            request.cost_micros_max,
            request.temperature_milli
        ),
        (Some(20_883), Some(1_500_000), Some(700))
    );
    assert_eq!(
        (request.risk_class, request.sensitivity, request.skill_state),
        (
            Some(RiskClass::High),
            Some(Sensitivity::Pii),
            Some(SkillState::Active)
        )
    );
    assert_eq!(
        (
            request.steps_max,
            request.tool_count,
            request.flags.len(),
            request.tools.len()
        ),
        (Some(20), 2, 1, 2)
    );
    assert_eq!(
        (request.adapter.as_deref(), request.execution.as_deref()),
        (Some("desk"), Some("exec-1"))
    );
    assert_eq!(
        (
            request.agent.as_deref(),
            request.agent_role.as_deref(),
            request.environment.as_deref()
        ),
        (Some("a-1"), Some("coding"), Some("production"))
    );
    assert_eq!(
        request.credential_capabilities,
        Some(vec!["read".to_owned()])
    );
}

#[test]
fn what_a_requester_may_not_decide_has_no_effect() {
    let plain = read(&json!({"tool": "read"})).unwrap();
    let pushy = read(&json!({"tool": "read", "templateVars": {"workspace.root": "/"}, "callback_url": "http://10.0.0.1/",
        "override": {"actor": "ceo", "role": "admin", "request": {"reason_code": "hotfix", "justification": "because I say so"}}})).unwrap();
    assert!(pushy.override_ignored);
    assert_eq!(
        Request {
            override_ignored: false,
            ..pushy
        },
        plain
    );
}

#[test]
fn the_tool_is_never_guessed_from_several() {
    let table = [
        (json!({"tool": "exec", "tool_names": ["read"]}), "exec"),
        (json!({"tool_names": ["read"]}), "read"),
        (json!({"tool_names": ["read", "delete"]}), "unspecified"),
        (json!({}), "read"),
        (
            json!({"requested_capabilities": ["read", "delete"]}),
            "unspecified",
        ),
        (json!({"requested_capabilities": []}), "unspecified"),
        (json!({"tool": ""}), "read"),
    ];
    for (more, action) in table {
        assert_eq!(read(&more).unwrap().action, action, "{more}");
    }
}

#[test]
fn the_probe_needs_no_capability() {
    assert_eq!(
        read(&json!({"tool": "__clasper_probe__"}))
            .unwrap()
            .credential_capabilities,
        None
    );
}

#[test]
fn every_field_at_fault_is_named() {
    let table = [
        (
            json!({"tenant_id": null}),
            "tenant_id",
            "Expected string, received null",
        ),
        (
            json!({"requested_capabilities": "read"}),
            "requested_capabilities",
            "Expected array, received string",
        ),
        (
            json!({"max_steps": 0}),
            "max_steps",
            "Number must be greater than 0",
        ),
        (
            json!({"max_steps": 1e10}),
            "max_steps",
            "Number is too large",
        ),
        (
            json!({"tool_count": 1.5}),
            "tool_count",
            "Expected integer, received float",
        ),
        (
            json!({"estimated_cost": -0.01}),
            "estimated_cost",
            "Number must be greater than or equal to 0",
        ),
        (
            json!({"skill_state": "ripe"}),
            "skill_state",
            "Invalid enum value. Expected 'draft' | 'tested' | 'approved' | 'active' | 'deprecated', received 'ripe'",
        ),
        (
            json!({"context": {"elevated_privileges": "yes"}}),
            "context",
            "elevated_privileges: Expected boolean, received string",
        ),
        (
            json!({"context": {"exec": {"argv": "rm -rf /"}}}),
            "context",
            "exec: Expected array, received string",
        ),
        (
            json!({"context": {"targets": {"paths": "/etc"}}}),
            "context",
            "targets: paths: Expected array, received string",
        ),
        (
            json!({"provenance": {"source": "moon"}}),
            "provenance",
            "Invalid enum value. Expected 'marketplace' | 'internal' | 'git' | 'unknown', received 'moon'",
        ),
        (
            json!({"execution_id": "a\nb"}),
            "execution_id",
            "String must not contain control characters",
        ),
    ];
    for (more, field, message) in table {
        let faults = read(&more).unwrap_err();
        assert_eq!(
            (faults.fields.len(), &faults.fields[field]),
            (1, &vec![message.to_owned()]),
            "{more}"
        );
    }
}

#[test]
fn asking_what_would_be_decided_is_the_same_translation() {
    let more = json!({"tool": "delete", "tool_group": "fs", "provenance": {"source": "git"}, "estimated_cost": 0.5, "context": {"targets": ["/etc"]}});
    let body = Body::from_foreign(more.to_string().as_bytes()).unwrap();
    let asked = Ask::read(&mut Fields::open(Some(&body)).unwrap()).translate(&adapter());
    let requested = read(&json!({"tool": "delete", "tool_group": "fs", "provenance": {"source": "git"}, "estimated_cost": 0.5,
        "context": {"targets": ["/etc"]}, "requested_capabilities": []})).unwrap();
    assert_eq!(asked, requested);
}

#[test]
fn a_snapshot_shows_the_request_as_it_came() {
    let sent = with(
        &json!({"execution_id": "exec-1", "tool": "read", "tool_count": 0, "tool_names": [], "custom_flags": [],
        "temperature": 0.7, "estimated_cost": 0.020883, "agent_metadata": {"z": 1, "a": [0.5]}, "intent_source": "heuristic",
        "context": {"targets": ["/etc"], "own": {"b": 2}}, "data_sensitivity": "low"}),
    );
    let body = Body::from_foreign(sent.to_string().as_bytes()).unwrap();
    let request = ExecutionRequest::read(Fields::open(Some(&body)).unwrap())
        .unwrap()
        .translate(&adapter());
    assert_eq!(snapshot(&request, "local", "local"), sent);
}

#[test]
fn the_fixtures_requests_are_all_read() {
    let runs = ["coding_agent", "refund_agent", "pipeline_agent"];
    let mut count = 0;
    for run in runs {
        let path = format!(
            "{}/../tests/fixtures/runs/{run}.json",
            env!("CARGO_MANIFEST_DIR")
        );
        let run: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for step in run["steps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|step| step["do"] == "request")
        {
            let body = Body::from_foreign(step["body"].to_string().as_bytes()).unwrap();
            ExecutionRequest::read(Fields::open(Some(&body)).unwrap()).unwrap();
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}
