//! Policies, both ways.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Failure, read, write};
use crate::dialects::clasper::fields::Fields;
use probity_schemas::body::Body;
use probity_schemas::policy::Policy;
use serde_json::{Value, json};

fn parse(value: &Value) -> Result<Policy, Failure> {
    let body = Body::from_foreign(value.to_string().as_bytes()).unwrap();
    read(Fields::open(Some(&body)).unwrap(), "local", "local")
}

fn fallback() -> Value {
    json!({
        "policy_id": "fallback", "description": "left unread", "scope": {"tenant_id": "local"},
        "subject": {"type": "tool"}, "conditions": {}, "effect": {"decision": "require_approval"},
        "explanation": "Fallback: a person looks at it.", "precedence": -100
    })
}

fn with(path: &str, value: Value) -> Value {
    let mut policy = fallback();
    *policy.pointer_mut(path).unwrap() = value;
    policy
}

#[test]
fn a_policy_is_read_and_written_back() {
    let policy = parse(&fallback()).unwrap();
    assert_eq!(
        (
            policy.precedence,
            policy.enabled,
            policy.subject.name.as_deref()
        ),
        (-100, true, None)
    );
    let written = serde_json::to_value(write(&policy, "local")).unwrap();
    assert_eq!(parse(&written).unwrap(), policy);
    assert_eq!(written["effect"], json!({"decision": "require_approval"}));
    assert_eq!(written["scope"], json!({"tenant_id": "local"}));
}

#[test]
fn each_field_at_fault_is_named() {
    let table = [
        (with("/effect", json!({"decision": "maybe"})), "effect"),
        (with("/effect", json!({})), "effect"),
        (with("/subject", json!({"type": "person"})), "subject"),
        (
            with(
                "/subject",
                json!({"type": "tool", "name": "__clasper_probe__"}),
            ),
            "subject",
        ),
        (
            with(
                "/conditions",
                json!({"tool": {"in": ["read", "__clasper_x"]}}),
            ),
            "subject",
        ),
        (
            with("/conditions", json!({"tool": {"prefix": "__clasper_"}})),
            "subject",
        ),
        (
            with("/conditions", json!({"tool": {"like": "x"}})),
            "conditions",
        ),
        (with("/conditions", json!([])), "conditions"),
        (with("/precedence", json!(0.5)), "precedence"),
        (with("/policy_id", json!(7)), "policy_id"),
    ];
    for (policy, field) in table {
        let Err(Failure::Invalid { faults, .. }) = parse(&policy) else {
            unreachable!("{policy}")
        };
        assert!(
            faults.fields.contains_key(field) && faults.fields.len() == 1,
            "{policy}: {faults:?}"
        );
    }
}

#[test]
fn another_tenants_policy_and_an_unanswered_wizard_are_turned_away() {
    let said = |policy: &Value| match parse(policy).unwrap_err() {
        Failure::Said { status, error } => (status.as_u16(), error),
        Failure::Told { status, body } => (status.as_u16(), body["code"].to_string()),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(
        said(&with("/scope", json!({"tenant_id": "x"}))),
        (403, "Tenant access denied".to_owned())
    );
    assert_eq!(
        said(&with("/scope", json!({"workspace_id": "x"}))),
        (403, "Workspace access denied".to_owned())
    );
    let mut wizard = fallback();
    wizard["_wizard_meta"] = json!({"selected_outcome": "allow"});
    assert_eq!(
        said(&wizard),
        (400, "\"wizard_allow_ack_required\"".to_owned())
    );
    wizard["_wizard_meta"]["wizard_acknowledged_allow"] = json!(true);
    assert!(parse(&wizard).is_ok());
}
