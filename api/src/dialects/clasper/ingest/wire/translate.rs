//! The five reports, read field by field and put into the ledger's words.

use super::{
    AuditReport, CostReport, MetricsReport, ReportHead, Reported, TraceReport, ViolationReport,
};
use crate::dialects::clasper::envelope::Failure;
use crate::dialects::clasper::fields::{self, Faults, Fields, amount};
use crate::dialects::clasper::ingest::trace::Trace;
use crate::dialects::clasper::number::{MICRO_PLACES, MILLI_PLACES};
use axum::http::StatusCode;
use probity_governance::command::{Report, ReportBody};
use probity_governance::producer::OUTCOMES;
use probity_ledger::store::Attachment;
use probity_schemas::event::decision::OutcomeRecorded;
use probity_schemas::event::telemetry::{
    AuditIngested, CostIngested, MetricIngested, ViolationIngested,
};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::PayloadType;

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
    const TYPE: PayloadType = PayloadType::Audit;

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
                signature: None,
            })),
            None => ReportBody::Audit(Box::new(AuditIngested {
                body: self.event_data,
                event: self.event_type,
                execution: execution.clone(),
                message: self.message,
                occurred: self.occurred_at,
                trace,
                signature: None,
            })),
        };
        Ok((
            Report {
                execution,
                dedup,
                body,
                signature: None,
            },
            Vec::new(),
        ))
    }
}

impl Reported for CostReport {
    const TYPE: PayloadType = PayloadType::Cost;

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
            signature: None,
        }));
        Ok((
            Report {
                execution,
                dedup: "cost".to_owned(),
                body,
                signature: None,
            },
            Vec::new(),
        ))
    }
}

impl Reported for MetricsReport {
    const TYPE: PayloadType = PayloadType::Metrics;

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
            signature: None,
        }));
        Ok((
            Report {
                execution,
                dedup: "metrics".to_owned(),
                body,
                signature: None,
            },
            Vec::new(),
        ))
    }
}

impl Reported for ViolationReport {
    const TYPE: PayloadType = PayloadType::Violations;

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
            signature: None,
        }));
        Ok((
            Report {
                execution,
                dedup,
                body,
                signature: None,
            },
            Vec::new(),
        ))
    }
}

impl Reported for TraceReport {
    const TYPE: PayloadType = PayloadType::Trace;

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
            signature: None,
        };
        Ok((report, vec![attachment]))
    }
}

#[cfg(test)]
mod tests;
