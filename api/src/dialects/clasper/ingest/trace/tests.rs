//! Traces, whole and damaged.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::Trace;
use probity_schemas::body::Body;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn trace(steps: &Value) -> Body {
    let value = json!({
        "id": "t-1", "tenantId": "local", "workspaceId": "local", "startedAt": "2026-11-22T10:00:00.000Z",
        "skillVersions": {}, "model": "m", "provider": "p", "input": {"message": "do", "messageHistory": 1},
        "steps": steps, "usage": {"inputTokens": 10, "outputTokens": 2, "totalCost": 0.0042},
        "durationMs": 12.5, "violations": [{"type": "x"}]
    });
    Body::from_foreign(value.to_string().as_bytes()).unwrap()
}

/// A step as a client with its own canonicaliser hashes it.
fn step(id: &str, previous: Value, data: Value) -> Value {
    let mut step = json!({"step_id": id, "prev_step_hash": previous, "type": "tool_call",
        "timestamp": "2026-11-22T10:00:01.000Z", "durationMs": 3, "data": data});
    let canonical = Body::from_foreign(step.to_string().as_bytes()).unwrap();
    let digest = Sha256::digest(canonical.as_str());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    step["step_hash"] = json!(format!("sha256:{hex}"));
    step
}

fn two_steps() -> Vec<Value> {
    let first = step(
        "a",
        Value::Null,
        json!({"toolName": "read", "permitted": true}),
    );
    let second = step(
        "b",
        first["step_hash"].clone(),
        json!({"toolName": "write", "permitted": true}),
    );
    vec![first, second]
}

#[test]
fn the_step_hashes_say_how_whole_a_trace_is() {
    let changed = |at: usize, name: &str, value: Value| {
        let mut steps = two_steps();
        steps[at][name] = value;
        json!(steps)
    };
    let table = [
        (json!([]), "unverified", vec!["no_steps"]),
        (
            json!([{"type": "error"}, {"type": "error"}]),
            "unsigned",
            vec!["missing_step_hashes"],
        ),
        (json!(two_steps()), "verified", vec![]),
        (
            changed(0, "data", json!({"toolName": "delete"})),
            "compromised",
            vec!["step_0_hash_mismatch"],
        ),
        (
            changed(1, "step_hash", Value::Null),
            "compromised",
            vec!["step_1_missing_hash"],
        ),
        (
            json!([two_steps()[1], two_steps()[0]]),
            "compromised",
            vec!["step_0_prev_hash_mismatch", "step_1_prev_hash_mismatch"],
        ),
    ];
    for (steps, status, failures) in table {
        let integrity = Trace::read(&trace(&steps)).unwrap().integrity();
        assert_eq!(
            (integrity.status, integrity.failures),
            (status, failures.into_iter().map(str::to_owned).collect()),
            "{steps}"
        );
    }
}

#[test]
fn the_record_keeps_a_summary_and_names_the_trace_by_its_hash() {
    let body = trace(&json!(two_steps()));
    let record = Trace::read(&body)
        .unwrap()
        .record("exec-1".to_owned(), &body);
    assert_eq!(
        record.attachment.blake3,
        blake3::hash(body.as_str().as_bytes()).to_hex().to_string()
    );
    assert_eq!(
        (
            record.steps,
            record.violations,
            record.cost_micros,
            record.duration_micros
        ),
        (2, 1, 4_200, Some(12_500))
    );
    assert_eq!(
        (
            record.tokens_in,
            record.tokens_out,
            record.integrity.as_str()
        ),
        (10, 2, "verified")
    );
}

#[test]
fn a_trace_without_its_fields_is_refused() {
    let body = Body::from_foreign(br#"{"id":"t","steps":{}}"#).unwrap();
    let faults = Trace::read(&body).unwrap_err();
    for field in [
        "tenantId",
        "workspaceId",
        "startedAt",
        "model",
        "provider",
        "input",
        "steps",
        "usage",
        "skillVersions",
    ] {
        assert!(faults.fields.contains_key(field), "{field}");
    }
}
