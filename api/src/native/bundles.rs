//! Making a bundle over the API: a tar, streamed, and a record that it was made.
//!
//! The exporter writes to one end of a socket pair and blocks while the client is slow; what it wrote is streamed from
//! the other end. The record is appended before the stream ends, so nobody holds a whole bundle that the log does not
//! tell of; if that fails, or the export does, the transfer breaks off.

use super::submit;
use crate::app::App;
use crate::auth::{Principal, Right};
use crate::error::{ApiError, Problem};
use crate::limits::BUNDLE_CHUNK_BYTES;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, TryFutureExt as _, stream};
use probity_governance::command::Operation;
use probity_ledger::export::{ExportError, ExportRange, ExportSummary, export};
use probity_schemas::event::log::BundleExported;
use std::io;
use std::os::unix::net::UnixStream as Pipe;
use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::io::ReaderStream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes of this group.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_bundle))
}

/// Makes a bundle of the whole log: what an auditor needs, besides the verifier key, to judge it offline.
#[utoipa::path(post, path = "/v1/logs/{tenant}/bundles", tag = "bundles",
    params(("tenant" = String, Path, description = "the log's tenant")),
    responses((status = 200, content_type = "application/x-tar", body = Vec<u8>), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn create_bundle(State(app): State<App>, principal: Principal) -> Result<Response, ApiError> {
    principal.require(Right::Records)?;
    app.ledger.reader().log(&principal.tenant).await?.ok_or(ApiError::NotFound { what: "log" })?;
    let name = format!("attachment; filename=\"{}.tar\"", principal.tenant);
    let (pieces, work) = begin(&app, &principal).map_err(ApiError::Bundle)?;
    let body = Body::from_stream(pieces.chain(stream::once(finish(app, principal, work))));
    Ok(([(CONTENT_TYPE.as_str(), "application/x-tar".to_owned()), (CONTENT_DISPOSITION.as_str(), name)], body).into_response())
}

type Work = JoinHandle<Result<ExportSummary, ExportError>>;

/// Starts the export, and gives what it writes.
fn begin(app: &App, principal: &Principal) -> io::Result<(impl Stream<Item = io::Result<Bytes>> + Send + use<>, Work)> {
    let (sink, source) = Pipe::pair()?;
    source.set_nonblocking(true)?;
    let (reader, tenant, runtime) = (app.ledger.reader(), principal.tenant.clone(), Handle::current());
    let work = tokio::task::spawn_blocking(move || {
        runtime.block_on(export(&reader, &tenant, ExportRange::whole(), sink, |_, _| {}))
    });
    Ok((ReaderStream::with_capacity(UnixStream::from_std(source)?, BUNDLE_CHUNK_BYTES), work))
}

/// After the last piece: records that a bundle was made. An error breaks the transfer off.
async fn finish(app: App, principal: Principal, work: Work) -> io::Result<Bytes> {
    let summary = work.await.map_err(io::Error::other)?.map_err(io::Error::other).inspect_err(|error| {
        tracing::error!(error.chain = %error, tenant.id = principal.tenant.as_str(), "bundle: an export broke off");
    })?;
    let exported = BundleExported { count: summary.count, first: summary.first, size: summary.size };
    let recorded = submit(&app, &principal, Operation::RecordExport(exported), None);
    recorded.map_ok(|_| Bytes::new()).map_err(|error| {
        error.report();
        io::Error::other(error)
    }).await
}
