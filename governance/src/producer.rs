//! Reports that their producer signed: which key may sign them, and what a log wants of them. One set of rules for the
//! door, the writer and the judge; the bytes are those of `probity_schemas::envelope`.
//!
//! A signature costs far more than a record, so it is verified at the door ([`check`]), beside the writer; the writer
//! looks only whether the key is still in force and the time fits (`kept`). The judge does both again.

mod told;

pub use told::OUTCOMES;

use crate::settings;
use crate::state::{Applied, Directory, RegisteredKey};
use probity_schemas::actor_key::ActorKey;
use probity_schemas::body::Body;
use probity_schemas::envelope::{PayloadIds, ProofFault, payload_hash};
use probity_schemas::event::Event;
use probity_schemas::event::key::{ReportProof, ReportSignature};
use probity_schemas::limits::SIGNED_REPORT_BYTES_MAX;
use probity_schemas::subject;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{EnvelopeFault, KeyPurpose, PayloadType, SignatureMode};
use std::collections::BTreeMap;

/// A report's envelope as it came.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The producer's version.
    pub adapter_version: String,
    /// When, by the producer's clock, as it wrote it.
    pub issued_at: String,
    /// The report as the producer sent it.
    pub payload: Body,
    /// Its hash, as the envelope states it.
    pub payload_hash: String,
    /// What it is.
    pub payload_type: PayloadType,
    /// The signature, base64; none if it is not.
    pub sig: Option<String>,
}

/// What the door found of a report's signature: made by [`check`] alone.
#[derive(Clone, Debug)]
pub struct Checked(ReportSignature);

impl Checked {
    /// Whether the record will hold what the producer signed, under these settings.
    #[must_use]
    pub fn is_kept_whole(&self, settings: &BTreeMap<String, String>) -> bool {
        settings::telemetry_signature(settings) != SignatureMode::Off
            && matches!(self.0, ReportSignature::Verified(_))
    }
}

/// Why a report is refused, or false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportFault {
    /// There is no signature, and one is required.
    #[error("this log wants reports that their producer signed")]
    Missing,
    /// It does not stand, and one that stands is required.
    #[error("the producer's signature does not stand: {0}")]
    Envelope(EnvelopeFault),
    /// A log that keeps no signatures keeps one.
    #[error("a signature is kept where signatures are off")]
    Kept,
}

/// What is wrong with a signature that a record keeps, by the record alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The signature is not its key's over its payload.
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// The payload was signed by another producer, or for another log.
    #[error("the signed payload is of another producer or for another tenant")]
    Elsewhere,
    /// The record says something else than the payload.
    #[error("the record is not what the producer signed: {0}")]
    Told(&'static str),
}

/// Verifies an envelope around a report, by the keys in force.
#[must_use]
pub fn check(directory: &Directory, actor: &str, reported: &Event, envelope: Envelope) -> Checked {
    let found = verified(directory, actor, reported, envelope);
    Checked(found.map_or_else(ReportSignature::Fault, |proof| {
        ReportSignature::Verified(Box::new(proof))
    }))
}

fn verified(
    directory: &Directory,
    actor: &str,
    reported: &Event,
    envelope: Envelope,
) -> Result<ReportProof, EnvelopeFault> {
    let version = &envelope.adapter_version;
    let mut keys = directory
        .keys
        .values()
        .filter(|key| speaks_for(key, actor, version))
        .peekable();
    keys.peek().ok_or(EnvelopeFault::MissingKey)?;
    if payload_hash(&envelope.payload) != envelope.payload_hash {
        return Err(EnvelopeFault::PayloadHashMismatch);
    }
    let tenant = directory.log.as_ref().map_or("", |log| log.tenant.as_str());
    let sig = envelope.sig.ok_or(EnvelopeFault::InvalidSignature)?;
    let mut proof = ReportProof {
        adapter_version: envelope.adapter_version.clone(),
        alg: String::new(),
        issued_at: envelope.issued_at,
        key: String::new(),
        payload: envelope.payload,
        payload_type: envelope.payload_type,
        sig,
    };
    for registered in keys {
        let Ok(key) = ActorKey::parse(&registered.key) else {
            continue;
        };
        key.algorithm().as_str().clone_into(&mut proof.alg);
        proof.key.clone_from(&registered.key);
        if stands(actor, tenant, reported, &proof).is_ok() {
            return fits(reported, &proof)
                .then_some(proof)
                .ok_or(EnvelopeFault::PayloadTooLarge);
        }
    }
    Err(EnvelopeFault::InvalidSignature)
}

