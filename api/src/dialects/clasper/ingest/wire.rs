//! The five reports as they come in, and what each is in the ledger's words.

use super::super::credentials::Adapter;
use super::super::envelope::Failure;
use super::super::fields::{self, Faults, Fields, amount};
use super::super::number::{MICRO_PLACES, MILLI_PLACES};
use super::trace::Trace;
use axum::http::StatusCode;
use probity_governance::command::{Report, ReportBody};
use probity_ledger::store::Attachment;
use probity_schemas::body::Body;
use probity_schemas::event::decision::OutcomeRecorded;
use probity_schemas::event::telemetry::{
    AuditIngested, CostIngested, MetricIngested, ViolationIngested,
};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::OutcomeStatus;
use utoipa::ToSchema;

/// Audit events that say how an act ended.
const OUTCOMES: [(&str, OutcomeStatus); 2] = [
    ("tool_execution_completed", OutcomeStatus::Completed),
    ("tool_execution_failed", OutcomeStatus::Failed),
];

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
    /// Whether the ids are those of the token.
    pub(super) fn is_of(&self, adapter: &Adapter) -> bool {
        adapter.is(&self.tenant_id, &self.workspace_id, &self.adapter_id)
    }
}

/// A report, whichever of the five.
pub(super) trait Reported: Sized {
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

fn head(fields: &mut Fields) -> ReportHead {
    ReportHead {
        tenant_id: fields.required("tenant_id", fields::id),
        workspace_id: fields.required("workspace_id", fields::id),
        adapter_id: fields.required("adapter_id", fields::id),
        execution_id: fields.required("execution_id", fields::id),
        trace_id: fields.required("trace_id", fields::id),
    }
}

fn moment(fields: &mut Fields, name: &str) -> Time {
    fields
        .required(name, |raw| fields::time(raw).map(Some))
        .unwrap_or(Time::from_micros(0))
}

impl Reported for AuditReport {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let report = Self {
            head: head(&mut fields),
            event_type: fields.required("event_type", fields::id),
            occurred_at: moment(&mut fields, "occurred_at"),
            message: fields.optional("message", fields::text),
            event_data: fields.optional("event_data", fields::object),
        };
        fields.close(report)
    }

    fn head(&self) -> &ReportHead {
        &self.head
    }

    fn translate(self) -> Result<(Report, Vec<Attachment>), Failure> {
        let dedup = format!("audit:{}", self.event_type);
        let (execution, trace) = (self.head.execution_id, self.head.trace_id);
        let outcome = OUTCOMES
            .into_iter()
            .find(|(event, _)| *event == self.event_type);
        let body = match outcome {
            Some((_, status)) => ReportBody::Outcome(Box::new(OutcomeRecorded {
                body: self.event_data,
                event: self.event_type,
                execution: Some(execution.clone()),
                message: self.message,
                occurred: Some(self.occurred_at),
                status,
                trace: Some(trace),
            })),
            None => ReportBody::Audit(Box::new(AuditIngested {
                body: self.event_data,
                event: self.event_type,
                execution: execution.clone(),
                message: self.message,
                occurred: self.occurred_at,
                trace,
            })),
        };
        Ok((
            Report {
                execution,
                dedup,
                body,
            },
            Vec::new(),
        ))
    }
}

impl Reported for CostReport {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let report = Self {
            head: head(&mut fields),
            cost_usd: fields.required("cost_usd", amount(MICRO_PLACES)),
            recorded_at: moment(&mut fields, "recorded_at"),
            input_tokens: fields.optional("input_tokens", fields::count),
            output_tokens: fields.optional("output_tokens", fields::count),
            model: fields.optional("model", fields::text),
            provider: fields.optional("provider", fields::text),
        };
        fields.close(report)
    }

    fn head(&self) -> &ReportHead {
        &self.head
    }

    fn translate(self) -> Result<(Report, Vec<Attachment>), Failure> {
        let execution = self.head.execution_id;
        let body = ReportBody::Cost(Box::new(CostIngested {
            cost_micros: self.cost_usd,
            execution: execution.clone(),
            model: self.model,
            occurred: self.recorded_at,
            provider: self.provider,
            tokens_in: self.input_tokens.unwrap_or_default(),
            tokens_out: self.output_tokens.unwrap_or_default(),
            trace: self.head.trace_id,
        }));
        Ok((
            Report {
                execution,
                dedup: "cost".to_owned(),
                body,
            },
            Vec::new(),
        ))
    }
}

