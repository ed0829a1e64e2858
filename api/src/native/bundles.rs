//! Making a bundle over the API: a tar, streamed, and a record that it was made.
//!
//! The exporter writes into a pipe and waits while the client is slow; what it wrote is streamed from the other end. The
//! record is appended before the stream ends, so nobody holds a whole bundle that the log does not tell of; if that
//! fails, or the export does, the transfer breaks off.

use super::submit;
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use crate::limits::BUNDLE_CHUNK_BYTES;
use crate::output::chain;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use probity_governance::command::Operation;
use probity_ledger::Reader;
use probity_ledger::cosigned::Witnessed;
use probity_ledger::export::{
    End, ExportError, ExportSummary, Shown, TarSink, export, export_part, is_any,
};
use probity_ledger::reader::LogHead;
use probity_schemas::bundle::BundleFilter;
use probity_schemas::event::log::BundleExported;
use std::io;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio_util::io::ReaderStream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_bundle))
}

/// Says how far a bundle is witnessed.
const WITNESSED: &str = "x-probity-witnessed";

/// Which part of the log the bundle is to hold; without a body, or with an empty object, the whole of it.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundleRequest {
    /// From this sequence.
    from: Option<u64>,
    /// Without what opens personal values. Who may not open them gets none in any case.
    #[serde(default)]
    redacted: bool,
    /// Of this subject. The log is sealed first, so that the bundle shows that the subject is all there.
    subject: Option<String>,
    /// To this sequence, inclusive.
    to: Option<u64>,
    /// That carry this correlation id, from whichever subject. No index has them: the log is read through, or what `from` and `to`
    /// leave of it, and once before the answer begins, up to the first that is found.
    trace: Option<String>,
}

impl BundleRequest {
    /// Reads the body of a request.
    fn read(body: &[u8]) -> Result<Self, ApiError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(body).map_err(|error| ApiError::Malformed {
            detail: error.to_string(),
        })
    }

    /// The part that is asked for, if not the whole log.
    fn part(&self) -> Option<BundleFilter> {
        let filter = BundleFilter {
            from: self.from,
            subject: self.subject.clone(),
            to: self.to,
            trace: self.trace.clone(),
        };
        (filter != BundleFilter::default()).then_some(filter)
    }
}

/// Makes a bundle of the log, or of a part of it, after asking the witnesses to cosign it and the authority to stamp it: what an auditor needs, besides the verifier key, to judge it offline.
#[utoipa::path(post, path = "/v1/logs/{tenant}/bundles", tag = "bundles",
    request_body(content = BundleRequest, content_type = "application/json"),
    params(("tenant" = String, Path, description = "the log's tenant")),
    responses((status = 200, content_type = "application/x-tar", body = Vec<u8>,
            headers(("x-probity-witnessed" = String, description = "`witnessed at size N by K`, `not witnessed since N`, or `not witnessed`"))), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn create_bundle(
    State(app): State<App>,
    principal: Principal,
    request: Request,
) -> Result<Response, ApiError> {
    principal.require(Right::Records)?;
    let request = BundleRequest::read(&super::body(request, &app).await?)?;
    let filter = request.part();
    let reader = app.ledger.reader();
    let mut log = find_log(&reader, &principal).await?;
    if let Some(filter) = &filter {
        find_part(&reader, &log, filter).await?;
    }
    // The record at the end needs the log's writer: where another node has it, the whole request goes there.
    app.ledger.create_log(&principal.tenant).await?;
    if filter.is_some() {
        app.ledger.seal(&principal.tenant).await?;
        log = find_log(&reader, &principal).await?;
    }
    let name = format!("attachment; filename=\"{}.tar\"", principal.tenant);
    app.ledger.stamp(&principal.tenant).await?;
    let (end, witnessed) = match app.ledger.witness(&principal.tenant).await? {
        Some(newest) => (End::Cosigned, Witnessed::of(Some(&newest), newest.size)),
        None => (
            End::Newest,
            Witnessed::of(reader.cosigned(&log).await?.as_ref(), log.size),
        ),
    };
    let (pieces, work) = begin(&app, &principal, end, &request);
    let body = Body::from_stream(pieces.chain(stream::once(finish(app, principal, work))));
    Ok((
        [
            (CONTENT_TYPE.as_str(), "application/x-tar".to_owned()),
            (CONTENT_DISPOSITION.as_str(), name),
            (WITNESSED, witnessed.to_string()),
        ],
        body,
    )
        .into_response())
}

async fn find_log(reader: &Reader, principal: &Principal) -> Result<LogHead, ApiError> {
    let log = reader.log(&principal.tenant).await?;
    log.ok_or(ApiError::NotFound { what: "log" })
}

/// A transfer that has begun cannot say any more that there is nothing to send.
async fn find_part(reader: &Reader, log: &LogHead, filter: &BundleFilter) -> Result<(), ApiError> {
    if is_any(reader, log, filter).await? {
        Ok(())
    } else {
        Err(ApiError::NotFound { what: "record" })
    }
}

type Work = JoinHandle<Result<ExportSummary, ExportError>>;

/// Starts the export, and gives what it writes.
fn begin(
    app: &App,
    principal: &Principal,
    end: End,
    request: &BundleRequest,
) -> (ReaderStream<DuplexStream>, Work) {
    let (sink, source) = tokio::io::duplex(BUNDLE_CHUNK_BYTES);
    let (reader, tenant) = (app.ledger.reader(), principal.tenant.clone());
    let (keys, part) = (app.config.store.keys(), request.part());
    let entitled = principal.require(Right::Disclosures).is_ok();
    let persons = (entitled && !request.redacted).then(|| app.ledger.persons());
    let work = tokio::spawn(async move {
        let (sink, bar) = (&mut TarSink::new(sink), &mut |_, _| {});
        let shown = Shown {
            end,
            persons: persons.as_deref(),
        };
        match part {
            Some(part) => export_part(&reader, &tenant, &keys, shown, &part, sink, bar).await,
            None => export(&reader, &tenant, &keys, shown, sink, bar).await,
        }
    });
    (
        ReaderStream::with_capacity(source, BUNDLE_CHUNK_BYTES),
        work,
    )
}

/// After the last piece: records that a bundle was made. An error breaks the transfer off.
async fn finish(app: App, principal: Principal, work: Work) -> io::Result<Bytes> {
    let summary = work
        .await
        .map_err(io::Error::other)?
        .map_err(io::Error::other)
        .inspect_err(|error| {
            tracing::error!(
                error.chain = chain(error),
                tenant.id = principal.tenant.as_str(),
                "bundle: an export broke off"
            );
        })?;
    let exported = BundleExported {
        count: summary.count,
        first: summary.first,
        size: summary.size,
    };
    match submit(&app, &principal, Operation::RecordExport(exported), None).await {
        Ok(_) => Ok(Bytes::new()),
        Err(error) => {
            error.report();
            Err(io::Error::other(error))
        }
    }
}
