//! The five reports as they come in. What each is in the ledger's words is in `translate`.

mod translate;

use super::super::credentials::Adapter;
use super::super::envelope::Failure;
use super::super::fields::{Faults, Fields};
use super::trace::Trace;
use probity_governance::command::Report;
use probity_ledger::store::Attachment;
use probity_schemas::body::Body;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::PayloadType;
use utoipa::ToSchema;

/// What every report carries.
#[derive(Debug, ToSchema)]
pub(crate) struct ReportHead {
    /// The token's tenant.
    tenant_id: String,
    /// The token's workspace.
    workspace_id: String,
    /// The token's adapter.
    adapter_id: String,
    /// The execution it tells of.
    execution_id: String,
    /// The reporter's id of the trace.
    trace_id: String,
}

impl ReportHead {
    /// Whether they are the ids of this adapter, execution and trace.
    pub(super) fn names(&self, adapter: &str, execution: &str, trace: &str) -> bool {
        self.adapter_id == adapter && self.execution_id == execution && self.trace_id == trace
    }

    /// Whether the ids are those of the token.
    pub(super) fn is_of(&self, adapter: &Adapter) -> bool {
        adapter.is(&self.tenant_id, &self.workspace_id, &self.adapter_id)
    }
}

/// A report, whichever of the five.
pub(super) trait Reported: Sized {
    /// What an envelope calls it.
    const TYPE: PayloadType;

    /// Reads it.
    fn read(fields: Fields) -> Result<Self, Faults>;

    /// What every report carries.
    fn head(&self) -> &ReportHead;

    /// The report in the ledger's words, and what is kept beside its record.
    fn translate(self) -> Result<(Report, Vec<Attachment>), Failure>;
}

/// `POST /api/ingest/audit`.
#[derive(Debug, ToSchema)]
pub(crate) struct AuditReport {
    #[serde(flatten)]
    head: ReportHead,
    /// The reporter's name for the event.
    event_type: String,
    /// RFC 3339.
    #[schema(value_type = String)]
    occurred_at: Time,
    /// Words for people.
    message: Option<String>,
    /// What the reporter adds.
    #[schema(value_type = Option<Object>)]
    event_data: Option<Body>,
}

/// `POST /api/ingest/cost`.
#[derive(Debug, ToSchema)]
pub(crate) struct CostReport {
    #[serde(flatten)]
    head: ReportHead,
    /// US dollars; kept to the micro-dollar.
    #[schema(value_type = f64, minimum = 0)]
    cost_usd: u64,
    /// RFC 3339.
    #[schema(value_type = String)]
    recorded_at: Time,
    /// Tokens in.
    input_tokens: Option<u64>,
    /// Tokens out.
    output_tokens: Option<u64>,
    /// The model.
    model: Option<String>,
    /// Its provider.
    provider: Option<String>,
}

/// `POST /api/ingest/metrics`.
#[derive(Debug, ToSchema)]
pub(crate) struct MetricsReport {
    #[serde(flatten)]
    head: ReportHead,
    /// How many steps.
    step_count: u64,
    /// How long, in milliseconds.
    #[schema(value_type = f64, minimum = 0)]
    duration_ms: u64,
    /// RFC 3339.
    #[schema(value_type = String)]
    recorded_at: Time,
}

/// `POST /api/ingest/violations`.
#[derive(Debug, ToSchema)]
pub(crate) struct ViolationReport {
    #[serde(flatten)]
    head: ReportHead,
    /// What kind.
    violation_type: String,
    /// Words for people.
    message: String,
    /// RFC 3339.
    #[schema(value_type = String)]
    occurred_at: Time,
    /// What the reporter adds.
    #[schema(value_type = Option<Object>)]
    data: Option<Body>,
}

/// `POST /api/ingest/trace`.
#[derive(Debug, ToSchema)]
pub(crate) struct TraceReport {
    #[serde(flatten)]
    head: ReportHead,
    /// The trace: `id`, `tenantId`, `workspaceId` (equal to the report's own), `startedAt`, `skillVersions`, `model`,
    /// `provider`, `input`, `steps`, `usage`, and optional fields.
    #[schema(value_type = Object)]
    trace: (Body, Trace),
}
