//! Reports of adapters about what they did: traces, audit events, costs, metrics, violations.
//!
//! A report is recorded once for each execution and kind; the same again is answered `duplicate`. One that is refused
//! leaves nothing behind and may be sent again corrected. Each may come in an envelope that its producer signed.

mod signed;
mod trace;
mod wire;

use super::call;
use super::credentials::Adapter;
use super::envelope::{ErrorBody, Failure};
use super::fields::Fields;
use super::intake::Payload;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use probity_governance::command::{Operation, Reply};
use probity_governance::producer::check;
use serde::Serialize;
use signed::Signable;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::{AuditReport, CostReport, MetricsReport, Reported, TraceReport, ViolationReport};

/// Routes of this group.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ingest_trace))
        .routes(routes!(ingest_audit))
        .routes(routes!(ingest_cost))
        .routes(routes!(ingest_metrics))
        .routes(routes!(ingest_violations))
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IngestReply {
    /// ok or duplicate.
    status: &'static str,
}

/// Takes the trace of an execution.
#[utoipa::path(post, path = "/api/ingest/trace", tag = "ingest", security(("adapter" = [])), request_body = Signable<TraceReport>,
    responses((status = 200, body = IngestReply), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 413, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn ingest_trace(
    app: State<App>,
    adapter: Adapter,
    payload: Payload,
) -> Result<Json<IngestReply>, Failure> {
    take::<TraceReport>(&app, &adapter, &payload).await
}

/// Takes an audit event; one that says how a tool's execution ended is its outcome.
#[utoipa::path(post, path = "/api/ingest/audit", tag = "ingest", security(("adapter" = [])), request_body = Signable<AuditReport>,
    responses((status = 200, body = IngestReply), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn ingest_audit(
    app: State<App>,
    adapter: Adapter,
    payload: Payload,
) -> Result<Json<IngestReply>, Failure> {
    take::<AuditReport>(&app, &adapter, &payload).await
}

/// Takes what an execution cost.
#[utoipa::path(post, path = "/api/ingest/cost", tag = "ingest", security(("adapter" = [])), request_body = Signable<CostReport>,
    responses((status = 200, body = IngestReply), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn ingest_cost(
    app: State<App>,
    adapter: Adapter,
    payload: Payload,
) -> Result<Json<IngestReply>, Failure> {
    take::<CostReport>(&app, &adapter, &payload).await
}

/// Takes how much work an execution was.
#[utoipa::path(post, path = "/api/ingest/metrics", tag = "ingest", security(("adapter" = [])), request_body = Signable<MetricsReport>,
    responses((status = 200, body = IngestReply), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn ingest_metrics(
    app: State<App>,
    adapter: Adapter,
    payload: Payload,
) -> Result<Json<IngestReply>, Failure> {
    take::<MetricsReport>(&app, &adapter, &payload).await
}

/// Takes a violation.
#[utoipa::path(post, path = "/api/ingest/violations", tag = "ingest", security(("adapter" = [])), request_body = Signable<ViolationReport>,
    responses((status = 200, body = IngestReply), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 503, body = ErrorBody)))]
async fn ingest_violations(
    app: State<App>,
    adapter: Adapter,
    payload: Payload,
) -> Result<Json<IngestReply>, Failure> {
    take::<ViolationReport>(&app, &adapter, &payload).await
}

async fn take<R: Reported>(
    app: &App,
    adapter: &Adapter,
    payload: &Payload,
) -> Result<Json<IngestReply>, Failure> {
    let (payload, envelope) = signed::open(payload, R::TYPE)?;
    let report = R::read(Fields::open(payload.as_ref())?)?;
    if !report.head().is_of(adapter) {
        return Err(Failure::scope());
    }
    if envelope
        .as_ref()
        .is_some_and(|sent| !sent.names(report.head()))
    {
        return Err(Failure::coded(
            "The envelope names other ids than its payload".to_owned(),
            "identity_mismatch",
        ));
    }
    let (mut report, attachments) = report.translate()?;
    if let Some(sent) = envelope {
        let directory = call::directory(app).await?;
        let event = report.body.event();
        report.signature = Some(check(&directory, &adapter.actor, &event, sent.envelope));
    }
    let operation = Operation::Report(Box::new(report));
    let receipt = call::submit_with(app, &adapter.actor, operation, attachments).await?;
    let status = if receipt.reply == Reply::Duplicate {
        "duplicate"
    } else {
        "ok"
    };
    Ok(Json(IngestReply { status }))
}
