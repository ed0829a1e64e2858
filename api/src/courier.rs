//! The client that speaks to witnesses and time-stamp authorities.
//!
//! Where they are is said by the operator's own configuration and by nothing else. The client follows no redirect, waits a bounded
//! time and reads a bounded answer; what an answer means is the ledger's.

use crate::https::{self, HttpsClient};
use crate::limits::{COURIER_ANSWER_BYTES_MAX, COURIER_SECONDS_MAX};
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Uri};
use probity_ledger::courier::{Answer, Courier, CourierError, Letter};
use std::time::Duration;

/// Whether an address is one that can be asked: `http` or `https`, a host, no query.
pub(crate) fn can_be_asked(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    })
}

/// Speaks HTTP.
#[derive(Debug)]
pub(crate) struct HttpCourier {
    http: HttpsClient,
}

impl HttpCourier {
    /// Trusts the certificate authorities that this machine trusts.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let http = https::client()?;
        Ok(Self { http })
    }

    async fn send(&self, letter: Letter) -> Result<Answer, CourierError> {
        let request = Request::post(letter.url)
            .header(CONTENT_TYPE, letter.media_type)
            .body(Body::from(letter.body));
        let request = request.map_err(|error| unreachable(&error))?;
        let answer = self.http.request(request).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        let status = answer.status().as_u16();
        let body = to_bytes(Body::new(answer.into_body()), COURIER_ANSWER_BYTES_MAX).await;
        let body = body.map_err(|_| CourierError::Strange)?.to_vec();
        Ok(Answer { status, body })
    }
}

#[async_trait]
impl Courier for HttpCourier {
    async fn post(&self, letter: Letter) -> Result<Answer, CourierError> {
        let wait = Duration::from_secs(COURIER_SECONDS_MAX);
        tokio::time::timeout(wait, self.send(letter))
            .await
            .unwrap_or(Err(CourierError::Silent))
    }
}

fn unreachable(error: &(dyn std::error::Error + 'static)) -> CourierError {
    CourierError::Unreachable {
        why: crate::output::chain(error),
    }
}

#[cfg(test)]
mod tests {
    use super::can_be_asked;

    #[test]
    fn only_http_is_spoken() {
        for (url, expected) in [
            ("https://witness.example/w", true),
            ("http://127.0.0.1:7380/", true),
            ("file:///etc/passwd", false),
            ("witness.example", false),
            ("/add", false),
            ("https://witness.example/w?x=1", false),
            ("https://", false),
        ] {
            assert_eq!(can_be_asked(url), expected, "{url}");
        }
    }
}
