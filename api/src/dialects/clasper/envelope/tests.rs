//! What errors look like.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Failure, route_not_found};
use axum::body::to_bytes;
use axum::http::Method;
use axum::response::IntoResponse;
use serde_json::{Value, json};

async fn answer(failure: Failure) -> (u16, Value) {
    let response = failure.into_response();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 65_536).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn an_unknown_route_is_named() {
    let (status, body) =
        answer(route_not_found(Method::GET, "/x?y=1".parse().unwrap()).await).await;
    assert_eq!(status, 404);
    assert_eq!(
        body,
        json!({"message": "Route GET:/x not found", "error": "Not Found", "statusCode": 404})
    );
}
