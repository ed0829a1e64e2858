//! A producer's signed envelope around a report: which bytes are signed, and whether a record's signature is its key's
//! over them. Nothing here says whether the key is in force, or whether the record says what the payload says.
//!
//! The producer signs the canonical JSON of a header that names the payload by its hash. A record keeps the payload and
//! not the header: every member of the header is in the payload or beside it, so the header is made again.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::actor_key::ActorKey;
use crate::body::Body;
use crate::event::Event;
use crate::event::key::{ReportProof, ReportSignature};
use crate::hash::sha256;
use crate::limits::ENVELOPE_TEXT_BYTES_MAX;
use crate::vocabulary::{KeyAlgorithm, PayloadType};

/// The one version of the envelope.
pub const ENVELOPE_VERSION: &str = "v1";

/// What a producer signs, as canonical JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EnvelopeHeader<'a> {
    /// Who reports.
    pub adapter_id: &'a str,
    /// Its version.
    pub adapter_version: &'a str,
    /// [`ENVELOPE_VERSION`].
    pub envelope_version: &'a str,
    /// The execution.
    pub execution_id: &'a str,
    /// When, as the producer wrote it.
    pub issued_at: &'a str,
    /// [`payload_hash`].
    pub payload_hash: &'a str,
    /// What the payload is.
    pub payload_type: PayloadType,
    /// The trace.
    pub trace_id: &'a str,
}

impl EnvelopeHeader<'_> {
    /// The bytes that are signed.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        // Texts and a word only, in key order: writing them to memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// How a header names its payload: `sha256:` and the SHA-256 of its canonical text in lower-case hexadecimal.
#[must_use]
pub fn payload_hash(payload: &Body) -> String {
    format!("sha256:{}", sha256(&[payload.as_str().as_bytes()]).to_hex())
}

/// The members that every payload has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PayloadIds {
    /// Who reports.
    pub adapter_id: String,
    /// The execution.
    pub execution_id: String,
    /// Whose log.
    pub tenant_id: String,
    /// The trace.
    pub trace_id: String,
}

impl PayloadIds {
    /// Reads them.
    #[must_use]
    pub fn read(payload: &Body) -> Option<Self> {
        serde_json::from_str(payload.as_str()).ok()
    }
}

/// What is wrong with a signature that a record keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// Made in a way that this reader does not know.
    #[error("the signature's algorithm is newer than this reader")]
    Algorithm,
    /// No key, or not of this algorithm.
    #[error("the signature names no key of its algorithm")]
    Key,
    /// The payload lacks what every payload has.
    #[error("the signed payload has not the ids that every report has")]
    Payload,
    /// A text is too long.
    #[error("version, time and signature have at most {ENVELOPE_TEXT_BYTES_MAX} bytes")]
    TooLong,
    /// Not this key's over these bytes.
    #[error("the signature is not the key's over this report")]
    False,
}

impl ReportProof {
    /// Whether the signature is its key's over its payload; the key, if it is.
    ///
    /// # Errors
    /// The way in which it is not.
    pub fn verify(&self) -> Result<ActorKey, ProofFault> {
        let texts = [&self.adapter_version, &self.issued_at, &self.sig];
        if texts
            .iter()
            .any(|text| text.len() > ENVELOPE_TEXT_BYTES_MAX)
        {
            return Err(ProofFault::TooLong);
        }
        if KeyAlgorithm::parse(&self.alg).is_none() {
            return Err(ProofFault::Algorithm);
        }
        let key = ActorKey::parse(&self.key).map_err(|_| ProofFault::Key)?;
        if key.algorithm().as_str() != self.alg {
            return Err(ProofFault::Key);
        }
        let ids = PayloadIds::read(&self.payload).ok_or(ProofFault::Payload)?;
        let header = EnvelopeHeader {
            adapter_id: &ids.adapter_id,
            adapter_version: &self.adapter_version,
            envelope_version: ENVELOPE_VERSION,
            execution_id: &ids.execution_id,
            issued_at: &self.issued_at,
            payload_hash: &payload_hash(&self.payload),
            payload_type: self.payload_type,
            trace_id: &ids.trace_id,
        };
        let signature = STANDARD.decode(&self.sig).map_err(|_| ProofFault::False)?;
        if key.verify(&header.message(), &signature) {
            Ok(key)
        } else {
            Err(ProofFault::False)
        }
    }
}

