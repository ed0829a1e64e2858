//! A write for a log that another node owns is passed on once, whole, to the address that the ledger named.

use crate::harness::Served;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use probity_api::app::App;
use probity_api::error::ApiError;
use probity_api::forward::forward_writes;
use probity_ledger::SubmitError;
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The node that owns the log: says what it was sent.
async fn owner() -> String {
    let echo = |headers: HeaderMap, body: Bytes| async move {
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let seen = json!({
            "body": String::from_utf8_lossy(&body),
            "key": header("x-api-key"),
            "forwarded": header("x-probity-forwarded"),
        });
        (StatusCode::CREATED, [("x-own", "1")], Json(seen))
    };
    serve(Router::new().route("/write", post(echo))).await
}

/// A node that does not: reads the body, and is told by its ledger who owns the log.
async fn other(app: App, owner: String) -> String {
    let refuse = move |_: Bytes| {
        let address = owner.clone();
        async move { ApiError::from(SubmitError::OwnedElsewhere { address }).into_response() }
    };
    let router = Router::new()
        .route("/write", post(refuse.clone()))
        .route("/read", get(refuse));
    serve(router.layer(from_fn_with_state(app, forward_writes))).await
}

#[tokio::test]
async fn a_write_is_passed_on_whole() {
    let (served, _directory) = Served::fresh().await;
    let node = other(served.app.clone(), owner().await).await;
    let body = "x".repeat(300_000);
    let request = served
        .http
        .post(format!("http://{node}/write?a=1"))
        .header("x-api-key", "k")
        .body(body.clone());
    let answer = request.send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-own"]),
        (201, &"1".parse().unwrap())
    );
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen, json!({ "body": body, "key": "k", "forwarded": "1" }));
}

#[tokio::test]
async fn a_write_is_passed_on_only_once_and_a_read_never() {
    let (served, _directory) = Served::fresh().await;
    let node = other(served.app.clone(), owner().await).await;
    let again = served
        .http
        .post(format!("http://{node}/write"))
        .header("x-probity-forwarded", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (again.status().as_u16(), &again.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    let read = served
        .http
        .get(format!("http://{node}/read"))
        .send()
        .await
        .unwrap();
    assert_eq!(read.status(), 503);
}

#[tokio::test]
async fn an_owner_out_of_reach_is_said_so() {
    let (served, _directory) = Served::fresh().await;
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let node = other(served.app.clone(), gone).await;
    let answer = served
        .http
        .post(format!("http://{node}/write"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "owner_unreachable");
}
