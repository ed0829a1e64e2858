//! Limits, and what is not understood: each answered in the one form, each with its status.

use crate::harness::{LINE, Served, problem};
use probity_schemas::vocabulary::Role;
use reqwest::Method;
use serde_json::json;
use std::num::NonZeroU32;
use tempfile::TempDir;

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let directory = TempDir::new().unwrap();
    let served = Served::on(directory.path(), |config| config.body_bytes_max = 10_000).await;
    let key = served.issue("local", Role::Admin).await;
    let long = format!("{LINE}\n").repeat(200);
    assert_eq!(
        problem(served.batch(&key, long).send().await.unwrap()).await,
        (413, "too_large".to_owned())
    );
    let streamed = reqwest::Body::wrap_stream(futures_util::stream::iter(
        (0..200).map(|_| Ok::<_, std::io::Error>(format!("{LINE}\n"))),
    ));
    let chunked = served.batch(&key, "").body(streamed).send().await.unwrap();
    assert_eq!(problem(chunked).await, (413, "too_large".to_owned()));
    let wide = served.get("/health", &key).await;
    assert_eq!(wide.status(), 200);
    let wide = served
        .request(Method::GET, "/health", &key)
        .header("x-long", "x".repeat(40_000))
        .send()
        .await
        .unwrap();
    assert_eq!(wide.status(), 431);
}

#[tokio::test]
async fn a_record_that_is_too_long_is_refused() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Agent).await;
    let line = json!({ "kind": "seen", "subject": "ticket/1", "data": "x".repeat(70_000) });
    assert_eq!(
        problem(served.batch(&key, line.to_string()).send().await.unwrap()).await,
        (413, "too_large".to_owned())
    );
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let (served, _directory) = Served::fresh().await;
    let key = served.issue("local", Role::Admin).await;
    let post = |path: &str| served.request(Method::POST, &format!("/v1/logs/local/{path}"), &key);
    let table = [
        (post("records").json(&json!({})), 415, "media_type"),
        (post("credentials").body("{}"), 415, "media_type"),
        (
            post("credentials")
                .header("content-type", "application/json")
                .body("{"),
            400,
            "malformed",
        ),
        (
            post("credentials").json(&json!({ "role": "king" })),
            400,
            "malformed",
        ),
        (
            post("credentials").json(&json!({ "role": "agent", "extra": 1 })),
            400,
            "malformed",
        ),
        (
            post("credentials").json(&json!({ "role": "agent", "agent": "" })),
            422,
            "invalid",
        ),
        (served.batch(&key, ""), 422, "invalid"),
        (
            served
                .batch(&key, LINE)
                .header("idempotency-key", "x".repeat(256)),
            400,
            "malformed",
        ),
        (
            served.request(Method::GET, "/v1/logs/local/records?from=x", &key),
            400,
            "malformed",
        ),
        (
            served.request(Method::GET, "/v1/logs/local/records?form=1", &key),
            400,
            "malformed",
        ),
        (
            served.request(Method::GET, "/v1/logs/local/receipts/999999", &key),
            404,
            "not_found",
        ),
        (
            served.request(Method::GET, "/v1/logs/local/receipts/-1", &key),
            404,
            "not_found",
        ),
        (
            served.request(Method::GET, "/v1/nothing", &key),
            404,
            "not_found",
        ),
        (
            served.request(Method::PATCH, "/v1/logs/local/records", &key),
            405,
            "method_not_allowed",
        ),
    ];
    for (request, status, code) in table {
        let answer = request.send().await.unwrap();
        let url = answer.url().to_string();
        assert_eq!(problem(answer).await, (status, code.to_owned()), "{url}");
    }
}

#[tokio::test]
async fn a_credential_can_be_held_to_a_rate() {
    let directory = TempDir::new().unwrap();
    let served = Served::on(directory.path(), |config| {
        config.rate_limit_per_second = NonZeroU32::new(2)
    })
    .await;
    let (one, other) = (
        served.issue("local", Role::Viewer).await,
        served.issue("local", Role::Viewer).await,
    );
    let mut refused = 0;
    for _ in 0..20 {
        let answer = served.get("/v1/logs/local/checkpoint", &one).await;
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
            refused += 1;
        }
    }
    assert!(refused > 0);
    assert_eq!(
        served
            .get("/v1/logs/local/checkpoint", &other)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn every_answer_carries_its_request_id() {
    let (served, _directory) = Served::fresh().await;
    for path in ["/health", "/nothing", "/v1/logs/local/records"] {
        let own = served.get(path, "").await;
        assert_eq!(own.headers()["x-request-id"].len(), 36, "{path}");
        let given = served
            .request(Method::GET, path, "")
            .header("x-request-id", "mine-1")
            .send()
            .await
            .unwrap();
        assert_eq!(given.headers()["x-request-id"], "mine-1", "{path}");
    }
}