/// A signature as callers write it, base64 or base64url, with padding or without, in the one spelling of a record.
#[must_use]
pub fn signature_text(sent: &str) -> Option<String> {
    if sent.len() > ENVELOPE_TEXT_BYTES_MAX {
        return None;
    }
    let plain = sent.trim_end_matches('=');
    let url: String = plain
        .chars()
        .map(|character| match character {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    let bytes = URL_SAFE_NO_PAD.decode(url).ok()?;
    Some(STANDARD.encode(bytes)).filter(|text| text.len() <= ENVELOPE_TEXT_BYTES_MAX)
}

impl Event {
    /// What a producer reported may be signed by it: the place where the signature stands. None for what is no such
    /// report.
    pub const fn report_signature_mut(&mut self) -> Option<&mut Option<ReportSignature>> {
        match self {
            Self::OutcomeRecorded(body) => Some(&mut body.signature),
            Self::TraceIngested(body) => Some(&mut body.signature),
            Self::AuditIngested(body) => Some(&mut body.signature),
            Self::CostIngested(body) => Some(&mut body.signature),
            Self::MetricIngested(body) => Some(&mut body.signature),
            Self::ViolationIngested(body) => Some(&mut body.signature),
            _ => None,
        }
    }

    /// The same, to look at.
    #[must_use]
    pub const fn report_signature(&self) -> Option<Option<&ReportSignature>> {
        match self {
            Self::OutcomeRecorded(body) => Some(body.signature.as_ref()),
            Self::TraceIngested(body) => Some(body.signature.as_ref()),
            Self::AuditIngested(body) => Some(body.signature.as_ref()),
            Self::CostIngested(body) => Some(body.signature.as_ref()),
            Self::MetricIngested(body) => Some(body.signature.as_ref()),
            Self::ViolationIngested(body) => Some(body.signature.as_ref()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{EnvelopeHeader, ProofFault, payload_hash, signature_text};
    use crate::actor_key::ActorKey;
    use crate::body::Body;
    use crate::event::key::ReportProof;
    use crate::vocabulary::PayloadType;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ed25519_dalek::{Signer as _, SigningKey};

    const PAYLOAD: &str = r#"{"adapter_id":"a","cost_usd":1.5,"execution_id":"e","recorded_at":"2026-11-23T03:00:00Z","tenant_id":"t","trace_id":"\u0001ü\"","workspace_id":"w"}"#;

    fn header(hash: &str) -> EnvelopeHeader<'_> {
        EnvelopeHeader {
            adapter_id: "a",
            adapter_version: "1.0.0",
            envelope_version: "v1",
            execution_id: "e",
            issued_at: "2026-11-23T03:00:00.000Z",
            payload_hash: hash,
            payload_type: PayloadType::Cost,
            trace_id: "\u{1}\u{fc}\"",
        }
    }

    fn proof() -> ReportProof {
        let secret = SigningKey::from_bytes(&[7; 32]);
        let payload = Body::from_canonical(PAYLOAD.to_owned()).unwrap();
        let message = header(&payload_hash(&payload)).message();
        ReportProof {
            adapter_version: "1.0.0".to_owned(),
            alg: "ed25519".to_owned(),
            issued_at: "2026-11-23T03:00:00.000Z".to_owned(),
            key: ActorKey::ed25519(secret.verifying_key().as_bytes())
                .unwrap()
                .to_string(),
            payload,
            payload_type: PayloadType::Cost,
            sig: STANDARD.encode(secret.sign(&message).to_bytes()),
        }
    }

    #[test]
    fn what_is_signed_is_canonical_json_of_eight_members() {
        let message = String::from_utf8(header("sha256:00").message()).unwrap();
        assert_eq!(
            message,
            r#"{"adapter_id":"a","adapter_version":"1.0.0","envelope_version":"v1","execution_id":"e","issued_at":"2026-11-23T03:00:00.000Z","payload_hash":"sha256:00","payload_type":"cost","trace_id":"\u0001ü\""}"#
        );
        crate::canonical::check(message.as_bytes()).unwrap();
    }

    #[test]
    fn a_signature_is_over_all_that_the_record_keeps() {
        proof().verify().unwrap();
        type Change = fn(&mut ReportProof);
        let table: [(Change, ProofFault); 9] = [
            (|proof| proof.adapter_version.push('1'), ProofFault::False),
            (
                |proof| proof.issued_at = "2026-11-23T03:00:00Z".to_owned(),
                ProofFault::False,
            ),
            (
                |proof| proof.payload_type = PayloadType::Metrics,
                ProofFault::False,
            ),
            (
                |proof| {
                    proof.payload = Body::from_canonical(PAYLOAD.replace("1.5", "1.6")).unwrap();
                },
                ProofFault::False,
            ),
            (
                |proof| proof.payload = Body::from_canonical("{}".to_owned()).unwrap(),
                ProofFault::Payload,
            ),
            (|proof| proof.alg = "ES256".to_owned(), ProofFault::Key),
            (
                |proof| proof.alg = "ML-DSA-44".to_owned(),
                ProofFault::Algorithm,
            ),
            (|proof| proof.key.clear(), ProofFault::Key),
            (|proof| proof.sig = "A".repeat(300), ProofFault::TooLong),
        ];
        for (change, fault) in table {
            let mut changed = proof();
            change(&mut changed);
            assert_eq!(changed.verify().map(drop), Err(fault), "{changed:?}");
        }
    }

    #[test]
    fn a_signature_has_one_spelling_in_a_record() {
        for sent in ["+/8=", "+/8", "-_8", "-_8="] {
            assert_eq!(signature_text(sent).as_deref(), Some("+/8="), "{sent}");
        }
        for bad in ["+/9=", "a", "é", &"A".repeat(400)] {
            assert_eq!(signature_text(bad), None, "{bad}");
        }
    }
}
