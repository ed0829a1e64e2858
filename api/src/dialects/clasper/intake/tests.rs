//! Bodies that cannot be read, and what is said of them.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::{BODY_BYTES_MAX, Payload, payload};
use crate::dialects::clasper::envelope::Failure;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, Request};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures_util::stream;
use serde_json::Value;

async fn answer(failure: Failure) -> (u16, Value) {
    let response = failure.into_response();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 65_536).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_answered_as_the_framework_does() {
    let json = Some("application/json; charset=utf-8");
    let table = [
        (json, "", 400, "FST_ERR_CTP_EMPTY_JSON_BODY"),
        (json, "{\"a\":", 400, "FST_ERR_CTP_INVALID_JSON_BODY"),
        (json, "{'a':1}", 400, "FST_ERR_CTP_INVALID_JSON_BODY"),
        (
            Some("application/xml"),
            "<a/>",
            415,
            "FST_ERR_CTP_INVALID_MEDIA_TYPE",
        ),
        (None, "{}", 415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"),
    ];
    for (media_type, text, status, code) in table {
        let (found, body) = answer(payload(media_type, text.as_bytes()).unwrap_err()).await;
        assert_eq!(
            (found, body["code"].as_str()),
            (status, Some(code)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn json_that_can_be_read_in_two_ways_is_the_payloads_fault() {
    let table = [
        (r#"{"a":1,"a":2}"#, "duplicate key"),
        (r#"{"a":"\ud800"}"#, "lone surrogate"),
        (r#"{"a":9007199254740993}"#, "out of range"),
        (r#"{"a":0.1234567890123456789}"#, "more digits"),
    ];
    for (text, words) in table {
        let (status, body) =
            answer(payload(Some("application/json"), text.as_bytes()).unwrap_err()).await;
        assert_eq!(
            (status, body["error"].as_str()),
            (400, Some("Invalid payload"))
        );
        assert!(
            body["details"]["formErrors"][0]
                .as_str()
                .unwrap()
                .contains(words),
            "{body}"
        );
    }
}

/// What a body is answered that does not come whole.
async fn refused(body: Body) -> StatusCode {
    let request = Request::new(body);
    let refused = Payload::from_request(request, &()).await.err().unwrap();
    refused.into_response().status()
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_called_too_large() {
    let pieces = [Ok("{"), Err(std::io::Error::other("the caller went away"))];
    let broken = Body::from_stream(stream::iter(pieces));
    assert_eq!(refused(broken).await, StatusCode::BAD_REQUEST);
    let long = vec![b' '; BODY_BYTES_MAX + 1];
    assert_eq!(refused(long.into()).await, StatusCode::PAYLOAD_TOO_LARGE);
}
