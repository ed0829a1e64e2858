//! Reading: records in every selection, following, views with their position, health.

use crate::harness::{LINE, Served, problem};
use futures_util::StreamExt as _;
use probity_schemas::vocabulary::Role;
use serde_json::Value;
use std::time::Duration;

#[tokio::test]
async fn records_are_selected_by_position_subject_and_time() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Operator).await;
    for subject in ["ticket/1", "ticket/2", "ticket/1"] {
        let line = LINE.replace("ticket/1", subject);
        assert_eq!(served.batch(&key, line).send().await.unwrap().status(), 201);
    }
    let size = served.size().await;
    let count = |query: String| {
        let (served, key) = (&served, &key);
        async move {
            served
                .get(&format!("/v1/logs/local/records?{query}"), key)
                .await
                .text()
                .await
                .unwrap()
                .lines()
                .count() as u64
        }
    };
    for (query, expected) in [
        (String::new(), size),
        ("from=2&limit=2".to_owned(), 2),
        ("limit=0".to_owned(), 0),
        (format!("from={size}"), 0),
        (format!("from={}", u64::MAX), 0),
        ("subject=ticket/1".to_owned(), 2),
        ("subject=ticket/1&from=1".to_owned(), 1),
        (format!("subject=ticket/1&from={}", u64::MAX), 0),
        ("subject=ticket/9".to_owned(), 0),
        ("since=2020-01-01T00:00:00Z".to_owned(), size),
        ("since=2120-01-01T00:00:00Z".to_owned(), 0),
        (format!("since=2020-01-01T00:00:00Z&from={}", u64::MAX), 0),
    ] {
        assert_eq!(count(query.clone()).await, expected, "{query}");
    }
}

#[tokio::test]
async fn nothing_opens_a_record_that_is_not_there() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Operator).await;
    let path = |sequence: &str| format!("/v1/logs/local/records/{sequence}/disclosures");
    for beyond in [served.size().await, u64::MAX] {
        let answer = served.get(&path(&beyond.to_string()), &key).await;
        let body: Value = answer.error_for_status().unwrap().json().await.unwrap();
        assert_eq!(body, serde_json::json!({"disclosures": []}), "{beyond}");
    }
    for bad in ["-1", "first", "18446744073709551616"] {
        let answer = served.get(&path(bad), &key).await;
        assert_eq!(
            problem(answer).await,
            (404, "not_found".to_owned()),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_follower_sees_records_as_they_come_and_ends_with_the_server() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Operator).await;
    let size = served.size().await;
    let answer = served
        .get(
            &format!("/v1/logs/local/records?from={size}&follow=true"),
            &key,
        )
        .await;
    let mut lines = answer.bytes_stream();
    assert!(
        tokio::time::timeout(Duration::from_millis(300), lines.next())
            .await
            .is_err(),
        "there is nothing new yet"
    );
    served.batch(&key, LINE).send().await.unwrap();
    let piece = lines.next().await.unwrap().unwrap();
    let record: Value = serde_json::from_slice(&piece).unwrap();
    assert_eq!(record["subject"], "ticket/1");
    served.stop().await;
    assert!(lines.next().await.is_none());
}

#[tokio::test]
async fn a_view_says_where_it_is_and_waits_when_asked() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Viewer).await;
    let size = served.size().await;
    for view in [
        "decisions",
        "approvals",
        "adapters",
        "policies",
        "traces",
        "audit",
        "spend",
        "posture",
    ] {
        let answer = served
            .get(&format!("/v1/logs/local/{view}?min_position={size}"), &key)
            .await;
        assert_eq!(answer.status(), 200, "{view}");
        assert_eq!(
            answer.headers()["x-probity-position"],
            size.to_string().as_str(),
            "{view}"
        );
        let body: Value = answer.json().await.unwrap();
        assert!(body["items"].is_array(), "{view}");
    }
    let early = served
        .get(
            &format!("/v1/logs/local/decisions?min_position={}", size + 1),
            &key,
        )
        .await;
    assert_eq!(early.headers()["retry-after"], "1");
    assert_eq!(problem(early).await, (409, "not_yet".to_owned()));
    assert_eq!(
        problem(served.get("/v1/logs/local/decisions/none", &key).await)
            .await
            .0,
        404
    );
    assert_eq!(
        problem(
            served
                .get("/v1/logs/local/decisions?status=open", &key)
                .await
        )
        .await
        .0,
        422
    );
}

#[tokio::test]
async fn health_and_readiness_are_open_and_metrics_are_not() {
    let (served, _directory) = Served::fresh().await;
    let viewer = served.issue("local", Role::Viewer).await;
    for path in ["/health", "/ready", "/openapi.json"] {
        let answer = served
            .http
            .get(format!("{}{path}", served.url))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let closed = served
        .http
        .get(format!("{}/metrics", served.url))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(closed).await.0, 401);
    let agent = served.issue("local", Role::Agent).await;
    assert_eq!(problem(served.get("/metrics", &agent).await).await.0, 403);
    let elsewhere = served.issue("other", Role::Admin).await;
    assert_eq!(
        problem(served.get("/metrics", &elsewhere).await).await.0,
        404
    );
    let text = served.get("/metrics", &viewer).await.text().await.unwrap();
    assert!(
        text.contains("probity_http_requests_total")
            && text.contains("probity_http_request_seconds_bucket"),
        "{text}"
    );
}
