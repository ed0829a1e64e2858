//! The envelope that a producer signed around a report: opened here, verified by the rules.
//!
//! A body without `envelope_version` is a plain report. In an envelope each member must be there and well-formed, whatever
//! the log wants of signatures; whether the signature stands is another question.

use super::wire::ReportHead;
use crate::dialects::clasper::envelope::Failure;
use crate::dialects::clasper::fields::{self, word};
use crate::dialects::clasper::intake::Payload;
use probity_governance::producer::Envelope;
use probity_schemas::body::Body;
use probity_schemas::envelope::{ENVELOPE_VERSION, signature_text};
use probity_schemas::limits::ENVELOPE_TEXT_BYTES_MAX;
use probity_schemas::vocabulary::PayloadType;
use utoipa::ToSchema;

/// The member by which an envelope is told from a plain report.
const MARK: &str = "envelope_version";

/// A report, plain or in an envelope.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "read by hand, member by member; this is for the document"
)]
pub(super) enum Signable<R> {
    /// Nobody signed it.
    Plain(R),
    /// Its producer did.
    Signed(SignedReport<R>),
}

/// A report with its producer's signature over the canonical JSON (RFC 8785) of all members but `payload` and `signature`.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "read by hand, member by member; this is for the document"
)]
pub(super) struct SignedReport<R> {
    /// v1.
    envelope_version: String,
    /// The payload's.
    adapter_id: String,
    /// The adapter's version; a key may be registered for one version only.
    adapter_version: String,
    /// RFC 3339; may differ from our clock by the setting telemetry.skew.seconds (300).
    issued_at: String,
    /// The payload's.
    execution_id: String,
    /// The payload's.
    trace_id: String,
    /// trace, audit, cost, metrics or violations, as the path says.
    payload_type: String,
    /// The plain report.
    payload: R,
    /// sha256: and the hash of the payload's canonical JSON in lower-case hexadecimal.
    payload_hash: String,
    /// Base64 or base64url: Ed25519 over the bytes, or ES256 over their SHA-256 in DER.
    signature: String,
}

/// An envelope, and whom it names.
pub(super) struct Sent {
    adapter: String,
    execution: String,
    trace: String,
    pub(super) envelope: Envelope,
}

impl Sent {
    /// Whether the header has the ids of its payload.
    pub(super) fn names(&self, head: &ReportHead) -> bool {
        head.names(&self.adapter, &self.execution, &self.trace)
    }
}

/// The plain report of a request, and the envelope it came in.
pub(super) fn open(
    payload: &Payload,
    expected: PayloadType,
) -> Result<(Option<Body>, Option<Sent>), Failure> {
    let mut fields = payload.fields()?;
    let Some(version) = fields.optional(MARK, fields::text) else {
        return Ok((payload.body().cloned(), None));
    };
    if version != ENVELOPE_VERSION {
        fields.fault(MARK, fields::not_a_word(&[ENVELOPE_VERSION], &version));
    }
    let kind = fields.optional("payload_type", word(PayloadType::ALL, PayloadType::parse));
    match kind {
        Some(kind) if kind == expected => {}
        Some(kind) => fields.fault(
            "payload_type",
            format!("Expected '{expected}', received '{kind}'"),
        ),
        None => fields.fault("payload_type", "Required"),
    }
    let signature = |raw: &str| fields::text(raw).map(|text| signature_text(&text));
    let report = fields.required("payload", |raw| fields::object(raw).map(Some));
    let sent = report.map(|payload| Sent {
        adapter: fields.required("adapter_id", fields::id),
        execution: fields.required("execution_id", fields::id),
        trace: fields.required("trace_id", fields::id),
        envelope: Envelope {
            adapter_version: fields.required("adapter_version", fields::id),
            issued_at: fields.required("issued_at", moment),
            payload,
            payload_hash: fields.required("payload_hash", fields::text),
            payload_type: expected,
            sig: fields.required("signature", signature),
        },
    });
    let sent = fields.close(sent)?;
    let report = sent.as_ref().map(|sent| sent.envelope.payload.clone());
    Ok((report, sent))
}

/// A time, kept as it was written: that text is signed.
fn moment(raw: &str) -> Result<String, String> {
    fields::time(raw)?;
    let text = fields::text(raw)?;
    if text.len() > ENVELOPE_TEXT_BYTES_MAX {
        return Err("Invalid datetime".to_owned());
    }
    Ok(text)
}
