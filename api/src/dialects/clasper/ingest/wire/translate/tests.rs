//! Reports in the surface's words, and what they are in the ledger's.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{AuditReport, CostReport, MetricsReport, Reported, TraceReport, ViolationReport};
use crate::dialects::clasper::fields::{Faults, Fields};
use probity_governance::command::{Report, ReportBody};
use probity_schemas::body::Body;
use probity_schemas::vocabulary::OutcomeStatus;
use serde_json::{Value, json};

fn with(more: &Value) -> Value {
    let mut report = json!({"tenant_id": "local", "workspace_id": "local", "adapter_id": "desk",
        "execution_id": "exec-1", "trace_id": "t-1"});
    report
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    report
}

fn read<R: Reported>(more: &Value) -> Result<R, Faults> {
    let body = Body::from_foreign(with(more).to_string().as_bytes()).unwrap();
    R::read(Fields::open(Some(&body)).unwrap())
}

fn translated<R: Reported>(more: &Value) -> Report {
    read::<R>(more).unwrap().translate().unwrap().0
}

const WHEN: &str = "2026-11-22T10:00:00.125Z";

#[test]
fn each_report_has_its_own_key() {
    let audit = json!({"event_type": "approval_requested", "occurred_at": WHEN});
    let violation = json!({"violation_type": "secret", "message": "no", "occurred_at": WHEN});
    let metrics = json!({"step_count": 3, "duration_ms": 1.5, "recorded_at": WHEN});
    let cost = json!({"cost_usd": 0.020883, "recorded_at": WHEN});
    let table = [
        (
            translated::<AuditReport>(&audit),
            "audit:approval_requested",
        ),
        (
            translated::<ViolationReport>(&violation),
            "violation:secret",
        ),
        (translated::<MetricsReport>(&metrics), "metrics"),
        (translated::<CostReport>(&cost), "cost"),
    ];
    for (report, key) in table {
        assert_eq!(
            (report.execution.as_str(), report.dedup.as_str()),
            ("exec-1", key)
        );
    }
}

#[test]
fn an_audit_event_is_an_outcome_or_not_by_its_name() {
    let table = [
        ("tool_execution_completed", Some(OutcomeStatus::Completed)),
        ("tool_execution_failed", Some(OutcomeStatus::Failed)),
        ("tool_execution_blocked", None),
        ("approval_granted", None),
    ];
    for (event, status) in table {
        let report = translated::<AuditReport>(
            &json!({"event_type": event, "occurred_at": WHEN, "event_data": {"b": 1, "a": 0.5}}),
        );
        let (found, body) = match report.body {
            ReportBody::Outcome(outcome) => (Some(outcome.status), outcome.body),
            ReportBody::Audit(audit) => (None, audit.body),
            other => unreachable!("{other:?}"),
        };
        assert_eq!(
            (found, body.unwrap().as_str()),
            (status, r#"{"a":0.5,"b":1}"#),
            "{event}"
        );
    }
}

#[test]
fn amounts_are_kept_in_whole_units() {
    let ReportBody::Cost(cost) = translated::<CostReport>(
        &json!({"cost_usd": 0.020883, "recorded_at": WHEN, "input_tokens": 5901}),
    )
    .body
    else {
        unreachable!()
    };
    assert_eq!(
        (cost.cost_micros, cost.tokens_in, cost.tokens_out),
        (20_883, 5_901, 0)
    );
    let ReportBody::Metric(metric) = translated::<MetricsReport>(
        &json!({"step_count": 3, "duration_ms": 1.5, "recorded_at": WHEN}),
    )
    .body
    else {
        unreachable!()
    };
    assert_eq!((metric.steps, metric.duration_micros), (3, 1_500));
    assert_eq!(metric.occurred.to_string(), "2026-11-22T10:00:00.125000Z");
}

#[test]
fn a_report_at_fault_names_its_fields() {
    let faults = read::<CostReport>(&json!({"cost_usd": -1, "input_tokens": 1.5})).unwrap_err();
    assert_eq!(
        faults.fields.keys().collect::<Vec<_>>(),
        ["cost_usd", "input_tokens", "recorded_at"]
    );
    let faults = read::<TraceReport>(&json!({"trace": {"id": "t-1"}})).unwrap_err();
    assert!(
        faults.fields["trace"].contains(&"steps: Required".to_owned()),
        "{faults:?}"
    );
    assert_eq!(
        read::<TraceReport>(&json!({})).unwrap_err().fields["trace"],
        ["Required"]
    );
}

#[test]
fn a_trace_must_be_the_one_the_report_names() {
    let trace = |id: &str| {
        json!({"trace": {"id": id, "tenantId": "local", "workspaceId": "local", "startedAt": WHEN, "skillVersions": {},
            "model": "m", "provider": "p", "input": {}, "steps": [], "usage": {"inputTokens": 0, "outputTokens": 0, "totalCost": 0}}})
    };
    let (report, attachments) = read::<TraceReport>(&trace("t-1"))
        .unwrap()
        .translate()
        .unwrap();
    let ReportBody::Trace(record) = report.body else {
        unreachable!()
    };
    assert_eq!(
        (report.dedup.as_str(), record.attachment.blake3.as_str()),
        ("trace", attachments[0].blake3.as_str())
    );
    assert_eq!(record.attachment.bytes, attachments[0].content.len() as u64);
    assert!(
        read::<TraceReport>(&trace("t-2"))
            .unwrap()
            .translate()
            .is_err()
    );
}
