//! Decisions as operators and adapters read them.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{explanation, record, standing, summary};
use crate::dialects::clasper::case::samples::{
    DECISION, START, case, directory, facts, granted, policy, request,
};
use crate::dialects::clasper::credentials::Place;
use probity_governance::posture::PostureStatus;
use probity_projections::views::DecisionRow;
use probity_schemas::body::Body;
use probity_schemas::event::Event;
use probity_schemas::vocabulary::Effect;
use serde_json::{Value, json};

const PLACE: Place<'_> = Place {
    secret: None,
    algorithm: jsonwebtoken::Algorithm::HS256,
    tenant: "local",
    workspace: "local",
};

fn row(context: &Value, after: Vec<(&str, Event)>) -> DecisionRow {
    let mut request = request("send");
    request.context = Some(Body::from_foreign(context.to_string().as_bytes()).unwrap());
    request.intent = Some("mail".to_owned());
    case(
        facts(request),
        &directory(&[policy("ask", Some("send"), Effect::RequireApproval, 0)]),
        after,
    )
    .row
}

#[test]
fn operators_see_the_request_and_the_answer() {
    let record = serde_json::to_value(
        record(&row(&json!({"url": "x"}), vec![granted()]), PLACE, START).unwrap(),
    )
    .unwrap();
    assert_eq!(
        record["resolution"],
        json!({
            "approval_type": "local", "trust_level": "self_attested", "approved_by": "local-operator", "cloud_authority": false,
            "note": null, "justification": "looks right", "resolved_at": "2027-01-15T08:01:00.000Z"
        })
    );
    assert_eq!(
        (&record["status"], &record["callback_url"]),
        (&json!("approved"), &Value::Null)
    );
    assert_eq!(
        (&record["created_at"], &record["updated_at"]),
        (
            &json!("2027-01-15T08:00:00.000Z"),
            &json!("2027-01-15T08:01:00.000Z")
        )
    );
    assert_eq!(
        record["request_snapshot"]["request"]["context"],
        json!({"url": "x"})
    );
    assert_eq!(
        record["request_snapshot"]["decision"]["decision"],
        "require_approval"
    );
    assert_eq!(
        record["request_snapshot"]["decision"]["matched_policies"],
        json!(["ask"])
    );
}

#[test]
fn the_waiting_adapter_sees_how_it_stands() {
    let standing =
        serde_json::to_value(standing(&row(&json!({}), vec![]), START).unwrap()).unwrap();
    assert_eq!(
        standing,
        json!({
            "decision_id": DECISION.to_string(), "status": "pending", "required_role": "release_manager",
            "expires_at": "2027-01-15T09:00:00.000Z", "decision_token": null, "resolution": null, "decision_token_used_at": null,
            "granted_scope": {"capabilities": ["read"], "max_steps": 100, "max_cost": 1.5, "expires_at": "2027-01-15T09:15:00.000Z"}
        })
    );
}

#[test]
fn a_list_keeps_the_first_verdict_and_the_present_state_apart() {
    let summary = summary(
        &row(&json!({}), vec![granted()]),
        PostureStatus::Degraded,
        START,
    );
    assert_eq!(
        serde_json::to_value(summary).unwrap(),
        json!({
            "decision_id": DECISION.to_string(), "timestamp": "2027-01-15T08:00:00.000Z", "tool": "send", "policy": "ask",
            "decision": "require_approval", "status": "degraded", "trace_id": null, "state": "approved", "execution_id": "exec-1"
        })
    );
}

#[test]
fn an_explanation_shows_what_it_was_about() {
    let arguments: Vec<String> = (0..12).map(|number| number.to_string()).collect();
    let context = json!({"exec": {"argv0": "mail", "argv": arguments, "cwd": "/srv"}, "targets": {"hosts": ["h"]}});
    let explained = serde_json::to_value(explanation(&row(&context, vec![])).unwrap()).unwrap();
    assert_eq!(
        explained,
        json!({
            "policy": "ask", "reason": "Words of ask.", "tool": "send", "decision": "require_approval",
            "input_summary": {"argv0": "mail", "argv": arguments[..8], "cwd": "/srv", "hosts": ["h"], "intent": "mail"}
        })
    );
    let listed = explanation(&row(&json!({"targets": ["/etc"]}), vec![])).unwrap();
    assert_eq!(
        listed.input_summary,
        json!({"targets": ["/etc"], "intent": "mail"})
    );
}
