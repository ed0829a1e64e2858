//! What adapters and agents report: traces, audit events, costs, metrics, violations, observations.
//!
//! A report is evidence that it was reported, not that it is true. Times in these bodies are the reporter's.

use super::Event;
use crate::body::Body;
use crate::event::key::ReportSignature;
use crate::limits::{ATTACHMENT_BYTES_MAX, MEDIA_TYPE_BYTES_MAX};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Content kept beside the record and named by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentRef {
    /// BLAKE3 of the content, lower-case hexadecimal.
    pub blake3: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its media type.
    pub media_type: String,
}

impl AttachmentRef {
    /// What is wrong with it, if anything: a writer refuses it then.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let is_printable = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_attachment_name(&self.blake3) {
            Some("blake3: expected 64 lower-case hexadecimal digits")
        } else if self.bytes > ATTACHMENT_BYTES_MAX {
            Some("bytes: more than an attachment may have")
        } else if !(1..=MEDIA_TYPE_BYTES_MAX).contains(&self.media_type.len())
            || !is_printable(&self.media_type)
        {
            Some("media_type: expected 1 to 255 printable characters")
        } else {
            None
        }
    }
}

/// Whether a text is how an attachment is named: BLAKE3 as 64 lower-case hexadecimal digits.
#[must_use]
pub fn is_attachment_name(name: &str) -> bool {
    name.len() == 64
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Event {
    /// The attachments that it names.
    #[must_use]
    pub fn attachments(&self) -> &[AttachmentRef] {
        match self {
            Self::TraceIngested(body) => std::slice::from_ref(&body.attachment),
            Self::ObservationRecorded(body) => &body.attachments,
            _ => &[],
        }
    }
}

/// `trace.ingested.v1`: the trace of an execution. The trace itself is an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceIngested {
    /// The agent's role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_role: Option<String>,
    /// The trace, canonical JSON.
    pub attachment: AttachmentRef,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed: Option<Time>,
    /// What it cost, micro-USD.
    pub cost_micros: u64,
    /// How long it took, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_micros: Option<u64>,
    /// How it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The execution it tells of.
    pub execution: String,
    /// What the reporter's own step hashes show: `verified`, `unsigned`, `unverified` or `compromised`.
    pub integrity: String,
    /// The first of the steps at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub integrity_failures: Vec<String>,
    /// The model.
    pub model: String,
    /// The model's provider.
    pub provider: String,
    /// What became of its producer's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ReportSignature>,
    /// When it began.
    pub started: Time,
    /// How many steps it has.
    pub steps: u32,
    /// Tokens in.
    pub tokens_in: u64,
    /// Tokens out.
    pub tokens_out: u64,
    /// The reporter's id of the trace.
    pub trace: String,
    /// How many violations it reports.
    pub violations: u32,
}

/// `audit.ingested.v1`: an audit event that is not an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditIngested {
    /// What the reporter adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The reporter's name for the event.
    pub event: String,
    /// The execution.
    pub execution: String,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When, by the reporter's clock.
    pub occurred: Time,
    /// What became of its producer's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ReportSignature>,
    /// The reporter's id of the trace.
    pub trace: String,
}

/// `cost.ingested.v1`: what an execution cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostIngested {
    /// Micro-USD.
    pub cost_micros: u64,
    /// The execution.
    pub execution: String,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When, by the reporter's clock.
    pub occurred: Time,
    /// The model's provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// What became of its producer's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ReportSignature>,
    /// Tokens in.
    pub tokens_in: u64,
    /// Tokens out.
    pub tokens_out: u64,
    /// The reporter's id of the trace.
    pub trace: String,
}

/// `metric.ingested.v1`: how much work an execution was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricIngested {
    /// How long it took, microseconds.
    pub duration_micros: u64,
    /// The execution.
    pub execution: String,
    /// When, by the reporter's clock.
    pub occurred: Time,
    /// What became of its producer's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ReportSignature>,
    /// How many steps.
    pub steps: u64,
    /// The reporter's id of the trace.
    pub trace: String,
}

/// `violation.ingested.v1`: something that should not have happened. Reported, or found by the ledger itself: an
/// outcome of an execution that was never allowed is kept as the violation `outcome_without_allow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ViolationIngested {
    /// What the reporter adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The execution.
    pub execution: String,
    /// Words for people.
    pub message: String,
    /// When, by the reporter's clock.
    pub occurred: Time,
    /// What became of its producer's signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<ReportSignature>,
    /// The reporter's id of the trace.
    pub trace: String,
    /// What kind of violation.
    pub violation: String,
}

/// `observation.recorded.v1`: any other thing reported to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObservationRecorded {
    /// Content that belongs to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentRef>,
    /// What was reported.
    pub body: Body,
    /// The reporter's label.
    pub kind: String,
}
