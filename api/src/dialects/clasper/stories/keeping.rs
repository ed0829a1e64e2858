//! Stories of those who keep the policies, of reports that are kept, and of what surrounds every answer.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::house::House;
use super::{WHEN, governed, policy};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

#[tokio::test]
async fn a_policys_life_is_all_in_the_log() {
    let house = House::open(&[]).await;
    let desk = house.adapter("desk", &["read"]).await;
    let published = house
        .ops(
            "POST",
            "/ops/api/policies",
            Some(&policy("ok", "read", "allow")),
        )
        .await
        .ok();
    assert_eq!(
        (
            &published["source_decision"],
            &published["resolved_decision_ids"],
            &published["resolved_decision_count"]
        ),
        (&Value::Null, &json!([]), &json!(0))
    );
    assert_eq!(
        (
            &published["policy"]["policy_id"],
            &published["policy"]["tenant_id"]
        ),
        (&json!("ok"), &json!("local"))
    );
    let created = published["policy"]["created_at"].clone();
    assert_eq!(
        desk.ask("exec-1", "read", &json!({})).await.ok()["decision"],
        "allow"
    );

    let off = house
        .ops(
            "PATCH",
            "/ops/api/policies/ok",
            Some(&json!({"enabled": false})),
        )
        .await
        .ok();
    assert_eq!(
        (&off["policy"]["enabled"], &off["policy"]["created_at"]),
        (&json!(false), &created)
    );
    assert_eq!(
        desk.ask("exec-2", "read", &json!({})).await.ok()["decision"],
        "deny"
    );
    let listed = house
        .ops(
            "GET",
            "/ops/api/policies?tenant_id=local&enabled=false",
            None,
        )
        .await
        .ok();
    assert_eq!(
        listed["policies"].as_array().unwrap(),
        &[off["policy"].clone()]
    );

    let before = house.size().await;
    assert_eq!(
        house
            .ops("DELETE", "/ops/api/policies/ok", Some(&json!({})))
            .await
            .ok(),
        json!({"status": "deleted"})
    );
    assert_eq!(house.size().await, before + 1);
    assert_eq!(
        house
            .ops("DELETE", "/ops/api/policies/ok", Some(&json!({})))
            .await
            .refusal(),
        (404, "Policy not found")
    );
    assert_eq!(
        house
            .ops(
                "PATCH",
                "/ops/api/policies/ok",
                Some(&json!({"enabled": true}))
            )
            .await
            .refusal(),
        (404, "Policy not found")
    );
    assert_eq!(
        house.ops("GET", "/ops/api/policies", None).await.ok()["policies"],
        json!([])
    );
}

#[tokio::test]
async fn a_policy_that_cannot_be_kept_is_refused() {
    let house = House::open(&[]).await;
    let before = house.size().await;
    let with = |field: &str, value: Value| {
        let mut policy = policy("p", "read", "allow");
        policy[field] = value;
        policy
    };
    let table = [
        (
            with("conditions", json!({"context.exec.argv0": {"regex": ".*"}})),
            400,
        ),
        (
            with("conditions", json!({"tool": "__clasper_probe__"})),
            400,
        ),
        (with("explanation", json!("x".repeat(5_000))), 400),
        (with("scope", json!({"tenant_id": "other"})), 403),
    ];
    for (policy, status) in table {
        assert_eq!(
            house
                .ops("POST", "/ops/api/policies", Some(&policy))
                .await
                .status,
            status,
            "{policy}"
        );
    }
    assert_eq!(
        house.ops("POST", "/ops/api/policies", None).await.body["details"]["formErrors"],
        json!(["Required"])
    );
    assert_eq!(
        house
            .ops("GET", "/ops/api/policies?tenant_id=other", None)
            .await
            .refusal(),
        (403, "Tenant access denied")
    );
    assert_eq!(house.size().await, before);
}

#[tokio::test]
async fn posture_follows_the_fallback() {
    let house = House::open(&[]).await;
    let desk = house.adapter("desk", &["read"]).await;
    assert_eq!(
        desk.get("/api/adapter/posture").await.ok()["status"],
        "DEGRADED"
    );
    let fallback = json!({"policy_id": "last", "subject": {"type": "tool"}, "effect": {"decision": "require_approval"}, "precedence": -100,
        "explanation": "Fallback: a person looks at it."});
    house.publish(&[fallback]).await;
    let posture = desk.get("/api/adapter/policy-posture").await.ok();
    assert_eq!(
        (
            &posture["status"],
            &posture["fallback_present"],
            &posture["covered_tools"]
        ),
        (&json!("ENFORCED"), &json!(true), &json!(["read", "send"]))
    );
    assert_eq!(
        desk.ask("exec-1", "anything", &json!({})).await.ok()["policy_fallback_hit"],
        json!(true)
    );
}

