//! What holds for every request, whatever the surface: its id, its span, its time, and no panic that ends a connection.

use crate::app::App;
use crate::error::ApiError;
use crate::forward::forward_writes;
use crate::limits::{REQUEST_ID_BYTES_MAX, UPLOAD_SECONDS_MAX};
use crate::native::attachments::is_upload;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tracing::Instrument as _;
use uuid::Uuid;

/// The header of a request's id: taken over from the caller, or made here; on every answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// All of it in one layer, because each layer of a router costs every request a copy of the route and a boxed future: names the
/// request, spans it, bounds its body and its time, catches its panic, times it, and logs how it ended.
pub(crate) async fn surround(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let method = request.method().clone();
    let route = route(&request);
    let span = tracing::info_span!(
        "request",
        request.id = id.to_str().unwrap_or_default(),
        http.method = method.as_str(),
        http.route = route,
        tenant.id = tracing::field::Empty,
        actor.id = tracing::field::Empty,
    );
    request.headers_mut().insert(REQUEST_ID, id.clone());
    DefaultBodyLimit::max(app.config.body_bytes_max).apply(&mut request);
    let started = Instant::now();
    let patience = patience(&app, &request);
    let answering = AssertUnwindSafe(answer(app, request, next));
    async move {
        let answered = tokio::time::timeout(patience, answering.catch_unwind()).await;
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => answer_panic(&*panic),
            Err(_) => ApiError::Timeout.into_response(),
        };
        response.headers_mut().insert(REQUEST_ID, id);
        let status = response.status().as_u16();
        record(method.as_str(), route, status, started.elapsed());
        response
    }
    .instrument(span)
    .await
}

/// Answers; a write is passed on where another node may own the log.
async fn answer(app: App, request: Request, next: Next) -> Response {
    match app.ledger.is_shared() {
        true => forward_writes(State(app), request, next).await,
        false => next.run(request).await,
    }
}

/// The route's pattern, for spans and measurements.
fn route(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or("(none)", MatchedPath::as_str).to_owned()
}

/// How long a request may take; the pieces of an upload are waited for one by one.
fn patience(app: &App, request: &Request) -> Duration {
    Duration::from_secs(if is_upload(request) {
        UPLOAD_SECONDS_MAX
    } else {
        app.config.request_seconds_max
    })
}

fn record(method: &str, route: String, status: u16, took: Duration) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    // Everything is counted. A line is for what somebody did wrong: of a busy server the others would be most of its work on the log, and
    // what was put off has said why before.
    if (400..503).contains(&status) && status != 429 {
        tracing::info!(
            http.status = status,
            took.micros = micros,
            "request: refused"
        );
    } else {
        tracing::debug!(
            http.status = status,
            took.micros = micros,
            "request: answered"
        );
    }
    let labels = [
        ("method", method.to_owned()),
        ("route", route),
        ("status", status.to_string()),
    ];
    metrics::counter!("probity_http_requests_total", &labels).increment(1);
    metrics::histogram!("probity_http_request_seconds", &labels[..2]).record(took);
}

/// The caller's id where it is short and printable, else a fresh UUIDv7.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let printable = |value: &&HeaderValue| {
        (1..=REQUEST_ID_BYTES_MAX).contains(&value.len())
            && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    let fresh = || {
        HeaderValue::try_from(Uuid::now_v7().to_string()).unwrap_or(HeaderValue::from_static("-"))
    };
    headers
        .get(REQUEST_ID)
        .filter(printable)
        .cloned()
        .unwrap_or_else(fresh)
}

/// Answers for a handler that panicked.
fn answer_panic(panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(
        panic.message = text.unwrap_or("(no text)"),
        "request: a handler panicked"
    );
    ApiError::Panicked.into_response()
}

/// Answers for a path that nobody knows.
pub(crate) async fn answer_unknown_path() -> ApiError {
    ApiError::NotFound { what: "route" }
}

/// Answers for a method that a path does not know.
pub(crate) async fn answer_unknown_method() -> ApiError {
    ApiError::MethodNotAllowed
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{REQUEST_ID, request_id};
    use axum::http::HeaderMap;
    use uuid::Uuid;

    #[test]
    fn a_callers_id_is_kept_only_when_it_is_harmless() {
        let given = |text: &str| {
            request_id(&HeaderMap::from_iter([(REQUEST_ID, text.parse().unwrap())]))
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(given("abc-1"), "abc-1");
        for bad in ["", "a b", &"x".repeat(129)] {
            assert!(Uuid::try_parse(&given(bad)).is_ok(), "{bad}");
        }
        assert!(Uuid::try_parse(request_id(&HeaderMap::new()).to_str().unwrap()).is_ok());
    }
}
