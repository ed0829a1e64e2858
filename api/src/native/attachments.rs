//! Content beside the records, named by its BLAKE3 hash: sent before a record names it, read by who may read records.
//!
//! Bodies are streamed both ways and compared with their name on the way. A body that differs is not kept; stored content that
//! differs breaks the transfer off before its last bytes.

use super::tiles::IMMUTABLE;
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use crate::output::chain;
use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use probity_ledger::attachment::AttachmentReader;
use probity_ledger::store::StoreError;
use probity_ledger::upload::{Upload, Uploaded};
use probity_schemas::event::telemetry::is_attachment_name;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The path of an attachment.
const PATH: &str = "/v1/logs/{tenant}/attachments/{blake3}";

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(put_attachment, get_attachment))
}

/// Whether a request brings an attachment: its body is long, and goes to whichever node it reached.
pub(crate) fn is_upload(request: &Request) -> bool {
    let matched = request.extensions().get::<MatchedPath>();
    request.method() == Method::PUT && matched.is_some_and(|path| path.as_str() == PATH)
}

/// An attachment that is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct Kept {
    /// BLAKE3 of the content, lower-case hexadecimal.
    blake3: String,
    /// Its length.
    bytes: u64,
}

/// Keeps content under its BLAKE3 hash, so that a record can name it. What no record names within 24 hours is deleted.
///
/// The same content again changes nothing. All uploads of a log have a quota together.
#[utoipa::path(put, path = "/v1/logs/{tenant}/attachments/{blake3}", tag = "attachments",
    params(("tenant" = String, Path, description = "the log's tenant"),
        ("blake3" = String, Path, description = "BLAKE3 of the content, 64 lower-case hexadecimal digits"),
        ("Content-Length" = u64, Header, description = "how many bytes the content has")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Kept, description = "kept, durably"), (status = 200, body = Kept, description = "it was here before"),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 411, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
        (status = 507, body = Problem)))]
pub(crate) async fn put_attachment(
    State(app): State<App>,
    principal: Principal,
    Path((_, blake3)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    principal.require(Right::Append)?;
    check_name(&blake3)?;
    let bytes = length(&headers)?;
    let max = app.config.attachment_bytes_max;
    if bytes > max {
        let what = "bytes of an attachment";
        return Err(ApiError::TooLarge { what, max });
    }
    let (tenant, quota) = (&principal.tenant, app.config.attachment_quota_bytes);
    let begun = app.ledger.begin_upload(tenant, &blake3, bytes, quota);
    let uploaded = take_in(begun.await?, body, app.config.request_seconds_max).await?;
    let status = match uploaded {
        Uploaded::Kept => StatusCode::CREATED,
        Uploaded::KnownBefore => StatusCode::OK,
    };
    let location = format!("/v1/logs/{tenant}/attachments/{blake3}");
    Ok((status, [(LOCATION, location)], Json(Kept { blake3, bytes })).into_response())
}

/// The content of an attachment.
#[utoipa::path(get, path = "/v1/logs/{tenant}/attachments/{blake3}", tag = "attachments",
    params(("tenant" = String, Path, description = "the log's tenant"),
        ("blake3" = String, Path, description = "BLAKE3 of the content, 64 lower-case hexadecimal digits")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 304, description = "you have it"),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 410, body = Problem, description = "it was erased")))]
pub(crate) async fn get_attachment(
    State(app): State<App>,
    principal: Principal,
    Path((_, blake3)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    principal.require(Right::Records)?;
    check_name(&blake3)?;
    let reader = app.ledger.reader();
    let log = reader.log(&principal.tenant).await?;
    let log = log.ok_or(ApiError::NotFound { what: "log" })?;
    let what = "attachment";
    let Some(mut attachment) = reader.attachment(log.log, &blake3).await? else {
        return Err(match reader.attachment_erased(log.log, &blake3).await? {
            Some(sequence) => ApiError::Erased { what, sequence },
            None => ApiError::NotFound { what },
        });
    };
    let etag = format!("\"{blake3}\"");
    let lasting = [(ETAG, etag.clone()), (CACHE_CONTROL, IMMUTABLE.to_owned())];
    if names(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, lasting).into_response());
    }
    let fixed = [
        (CONTENT_TYPE, "application/octet-stream"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (ACCEPT_RANGES, "none"),
    ];
    let own = [
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{blake3}\""),
        ),
        (CONTENT_LENGTH, attachment.bytes().to_string()),
    ];
    // What is short enough to be compared at once is refused in words.
    let first = attachment.next().await?;
    let begun = stream::iter(first.map(Ok));
    let body = Body::from_stream(begun.chain(rest(attachment)));
    Ok((fixed, lasting, own, body).into_response())
}

fn rest(
    attachment: AttachmentReader,
) -> impl futures_util::Stream<Item = Result<axum::body::Bytes, StoreError>> {
    stream::try_unfold(attachment, |mut attachment| async move {
        let next = attachment.next().await.inspect_err(|error| {
            tracing::error!(
                error.chain = chain(error),
                "attachment: a transfer broke off"
            );
        })?;
        Ok(next.map(|bytes| (bytes, attachment)))
    })
}

/// Takes a body in; each piece must come in time, all of them have as long as an upload may take.
async fn take_in(mut upload: Upload, body: Body, seconds: u64) -> Result<Uploaded, ApiError> {
    let mut pieces = body.into_data_stream();
    let broken = |detail: &str| ApiError::Malformed {
        detail: detail.to_owned(),
    };
    loop {
        let next = tokio::time::timeout(Duration::from_secs(seconds), pieces.next());
        match next.await {
            Err(_) => return Err(broken("the body stopped coming")),
            Ok(Some(Err(_))) => return Err(broken("the body broke off")),
            Ok(Some(Ok(piece))) => upload.put(&piece).await?,
            Ok(None) => return Ok(upload.finish().await?),
        }
    }
}

fn check_name(blake3: &str) -> Result<(), ApiError> {
    if is_attachment_name(blake3) {
        Ok(())
    } else {
        let detail = "blake3: expected 64 lower-case hexadecimal digits".to_owned();
        Err(ApiError::Malformed { detail })
    }
}

fn length(headers: &HeaderMap) -> Result<u64, ApiError> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    length.ok_or(ApiError::LengthRequired)
}

/// Whether `If-None-Match` names what would be sent.
fn names(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','));
    tags.any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::names;
    use axum::http::HeaderMap;
    use axum::http::header::IF_NONE_MATCH;

    #[test]
    fn what_the_caller_has_is_not_sent_again() {
        let has = |text: &str| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, text.parse().unwrap())]);
            names(&headers, "\"aa\"")
        };
        assert!(has("\"aa\"") && has("W/\"aa\"") && has("\"bb\", \"aa\"") && has("*"));
        assert!(!has("\"bb\"") && !has("aa") && !names(&HeaderMap::new(), "\"aa\""));
    }
}