impl Reported for MetricsReport {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let report = Self {
            head: head(&mut fields),
            step_count: fields.required("step_count", fields::count),
            duration_ms: fields.required("duration_ms", amount(MILLI_PLACES)),
            recorded_at: moment(&mut fields, "recorded_at"),
        };
        fields.close(report)
    }

    fn head(&self) -> &ReportHead {
        &self.head
    }

    fn translate(self) -> Result<(Report, Vec<Attachment>), Failure> {
        let execution = self.head.execution_id;
        let body = ReportBody::Metric(Box::new(MetricIngested {
            // Milliseconds were read in thousandths.
            duration_micros: self.duration_ms,
            execution: execution.clone(),
            occurred: self.recorded_at,
            steps: self.step_count,
            trace: self.head.trace_id,
        }));
        Ok((
            Report {
                execution,
                dedup: "metrics".to_owned(),
                body,
            },
            Vec::new(),
        ))
    }
}

impl Reported for ViolationReport {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let report = Self {
            head: head(&mut fields),
            violation_type: fields.required("violation_type", fields::id),
            message: fields.required("message", fields::text),
            occurred_at: moment(&mut fields, "occurred_at"),
            data: fields.optional("data", fields::object),
        };
        fields.close(report)
    }

    fn head(&self) -> &ReportHead {
        &self.head
    }

    fn translate(self) -> Result<(Report, Vec<Attachment>), Failure> {
        let execution = self.head.execution_id;
        let dedup = format!("violation:{}", self.violation_type);
        let body = ReportBody::Violation(Box::new(ViolationIngested {
            body: self.data,
            execution: execution.clone(),
            message: self.message,
            occurred: self.occurred_at,
            trace: self.head.trace_id,
            violation: self.violation_type,
        }));
        Ok((
            Report {
                execution,
                dedup,
                body,
            },
            Vec::new(),
        ))
    }
}

impl Reported for TraceReport {
    fn read(mut fields: Fields) -> Result<Self, Faults> {
        let head = head(&mut fields);
        let body = fields.required("trace", |raw| fields::object(raw).map(Some));
        let trace = body
            .map(|body| Trace::read(&body).map(|trace| (body, trace)))
            .transpose();
        let trace = trace.unwrap_or_else(|faults| {
            for (name, message) in faults.named() {
                fields.fault("trace", format!("{name}: {message}"));
            }
            None
        });
        match trace {
            Some(trace) => fields.close(Self { head, trace }),
            None => Err(fields.close(()).err().unwrap_or_default()),
        }
    }

    fn head(&self) -> &ReportHead {
        &self.head
    }

