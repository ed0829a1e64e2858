//! Whether a record says what its producer's payload says, member by member. The other way round it need not be: a payload
//! may have more members than a record keeps, and the payload is kept whole.
//!
//! What a record of a trace says of its steps' own hashes is the ledger's finding and not the producer's word.

use crate::decimal::{MICRO_PLACES, MILLI_PLACES, scaled};
use crate::execute::OUTCOME_WITHOUT_ALLOW;
use probity_schemas::body::Body;
use probity_schemas::envelope::PayloadIds;
use probity_schemas::event::Event;
use probity_schemas::event::decision::OutcomeRecorded;
use probity_schemas::event::telemetry::{
    AuditIngested, CostIngested, MetricIngested, TraceIngested, ViolationIngested,
};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{OutcomeStatus, PayloadType};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Audit events that say how an act ended.
pub const OUTCOMES: [(&str, OutcomeStatus); 2] = [
    ("tool_execution_completed", OutcomeStatus::Completed),
    ("tool_execution_failed", OutcomeStatus::Failed),
];

/// The first part of a record that is not what the payload says.
pub(super) fn by(
    event: &Event,
    kind: PayloadType,
    ids: &PayloadIds,
    payload: &Body,
) -> Result<(), &'static str> {
    let payload = Members::open(payload.as_str()).ok_or("payload")?;
    match (kind, event) {
        (PayloadType::Audit, Event::OutcomeRecorded(body)) => outcome(body, ids, &payload),
        (PayloadType::Audit, Event::AuditIngested(body)) => audit(body, ids, &payload),
        (PayloadType::Audit, Event::ViolationIngested(body)) => not_allowed(body, ids, &payload),
        (PayloadType::Violations, Event::ViolationIngested(body)) => violation(body, ids, &payload),
        (PayloadType::Cost, Event::CostIngested(body)) => cost(body, ids, &payload),
        (PayloadType::Metrics, Event::MetricIngested(body)) => metric(body, ids, &payload),
        (PayloadType::Trace, Event::TraceIngested(body)) => trace(body, ids, &payload),
        _ => Err("type"),
    }
}

fn outcome(
    body: &OutcomeRecorded,
    ids: &PayloadIds,
    payload: &Members<'_>,
) -> Result<(), &'static str> {
    let status = OUTCOMES.iter().find(|(event, _)| *event == body.event);
    first(&[
        (
            "execution",
            body.execution.as_ref() == Some(&ids.execution_id),
        ),
        ("trace", body.trace.as_ref() == Some(&ids.trace_id)),
        ("event", payload.is_text("event_type", &body.event)),
        (
            "status",
            status.is_some_and(|(_, status)| *status == body.status),
        ),
        ("occurred", payload.is_time("occurred_at", body.occurred)),
        (
            "message",
            payload.is_option("message", body.message.as_deref()),
        ),
        ("body", payload.is_body("event_data", body.body.as_ref())),
    ])
}

fn audit(
    body: &AuditIngested,
    ids: &PayloadIds,
    payload: &Members<'_>,
) -> Result<(), &'static str> {
    first(&[
        ("execution", body.execution == ids.execution_id),
        ("trace", body.trace == ids.trace_id),
        ("event", payload.is_text("event_type", &body.event)),
        (
            "occurred",
            payload.is_time("occurred_at", Some(body.occurred)),
        ),
        (
            "message",
            payload.is_option("message", body.message.as_deref()),
        ),
        ("body", payload.is_body("event_data", body.body.as_ref())),
    ])
}

/// An outcome that nothing allowed, which the ledger keeps as a violation with words of its own around the producer's.
fn not_allowed(
    body: &ViolationIngested,
    ids: &PayloadIds,
    payload: &Members<'_>,
) -> Result<(), &'static str> {
    let event = payload.text("event_type").unwrap_or_default();
    let said = payload.text("message");
    let ends = said.map_or(!payload.has("message"), |said| {
        body.message.ends_with(&format!(": {said}"))
    });
    first(&[
        ("violation", body.violation == OUTCOME_WITHOUT_ALLOW),
        ("execution", body.execution == ids.execution_id),
        ("trace", body.trace == ids.trace_id),
        (
            "event",
            OUTCOMES.iter().any(|(outcome, _)| *outcome == event),
        ),
        (
            "message",
            ends && body.message.starts_with(&format!("{event} (")),
        ),
        (
            "occurred",
            payload.is_time("occurred_at", Some(body.occurred)),
        ),
        ("body", payload.is_body("event_data", body.body.as_ref())),
    ])
}

fn violation(
    body: &ViolationIngested,
    ids: &PayloadIds,
    payload: &Members<'_>,
) -> Result<(), &'static str> {
    first(&[
        ("execution", body.execution == ids.execution_id),
        ("trace", body.trace == ids.trace_id),
        (
            "violation",
            payload.is_text("violation_type", &body.violation),
        ),
        ("message", payload.is_text("message", &body.message)),
        (
            "occurred",
            payload.is_time("occurred_at", Some(body.occurred)),
        ),
        ("body", payload.is_body("data", body.body.as_ref())),
    ])
}

