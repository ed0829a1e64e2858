//! The two routes of a witness: `POST /add-checkpoint`, and `GET /<hex sha256(origin)>/checkpoint` for monitors.

use super::book::{Answer, Book};
use crate::limits::{
    HEADER_BYTES_MAX, STOP_SECONDS_MAX, WITNESS_REQUESTS_MAX, WITNESS_SECONDS_MAX,
};
use crate::serve::accept;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper_util::server::graceful::GracefulShutdown;
use probity_ledger::clock::{Clock as _, SystemClock};
use probity_schemas::add_checkpoint::SIZE_MEDIA_TYPE;
use probity_schemas::limits::ADD_CHECKPOINT_BYTES_MAX;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tower::limit::GlobalConcurrencyLimitLayer;

const TEXT: &str = "text/plain; charset=utf-8";

/// Answers until `stop` comes, and finishes what is under way.
pub(crate) async fn serve(listener: TcpListener, book: Book, stop: impl Future<Output = ()>) {
    let router = router(Arc::new(book));
    let connections = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &router, HEADER_BYTES_MAX, &connections) => {}
        () = stop => {}
    }
    drop(listener);
    let patience = Duration::from_secs(STOP_SECONDS_MAX);
    if tokio::time::timeout(patience, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("witness: requests under way were given up");
    }
}

fn router(book: Arc<Book>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(get_checkpoint))
        .layer(DefaultBodyLimit::max(ADD_CHECKPOINT_BYTES_MAX))
        .layer(from_fn(limit_time))
        .layer(GlobalConcurrencyLimitLayer::new(WITNESS_REQUESTS_MAX))
        .with_state(book)
}

async fn limit_time(request: Request, next: Next) -> Response {
    let wait = Duration::from_secs(WITNESS_SECONDS_MAX);
    tokio::time::timeout(wait, next.run(request))
        .await
        .unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

async fn add_checkpoint(State(book): State<Arc<Book>>, body: Bytes) -> Response {
    let time = u64::try_from(SystemClock.now().micros() / 1_000_000).unwrap_or(0);
    let decided = tokio::task::spawn_blocking(move || match std::str::from_utf8(&body) {
        Ok(body) => book.add(body, time),
        Err(error) => Answer::Malformed(error.to_string()),
    });
    respond(decided.await.unwrap_or(Answer::Failed))
}

fn respond(answer: Answer) -> Response {
    let (status, kind, body) = match answer {
        Answer::Cosigned(line) => (StatusCode::OK, TEXT, line),
        Answer::Malformed(why) => (StatusCode::BAD_REQUEST, TEXT, why + "\n"),
        Answer::Untrusted => (
            StatusCode::FORBIDDEN,
            TEXT,
            "no trusted key of this log signed, or its signature is false\n".to_owned(),
        ),
        Answer::UnknownLog => (
            StatusCode::NOT_FOUND,
            TEXT,
            "this log is not known here\n".to_owned(),
        ),
        Answer::Conflict(size) => (StatusCode::CONFLICT, SIZE_MEDIA_TYPE, format!("{size}\n")),
        Answer::Inconsistent(why) => (StatusCode::UNPROCESSABLE_ENTITY, TEXT, why + "\n"),
        Answer::Failed => (
            StatusCode::INTERNAL_SERVER_ERROR,
            TEXT,
            "it could not be made durable\n".to_owned(),
        ),
    };
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}

async fn get_checkpoint(State(book): State<Arc<Book>>, Path(origin): Path<String>) -> Response {
    match book.newest(&origin) {
        Some(note) => ([(CONTENT_TYPE, TEXT)], note).into_response(),
        None => (StatusCode::NOT_FOUND, "nothing of this log was cosigned\n").into_response(),
    }
}