    fn translate(self) -> Result<(Report, Vec<Attachment>), Failure> {
        let (body, trace) = self.trace;
        if !trace.is(
            &self.head.trace_id,
            &self.head.tenant_id,
            &self.head.workspace_id,
        ) {
            return Err(Failure::said(
                StatusCode::BAD_REQUEST,
                "Trace identity mismatch for ingest payload",
            ));
        }
        let execution = self.head.execution_id;
        let record = trace.record(execution.clone(), &body);
        let attachment = Attachment {
            blake3: record.attachment.blake3.clone(),
            content: body.as_str().as_bytes().into(),
        };
        let report = Report {
            execution,
            dedup: "trace".to_owned(),
            body: ReportBody::Trace(Box::new(record)),
        };
        Ok((report, vec![attachment]))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{AuditReport, CostReport, MetricsReport, Reported, TraceReport, ViolationReport};
    use crate::dialects::clasper::fields::{Faults, Fields};
    use probity_governance::command::{Report, ReportBody};
    use probity_schemas::body::Body;
    use probity_schemas::vocabulary::OutcomeStatus;
    use serde_json::{Value, json};

    fn with(more: &Value) -> Value {
        let mut report = json!({"tenant_id": "local", "workspace_id": "local", "adapter_id": "desk",
            "execution_id": "exec-1", "trace_id": "t-1"});
        report
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        report
    }

    fn read<R: Reported>(more: &Value) -> Result<R, Faults> {
        let body = Body::from_foreign(with(more).to_string().as_bytes()).unwrap();
        R::read(Fields::open(Some(&body)).unwrap())
    }

    fn translated<R: Reported>(more: &Value) -> Report {
        read::<R>(more).unwrap().translate().unwrap().0
    }

    const WHEN: &str = "2026-11-22T10:00:00.125Z";

    #[test]
    fn each_report_has_its_own_key() {
        let audit = json!({"event_type": "approval_requested", "occurred_at": WHEN});
        let violation = json!({"violation_type": "secret", "message": "no", "occurred_at": WHEN});
        let metrics = json!({"step_count": 3, "duration_ms": 1.5, "recorded_at": WHEN});
        let cost = json!({"cost_usd": 0.020883, "recorded_at": WHEN});
        let table = [
            (
                translated::<AuditReport>(&audit),
                "audit:approval_requested",
            ),
            (
                translated::<ViolationReport>(&violation),
                "violation:secret",
            ),
            (translated::<MetricsReport>(&metrics), "metrics"),
            (translated::<CostReport>(&cost), "cost"),
        ];
        for (report, key) in table {
            assert_eq!(
                (report.execution.as_str(), report.dedup.as_str()),
                ("exec-1", key)
            );
        }
    }

    #[test]
    fn an_audit_event_is_an_outcome_or_not_by_its_name() {
        let table = [
            ("tool_execution_completed", Some(OutcomeStatus::Completed)),
            ("tool_execution_failed", Some(OutcomeStatus::Failed)),
            ("tool_execution_blocked", None),
            ("approval_granted", None),
        ];
        for (event, status) in table {
            let report = translated::<AuditReport>(
                &json!({"event_type": event, "occurred_at": WHEN, "event_data": {"b": 1, "a": 0.5}}),
            );
            let (found, body) = match report.body {
                ReportBody::Outcome(outcome) => (Some(outcome.status), outcome.body),
                ReportBody::Audit(audit) => (None, audit.body),
                other => unreachable!("{other:?}"),
            };
            assert_eq!(
                (found, body.unwrap().as_str()),
                (status, r#"{"a":0.5,"b":1}"#),
                "{event}"
            );
        }
    }

    #[test]
    fn amounts_are_kept_in_whole_units() {
        let ReportBody::Cost(cost) = translated::<CostReport>(
            &json!({"cost_usd": 0.020883, "recorded_at": WHEN, "input_tokens": 5901}),
        )
        .body
        else {
            unreachable!()
        };
        assert_eq!(
            (cost.cost_micros, cost.tokens_in, cost.tokens_out),
            (20_883, 5_901, 0)
        );
        let ReportBody::Metric(metric) = translated::<MetricsReport>(
            &json!({"step_count": 3, "duration_ms": 1.5, "recorded_at": WHEN}),
        )
        .body
        else {
            unreachable!()
        };
        assert_eq!((metric.steps, metric.duration_micros), (3, 1_500));
        assert_eq!(metric.occurred.to_string(), "2026-11-22T10:00:00.125000Z");
    }

    #[test]
    fn a_report_at_fault_names_its_fields() {
        let faults = read::<CostReport>(&json!({"cost_usd": -1, "input_tokens": 1.5})).unwrap_err();
        assert_eq!(
            faults.fields.keys().collect::<Vec<_>>(),
            ["cost_usd", "input_tokens", "recorded_at"]
        );
        let faults = read::<TraceReport>(&json!({"trace": {"id": "t-1"}})).unwrap_err();
        assert!(
            faults.fields["trace"].contains(&"steps: Required".to_owned()),
            "{faults:?}"
        );
        assert_eq!(
            read::<TraceReport>(&json!({})).unwrap_err().fields["trace"],
            ["Required"]
        );
    }

    #[test]
    fn a_trace_must_be_the_one_the_report_names() {
        let trace = |id: &str| {
            json!({"trace": {"id": id, "tenantId": "local", "workspaceId": "local", "startedAt": WHEN, "skillVersions": {},
                "model": "m", "provider": "p", "input": {}, "steps": [], "usage": {"inputTokens": 0, "outputTokens": 0, "totalCost": 0}}})
        };
        let (report, attachments) = read::<TraceReport>(&trace("t-1"))
            .unwrap()
            .translate()
            .unwrap();
        let ReportBody::Trace(record) = report.body else {
            unreachable!()
        };
        assert_eq!(
            (report.dedup.as_str(), record.attachment.blake3.as_str()),
            ("trace", attachments[0].blake3.as_str())
        );
        assert_eq!(record.attachment.bytes, attachments[0].content.len() as u64);
        assert!(
            read::<TraceReport>(&trace("t-2"))
                .unwrap()
                .translate()
                .is_err()
        );
    }
}