#[tokio::test]
async fn a_report_is_kept_once_for_each_adapter_and_only_when_it_is_good() {
    let house = governed().await;
    let (desk, other) = (
        house.adapter("desk", &[]).await,
        house.adapter("other", &[]).await,
    );
    let trace = |model: &Value| {
        json!({"trace": {"id": "trace-1", "tenantId": "local", "workspaceId": "local", "startedAt": WHEN, "skillVersions": {},
        "model": model, "provider": "p", "input": {}, "steps": [], "usage": {"inputTokens": 1, "outputTokens": 2, "totalCost": 0.01}}})
    };
    assert_eq!(
        desk.report("trace", "exec-1", &trace(&Value::Null))
            .await
            .status,
        400
    );
    assert_eq!(
        desk.report("trace", "exec-1", &trace(&json!("m")))
            .await
            .ok()["status"],
        "ok",
        "a refused report burns nothing"
    );
    assert_eq!(
        desk.report("trace", "exec-1", &trace(&json!("m")))
            .await
            .ok()["status"],
        "duplicate"
    );
    assert_eq!(
        other
            .report("trace", "exec-1", &trace(&json!("m")))
            .await
            .ok()["status"],
        "ok",
        "another adapter's is another report"
    );
    let reports = [
        (
            "cost",
            json!({"cost_usd": 0.020883, "recorded_at": WHEN, "input_tokens": 5}),
        ),
        (
            "metrics",
            json!({"step_count": 3, "duration_ms": 12.5, "recorded_at": WHEN}),
        ),
        (
            "violations",
            json!({"violation_type": "secret", "message": "no", "occurred_at": WHEN, "data": {"path": "/x"}}),
        ),
        (
            "audit",
            json!({"event_type": "approval_requested", "occurred_at": WHEN, "event_data": {"a": 0.5}}),
        ),
    ];
    for (kind, report) in &reports {
        assert_eq!(
            desk.report(kind, "exec-1", report).await.ok(),
            json!({"status": "ok"}),
            "{kind}"
        );
        assert_eq!(
            desk.report(kind, "exec-1", report).await.ok(),
            json!({"status": "duplicate"}),
            "{kind}"
        );
    }
    let mut wrong = trace(&json!("m"));
    wrong["trace"]["id"] = json!("another");
    assert_eq!(
        desk.report("trace", "exec-2", &wrong).await.refusal(),
        (400, "Trace identity mismatch for ingest payload")
    );
}

#[tokio::test]
async fn every_answer_carries_a_trace_id_and_every_error_its_form() {
    let house = House::open(&[]).await;
    let get = |path: &str| {
        Request::get(path)
            .header("x-trace-id", "mine")
            .body(Body::empty())
            .unwrap()
    };
    let unknown = house.send(get("/api/nowhere")).await;
    assert_eq!(
        (unknown.status, &unknown.headers["x-trace-id"]),
        (404, &"mine".parse().unwrap())
    );
    assert_eq!(
        unknown.body,
        json!({"message": "Route GET:/api/nowhere not found", "error": "Not Found", "statusCode": 404})
    );
    assert_eq!(
        house.send(get("/api/ingest/cost")).await.body["message"],
        "Route GET:/api/ingest/cost not found"
    );
    let refused = house
        .send(
            Request::get("/ops/api/decisions")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(
        refused.body,
        json!({"error": "Missing ops API key", "code": "missing_token"})
    );
    assert_eq!(refused.headers["x-trace-id"].len(), 36);
    assert_eq!(
        house
            .ops("GET", "/ops/api/decisions?limit=0", None)
            .await
            .refusal(),
        (400, "Invalid query parameters")
    );
    assert_eq!(
        house
            .ops(
                "POST",
                "/ops/api/decisions/nowhere/resolve",
                Some(&json!({"status": "approved"}))
            )
            .await
            .refusal(),
        (404, "Decision not found")
    );
}

#[tokio::test]
async fn no_route_is_open() {
    let house = House::open(&[]).await;
    let document: Value = serde_json::from_str(&super::super::document()).unwrap();
    let mut count = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(path.replace(['{', '}'], ""));
            assert_eq!(
                house
                    .send(request.body(Body::empty()).unwrap())
                    .await
                    .status,
                401,
                "{method} {path}"
            );
            count += 1;
        }
    }
    assert_eq!(count, 24);
}
