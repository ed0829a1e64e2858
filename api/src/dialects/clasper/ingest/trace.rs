//! A trace: what its steps' own hashes show, and the summary that the record keeps. The trace itself is an attachment.
//!
//! The hashes are the reporter's and unkeyed: they show that a trace was not damaged on its way, not that it is true. A step
//! is hashed as it was sent.

use super::super::fields::{self, Faults, Fields, amount};
use super::super::number::{MICRO_PLACES, MILLI_PLACES};
use probity_schemas::body::Body;
use probity_schemas::event::telemetry::{AttachmentRef, TraceIngested};
use probity_schemas::time::Time;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Failures of a trace's hashes that the record names.
const FAILURES_MAX: usize = 16;

/// Steps of one trace.
const STEPS_MAX: usize = 10_000;

/// The type under which a trace is kept.
const MEDIA_TYPE: &str = "application/json";

/// What a trace says of itself, as far as the ledger reads it.
#[derive(Debug)]
pub(super) struct Trace {
    id: String,
    tenant_id: String,
    workspace_id: String,
    agent_role: Option<String>,
    started: Time,
    completed: Option<Time>,
    duration_micros: Option<u64>,
    model: String,
    provider: String,
    error: Option<String>,
    steps: Vec<Step>,
    usage: Usage,
    violations: u32,
}

/// What an execution used.
#[derive(Debug, Default)]
struct Usage {
    tokens_in: u64,
    tokens_out: u64,
    cost_micros: u64,
}

/// One step: its members as canonical text.
#[derive(Debug)]
struct Step(BTreeMap<String, Box<RawValue>>);

/// What the step hashes show.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Integrity {
    /// `verified`, `unsigned`, `unverified` or `compromised`.
    pub(super) status: &'static str,
    /// The steps at fault, the first ones.
    pub(super) failures: Vec<String>,
}

impl Trace {
    /// Reads a trace.
    pub(super) fn read(body: &Body) -> Result<Self, Faults> {
        let mut fields = Fields::open(Some(body))?;
        let trace = Self {
            id: fields.required("id", fields::id),
            tenant_id: fields.required("tenantId", fields::id),
            workspace_id: fields.required("workspaceId", fields::id),
            agent_role: fields.optional("agentRole", fields::text),
            started: fields
                .required("startedAt", |raw| fields::time(raw).map(Some))
                .unwrap_or(Time::from_micros(0)),
            completed: fields.optional("completedAt", fields::time),
            duration_micros: fields.optional("durationMs", amount(MILLI_PLACES)),
            model: fields.required("model", fields::text),
            provider: fields.required("provider", fields::text),
            error: fields.optional("error", fields::text),
            steps: fields.required("steps", steps),
            usage: usage(&mut fields),
            violations: fields.optional("violations", length).unwrap_or_default(),
        };
        let _ = fields.required("input", |raw| fields::object(raw).map(Some));
        let _ = fields.required("skillVersions", |raw| fields::object(raw).map(Some));
        fields.close(trace)
    }

    /// Whether the trace names itself so.
    pub(super) fn is(&self, id: &str, tenant: &str, workspace: &str) -> bool {
        self.id == id && self.tenant_id == tenant && self.workspace_id == workspace
    }

    /// The record of this trace, for an execution, with the trace as its attachment.
    pub(super) fn record(self, execution: String, body: &Body) -> TraceIngested {
        let integrity = self.integrity();
        let content = body.as_str().as_bytes();
        TraceIngested {
            agent_role: self.agent_role,
            attachment: AttachmentRef {
                blake3: blake3::hash(content).to_hex().to_string(),
                bytes: content.len() as u64,
                media_type: MEDIA_TYPE.to_owned(),
            },
            completed: self.completed,
            cost_micros: self.usage.cost_micros,
            duration_micros: self.duration_micros,
            error: self.error,
            execution,
            integrity: integrity.status.to_owned(),
            integrity_failures: integrity.failures,
            model: self.model,
            provider: self.provider,
            started: self.started,
            steps: u32::try_from(self.steps.len()).unwrap_or(u32::MAX),
            tokens_in: self.usage.tokens_in,
            tokens_out: self.usage.tokens_out,
            trace: self.id,
            violations: self.violations,
            signature: None,
        }
    }

    /// Follows the steps' hashes from the first to the last.
    pub(super) fn integrity(&self) -> Integrity {
        if self.steps.is_empty() {
            return Integrity {
                status: "unverified",
                failures: vec!["no_steps".to_owned()],
            };
        }
        if self
            .steps
            .iter()
            .all(|step| step.text("step_hash").is_none())
        {
            return Integrity {
                status: "unsigned",
                failures: vec!["missing_step_hashes".to_owned()],
            };
        }
        let mut failures = Vec::new();
        let mut previous = None;
        for (at, step) in self.steps.iter().enumerate() {
            failures.extend(
                step.faults(previous.as_deref())
                    .into_iter()
                    .map(|fault| format!("step_{at}_{fault}")),
            );
            previous = step.text("step_hash");
        }
        failures.truncate(FAILURES_MAX);
        Integrity {
            status: if failures.is_empty() {
                "verified"
            } else {
                "compromised"
            },
            failures,
        }
    }
}

impl Step {
    /// What is wrong with this step, after a step with this hash.
    fn faults(&self, previous: Option<&str>) -> Vec<&'static str> {
        let Some(stated) = self.text("step_hash") else {
            return vec!["missing_hash"];
        };
        let mut faults = Vec::new();
        if self.text("prev_step_hash").as_deref() != previous {
            faults.push("prev_hash_mismatch");
        }
        if stated != self.hash() {
            faults.push("hash_mismatch");
        }
        faults
    }

    fn hash(&self) -> String {
        let mut text = "sha256:".to_owned();
        for byte in Sha256::digest(self.preimage()) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The canonical JSON that a step's hash covers: six members, in key order, absent ones as null.
    fn preimage(&self) -> String {
        let raw = |name: &str| self.0.get(name).map_or("null", |raw| raw.get());
        let covered = [
            "data",
            "durationMs",
            "prev_step_hash",
            "step_id",
            "timestamp",
            "type",
        ];
        let members: Vec<String> = covered
            .iter()
            .map(|name| format!("\"{name}\":{}", raw(name)))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0
            .get(name)
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
    }
}

fn steps(raw: &str) -> Result<Vec<Step>, String> {
    let steps: Vec<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(raw)
        .map_err(|_| format!("Expected array of objects, received {}", fields::kind(raw)))?;
    if steps.len() > STEPS_MAX {
        return Err(format!("Array must contain at most {STEPS_MAX} element(s)"));
    }
    Ok(steps.into_iter().map(Step).collect())
}

fn usage(fields: &mut Fields) -> Usage {
    let read = |inner: &mut Fields| Usage {
        tokens_in: inner.required("inputTokens", fields::count),
        tokens_out: inner.required("outputTokens", fields::count),
        cost_micros: inner.required("totalCost", amount(MICRO_PLACES)),
    };
    fields.nested_required("usage", read)
}

fn length(raw: &str) -> Result<u32, String> {
    let items: Vec<Box<RawValue>> = serde_json::from_str(raw)
        .map_err(|_| format!("Expected array, received {}", fields::kind(raw)))?;
    u32::try_from(items.len()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
