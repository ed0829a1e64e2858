//! Passing a write on to the node that owns its log.
//!
//! A handler does not know of it: it answers [`ForwardTo`] beside its error, and this layer sends the request again, once,
//! to that address, which comes from the lease table and from nowhere else. While a body is read by the handler, its pieces
//! are remembered here (they are shared, not copied), so the limit on bodies bounds this too.

use crate::app::App;
use crate::error::ApiError;
use crate::native::attachments::is_upload;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use std::sync::{Arc, Mutex, PoisonError};

/// Says on a passed-on request that it was.
pub const FORWARDED: HeaderName = HeaderName::from_static("x-probity-forwarded");

/// On an answer: another node owns the log. Any surface that answers `OwnedElsewhere` puts it there.
#[derive(Clone, Debug)]
pub struct ForwardTo {
    /// Where that node takes requests.
    pub address: String,
}

/// Runs a request, and passes it on when its answer says so.
pub async fn forward_writes(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_taken_here = request.method().is_safe() || is_upload(&request);
    if is_taken_here || request.headers().contains_key(FORWARDED) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let seen = Pieces::default();
    let head = Head::of(&parts);
    let answer = next
        .run(Request::from_parts(parts, seen.remember(body)))
        .await;
    let Some(ForwardTo { address }) = answer.extensions().get::<ForwardTo>().cloned() else {
        return answer;
    };
    tracing::debug!(
        node.address = address,
        "request: passed on to the log's owner"
    );
    head.send(&app, &address, seen.take())
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// What of a request's head goes on.
struct Head {
    method: Method,
    path: String,
    headers: HeaderMap,
}

impl Head {
    fn of(parts: &request::Parts) -> Self {
        let path = parts
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        let mut headers = parts.headers.clone();
        for name in [HOST, CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
            headers.remove(name);
        }
        headers.insert(FORWARDED, HeaderValue::from_static("1"));
        Self {
            method: parts.method.clone(),
            path,
            headers,
        }
    }

    async fn send(
        self,
        app: &App,
        address: &str,
        pieces: Vec<Bytes>,
    ) -> Result<Response, ApiError> {
        let body = reqwest::Body::wrap_stream(stream::iter(
            pieces.into_iter().map(Ok::<_, std::io::Error>),
        ));
        let url = format!("http://{address}{}", self.path);
        let request = app
            .http
            .request(self.method, url)
            .headers(self.headers)
            .body(body);
        let answer = request.send().await.map_err(ApiError::Forward)?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.extend(
                answer
                    .headers()
                    .iter()
                    .filter(|(name, _)| !hop_by_hop(name))
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        response
            .body(Body::from_stream(answer.bytes_stream()))
            .map_err(|_| ApiError::Panicked)
    }
}

fn hop_by_hop(name: &HeaderName) -> bool {
    *name == CONNECTION || *name == TRANSFER_ENCODING
}

/// The pieces of a body, remembered while it is read.
#[derive(Clone, Default)]
struct Pieces(Arc<Mutex<Vec<Bytes>>>);

impl Pieces {
    fn remember(&self, body: Body) -> Body {
        let pieces = self.clone();
        Body::from_stream(body.into_data_stream().inspect(move |piece| {
            if let Ok(piece) = piece {
                pieces
                    .0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(piece.clone());
            }
        }))
    }

    fn take(&self) -> Vec<Bytes> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