fn cost(body: &CostIngested, ids: &PayloadIds, payload: &Members<'_>) -> Result<(), &'static str> {
    first(&[
        ("execution", body.execution == ids.execution_id),
        ("trace", body.trace == ids.trace_id),
        (
            "cost",
            payload.is_amount("cost_usd", MICRO_PLACES, Some(body.cost_micros)),
        ),
        (
            "occurred",
            payload.is_time("recorded_at", Some(body.occurred)),
        ),
        (
            "tokens_in",
            payload.is_count("input_tokens", body.tokens_in),
        ),
        (
            "tokens_out",
            payload.is_count("output_tokens", body.tokens_out),
        ),
        ("model", payload.is_option("model", body.model.as_deref())),
        (
            "provider",
            payload.is_option("provider", body.provider.as_deref()),
        ),
    ])
}

fn metric(
    body: &MetricIngested,
    ids: &PayloadIds,
    payload: &Members<'_>,
) -> Result<(), &'static str> {
    let duration = Some(body.duration_micros);
    first(&[
        ("execution", body.execution == ids.execution_id),
        ("trace", body.trace == ids.trace_id),
        (
            "steps",
            payload.is_amount("step_count", 0, Some(body.steps)),
        ),
        (
            "duration",
            payload.is_amount("duration_ms", MILLI_PLACES, duration),
        ),
        (
            "occurred",
            payload.is_time("recorded_at", Some(body.occurred)),
        ),
    ])
}

fn trace(
    body: &TraceIngested,
    ids: &PayloadIds,
    payload: &Members<'_>,
) -> Result<(), &'static str> {
    let content = payload.raw("trace").ok_or("trace")?;
    let told = Members::open(content).ok_or("trace")?;
    let usage = told.raw("usage").and_then(Members::open).ok_or("usage")?;
    let attachment = &body.attachment;
    first(&[
        ("execution", body.execution == ids.execution_id),
        (
            "trace",
            body.trace == ids.trace_id && told.is_text("id", &body.trace),
        ),
        (
            "attachment",
            attachment.bytes == content.len() as u64
                && attachment.blake3 == blake3::hash(content.as_bytes()).to_hex().as_str(),
        ),
        (
            "agent_role",
            told.is_option("agentRole", body.agent_role.as_deref()),
        ),
        ("started", told.is_time("startedAt", Some(body.started))),
        ("completed", told.is_time("completedAt", body.completed)),
        (
            "duration",
            told.is_amount("durationMs", MILLI_PLACES, body.duration_micros),
        ),
        ("model", told.is_text("model", &body.model)),
        ("provider", told.is_text("provider", &body.provider)),
        ("error", told.is_option("error", body.error.as_deref())),
        ("steps", told.length("steps") == Some(body.steps)),
        (
            "violations",
            told.length("violations").unwrap_or(0) == body.violations,
        ),
        ("tokens_in", usage.is_count("inputTokens", body.tokens_in)),
        (
            "tokens_out",
            usage.is_count("outputTokens", body.tokens_out),
        ),
        (
            "cost",
            usage.is_amount("totalCost", MICRO_PLACES, Some(body.cost_micros)),
        ),
    ])
}

fn first(parts: &[(&'static str, bool)]) -> Result<(), &'static str> {
    match parts.iter().find(|(_, same)| !same) {
        Some((part, _)) => Err(part),
        None => Ok(()),
    }
}

/// The members of an object, as canonical text.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    fn open(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|raw| raw.get())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.raw(name)
            .and_then(|raw| serde_json::from_str(raw).ok())
    }

    fn length(&self, name: &str) -> Option<u32> {
        let items: Vec<&RawValue> = serde_json::from_str(self.raw(name)?).ok()?;
        u32::try_from(items.len()).ok()
    }

    fn is_text(&self, name: &str, said: &str) -> bool {
        self.text(name).is_some_and(|text| text == said)
    }

    fn is_option(&self, name: &str, said: Option<&str>) -> bool {
        said.map_or(!self.has(name), |said| self.is_text(name, said))
    }

    fn is_time(&self, name: &str, said: Option<Time>) -> bool {
        let time = self
            .text(name)
            .and_then(|text| Time::parse_rfc3339(&text).ok());
        said.map_or(!self.has(name), |said| time == Some(said))
    }

    fn is_body(&self, name: &str, said: Option<&Body>) -> bool {
        self.raw(name) == said.map(Body::as_str)
    }

    fn is_amount(&self, name: &str, places: i32, said: Option<u64>) -> bool {
        let units = self
            .raw(name)
            .map(|raw| scaled(raw, places).map(|scaled| scaled.units));
        units == said.map(Ok)
    }

    /// A count that is zero where nothing is said.
    fn is_count(&self, name: &str, said: u64) -> bool {
        self.is_amount(name, 0, Some(said)) || (said == 0 && !self.has(name))
    }
}