/// Whether the report fits a record with its signature.
fn fits(reported: &Event, proof: &ReportProof) -> bool {
    let length =
        |json: Result<String, serde_json::Error>| json.map_or(usize::MAX, |text| text.len());
    length(serde_json::to_string(reported)).saturating_add(length(serde_json::to_string(proof)))
        <= SIGNED_REPORT_BYTES_MAX
}

/// Whether a signature that a record keeps is by its key, over what the record says, of this producer, for this log. Costly,
/// and needs no other record.
///
/// # Errors
/// The first [`Mismatch`].
pub fn stands(
    actor: &str,
    tenant: &str,
    event: &Event,
    proof: &ReportProof,
) -> Result<ActorKey, Mismatch> {
    let key = proof.verify()?;
    let ids = PayloadIds::read(&proof.payload).ok_or(ProofFault::Payload)?;
    let producer = subject::actor("adapter", &ids.adapter_id);
    if producer.is_ok_and(|producer| producer == actor) && ids.tenant_id == tenant {
        told::by(event, proof.payload_type, &ids, &proof.payload).map_err(Mismatch::Told)?;
        Ok(key)
    } else {
        Err(Mismatch::Elsewhere)
    }
}

/// What is recorded of a signature now.
pub(crate) fn kept(
    directory: &Directory,
    actor: &str,
    time: Time,
    checked: Option<&Checked>,
) -> Result<Option<ReportSignature>, ReportFault> {
    let mode = settings::telemetry_signature(&directory.settings);
    let found = match checked {
        _ if mode == SignatureMode::Off => return Ok(None),
        None if mode == SignatureMode::Enforce => return Err(ReportFault::Missing),
        None => return Ok(None),
        Some(Checked(ReportSignature::Fault(fault))) => Err(*fault),
        Some(Checked(ReportSignature::Verified(proof))) => {
            in_force(directory, actor, time, proof).map(|()| proof.clone())
        }
    };
    match found {
        Ok(proof) => Ok(Some(ReportSignature::Verified(proof))),
        Err(fault) if mode == SignatureMode::Enforce => Err(ReportFault::Envelope(fault)),
        Err(fault) => Ok(Some(ReportSignature::Fault(fault))),
    }
}

/// Judges a report's signature by the records before it; that it is by its key, [`stands`] says.
pub(crate) fn judge(directory: &Directory, record: &Applied<'_>) -> Result<(), ReportFault> {
    let mode = settings::telemetry_signature(&directory.settings);
    match record.event.report_signature().flatten() {
        None if mode == SignatureMode::Enforce => Err(ReportFault::Missing),
        None => Ok(()),
        Some(_) if mode == SignatureMode::Off => Err(ReportFault::Kept),
        Some(ReportSignature::Fault(fault)) if mode == SignatureMode::Enforce => {
            Err(ReportFault::Envelope(*fault))
        }
        Some(ReportSignature::Fault(_)) => Ok(()),
        Some(ReportSignature::Verified(proof)) => {
            in_force(directory, record.actor, record.time, proof).map_err(ReportFault::Envelope)
        }
    }
}

/// The key speaks for the producer at this time, and it signed at about this time.
fn in_force(
    directory: &Directory,
    actor: &str,
    time: Time,
    proof: &ReportProof,
) -> Result<(), EnvelopeFault> {
    let is_key = |key: &RegisteredKey| {
        key.key == proof.key && speaks_for(key, actor, &proof.adapter_version)
    };
    if !directory.keys.values().any(is_key) {
        return Err(EnvelopeFault::MissingKey);
    }
    let skew = settings::skew_seconds(
        directory
            .settings
            .get(settings::TELEMETRY_SKEW_SECONDS)
            .map(String::as_str),
    );
    let issued = Time::parse_rfc3339(&proof.issued_at).map_err(|_| EnvelopeFault::TimestampSkew)?;
    let apart = issued.micros().abs_diff(time.micros());
    if apart <= u64::from(skew) * 1_000_000 {
        Ok(())
    } else {
        Err(EnvelopeFault::TimestampSkew)
    }
}

fn speaks_for(key: &RegisteredKey, actor: &str, version: &str) -> bool {
    key.purpose == KeyPurpose::Telemetry
        && key.actor == actor
        && key.version.as_ref().is_none_or(|of| of == version)
}

impl ReportFault {
    /// The word for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing_signature",
            Self::Envelope(fault) => fault.as_str(),
            Self::Kept => "signatures_off",
        }
    }
}
