//! Attachments over HTTP: sent, named, read, refused.

use crate::harness::{Served, problem};
use probity_schemas::vocabulary::Role;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;

const MEGABYTE: usize = 1024 * 1024;

fn name(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

fn path(name: &str) -> String {
    format!("/v1/logs/local/attachments/{name}")
}

fn put(served: &Served, key: &str, name: &str, content: &[u8]) -> RequestBuilder {
    let request = served.request(Method::PUT, &path(name), key);
    request.body(content.to_vec())
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

fn line(name: &str, bytes: usize) -> String {
    let named = json!([{"blake3": name, "bytes": bytes, "media_type": "image/png"}]);
    json!({"kind": "shot", "subject": "ticket/1", "data": {}, "attachments": named}).to_string()
}

#[tokio::test]
async fn content_is_sent_once_named_and_read_back() {
    let (served, _directory) = Served::fresh().await;
    let agent = served.issue("local", Role::Agent).await;
    let auditor = served.issue("local", Role::Auditor).await;
    let content: Vec<u8> = (0..3 * MEGABYTE + 5)
        .map(|at| at.to_le_bytes()[0])
        .collect();
    let name = name(&content);
    let early = served.batch(&agent, line(&name, content.len()));
    let refused = problem(early.send().await.unwrap()).await;
    assert_eq!(refused, (422, "attachment_missing".to_owned()));

    let kept = put(&served, &agent, &name, &content).send().await.unwrap();
    assert_eq!(kept.status(), 201);
    assert_eq!(kept.headers()["location"], path(&name));
    let body: serde_json::Value = kept.json().await.unwrap();
    assert_eq!(body, json!({"blake3": name, "bytes": content.len()}));
    assert_eq!(status(put(&served, &agent, &name, &content)).await, 200);
    let wrong = served.batch(&agent, line(&name, 1)).send().await.unwrap();
    assert_eq!(problem(wrong).await, (422, "attachment_length".to_owned()));
    assert_eq!(
        status(served.batch(&agent, line(&name, content.len()))).await,
        201
    );

    let answer = served.get(&path(&name), &auditor).await;
    for (header, value) in [
        ("content-type", "application/octet-stream"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("etag", &format!("\"{name}\"")),
        (
            "content-disposition",
            &format!("attachment; filename=\"{name}\""),
        ),
        ("content-length", &content.len().to_string()),
    ] {
        assert_eq!(answer.headers()[header], *value, "{header}");
    }
    assert!(answer.bytes().await.unwrap() == content);
    let head = served.request(Method::HEAD, &path(&name), &auditor);
    assert_eq!(status(head).await, 200);
    let again = served.request(Method::GET, &path(&name), &auditor);
    let again = again.header("if-none-match", format!("\"{name}\""));
    assert_eq!(status(again).await, 304);
    served.stop().await;
}

#[tokio::test]
async fn what_is_refused_has_a_code() {
    let directory = tempfile::TempDir::new().unwrap();
    let configured = |config: &mut probity_api::config::ServerConfig| {
        config.attachment_bytes_max = 1_000;
        config.attachment_quota_bytes = 1_500;
    };
    let served = Served::on(directory.path(), configured).await;
    let key = served.issue("local", Role::Operator).await;
    let (one, other) = (vec![1; 1_000], vec![2; 600]);
    let (first, second) = (name(&one), name(&other));
    assert_eq!(status(put(&served, &key, &first, &one)).await, 201);
    let chunked =
        reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("x")]));
    let refusals = [
        (
            put(&served, &key, &second, &[9; 100]),
            422,
            "attachment_differs",
        ),
        (put(&served, &key, &second, &[0; 1_001]), 413, "too_large"),
        (put(&served, &key, &second, &other), 507, "quota_exceeded"),
        (put(&served, &key, "abc", &other), 400, "malformed"),
        (
            put(&served, &key, &second, &[]).body(chunked),
            411,
            "length_required",
        ),
        (
            served.request(Method::GET, &path(&second), &key),
            404,
            "not_found",
        ),
        (
            served.request(Method::GET, &path("AB"), &key),
            400,
            "malformed",
        ),
    ];
    for (request, status, code) in refusals {
        let refused = problem(request.send().await.unwrap()).await;
        assert_eq!(refused, (status, code.to_owned()));
    }
    // A refused body counts no more.
    assert_eq!(
        status(put(&served, &key, &name(&[3; 500]), &[3; 500])).await,
        201
    );
    served.stop().await;
}

#[tokio::test]
async fn attachments_are_their_tenants_own() {
    let (served, _directory) = Served::fresh().await;
    let agent = served.issue("local", Role::Agent).await;
    let viewer = served.issue("local", Role::Viewer).await;
    let stranger = served.issue("acme", Role::Admin).await;
    let name = name(b"ours");
    assert_eq!(status(put(&served, &agent, &name, b"ours")).await, 201);
    assert_eq!(
        status(served.request(Method::GET, &path(&name), &agent)).await,
        403
    );
    assert_eq!(
        status(served.request(Method::GET, &path(&name), &viewer)).await,
        403
    );
    assert_eq!(status(put(&served, &viewer, &name, b"ours")).await, 403);
    let theirs = path(&name).replace("/local/", "/acme/");
    for path in [path(&name), theirs.clone()] {
        let answer = served.get(&path, &stranger).await;
        assert_eq!(
            problem(answer).await,
            (404, "not_found".to_owned()),
            "{path}"
        );
    }
    assert_eq!(status(put(&served, &stranger, &name, b"ours")).await, 404);
    // That we have it is not to be learned from sending it, or from naming it.
    let named = served.request(Method::POST, "/v1/logs/acme/records", &stranger);
    let named = named.header("content-type", "application/x-ndjson");
    assert_eq!(status(named.body(line(&name, 4))).await, 422);
    let sent = served.request(Method::PUT, &theirs, &stranger).body("ours");
    assert_eq!(status(sent).await, 201);
    served.stop().await;
}
