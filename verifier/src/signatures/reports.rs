//! Producers' signatures under their reports. What the record alone can show is found beside the other lines, on all
//! cores: a signature costs more than the rest of a record. In order follow whether the key was in force, whose word stands
//! for it, and that no signed report is told twice.

use super::keys::{Fault, Keys};
use super::missing::Missing;
use crate::report::{CheckName, Counts, Findings};
use probity_governance::producer::{Mismatch, stands};
use probity_governance::settings::{TELEMETRY_SKEW_SECONDS, skew_seconds};
use probity_schemas::actor_key::ActorKey;
use probity_schemas::envelope::{ProofFault, payload_hash};
use probity_schemas::event::Event;
use probity_schemas::event::key::{ReportProof, ReportSignature};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::hash::{Hash, sha256};
use probity_schemas::record::{Envelope, Record};
use probity_schemas::time::Time;
use std::collections::BTreeSet;

/// What a report's record shows by itself.
pub(crate) enum Judged {
    /// It is not signed.
    Unsigned,
    /// Its record says that its signature does not stand.
    Noted,
    /// Its record says that it is signed.
    Signed(Box<Signed>),
}

/// A report that says it is signed.
pub(crate) struct Signed {
    key: Result<ActorKey, Mismatch>,
    version: String,
    issued: Option<Time>,
    /// Over all that was signed. Not over the signature: one made with ES256 has a twin.
    message: Hash,
}

/// Judges a report by its record alone; none for what no producer reports. Costly where it is signed.
pub(crate) fn judge_report<D>(envelope: &Envelope<'_, D>, event: &Event) -> Option<Judged> {
    Some(match event.report_signature()? {
        None => Judged::Unsigned,
        Some(ReportSignature::Fault(_)) => Judged::Noted,
        Some(ReportSignature::Verified(proof)) => {
            let tenant = envelope.source.split('/').nth(1).unwrap_or_default();
            Judged::Signed(Box::new(Signed {
                key: stands(&envelope.actor, tenant, event, proof),
                version: proof.adapter_version.clone(),
                issued: Time::parse_rfc3339(&proof.issued_at).ok(),
                message: message(proof),
            }))
        }
    })
}

fn message(proof: &ReportProof) -> Hash {
    let hash = payload_hash(&proof.payload);
    let parts = [&proof.key, &proof.adapter_version, &proof.issued_at, &hash];
    let parts = parts.map(|part| sha256(&[part.as_bytes()]));
    sha256(&parts.each_ref().map(|part| part.as_bytes().as_slice()))
}

/// What was heard of reports so far.
#[derive(Default)]
pub(super) struct Reports {
    /// The setting by which clocks may differ, as it is set now.
    skew: Option<String>,
    /// What was signed, by its time, as long as it could be told again.
    told: BTreeSet<(Time, Hash)>,
    reports: u64,
    by_auditor: u64,
    by_log: u64,
    noted: u64,
}

impl Reports {
    /// A setting is changed.
    pub(super) fn set(&mut self, changed: &SettingChanged) {
        if changed.name == TELEMETRY_SKEW_SECONDS {
            self.skew.clone_from(&changed.value);
        }
    }

    /// Takes the next report in.
    pub(super) fn hear(
        &mut self,
        keys: &Keys<'_>,
        record: &Record<'_>,
        report: &Judged,
        missing: Option<&mut Missing>,
        findings: &mut Findings,
    ) {
        self.reports += 1;
        let actor = record.envelope.actor.as_ref();
        let checked = match report {
            Judged::Unsigned => keys.must_be_signed(record.sequence, actor),
            Judged::Noted => {
                self.noted += 1;
                keys.must_be_signed(record.sequence, actor)
            }
            Judged::Signed(signed) => match &signed.key {
                Err(Mismatch::Proof(ProofFault::Algorithm)) => {
                    let why = format!(
                        "record {}: its producer's signature is newer than this judge",
                        record.sequence
                    );
                    return findings.impossible(CheckName::ProducerSignatures, why);
                }
                Err(mismatch) => Err((rule(mismatch), format!("{actor}: {mismatch}"))),
                Ok(key) => match missing.filter(|_| !keys.was_registered(&key.id())) {
                    Some(missing) => {
                        missing.note(record.sequence, "the registration of its key");
                        Ok(())
                    }
                    None => self.signed(keys, record, signed, key),
                },
            },
        };
        if let Err((rule, detail)) = checked {
            let sequence = Some(record.sequence);
            findings.fail(CheckName::ProducerSignatures, sequence, rule, detail);
        }
    }

    fn signed(
        &mut self,
        keys: &Keys<'_>,
        record: &Record<'_>,
        signed: &Signed,
        key: &ActorKey,
    ) -> Result<(), Fault> {
        let actor = record.envelope.actor.as_ref();
        keys.is_of_producer(actor, key, &signed.version)?;
        self.once(record.envelope.time, signed)?;
        if keys.is_brought(record.sequence, actor, key)? {
            self.by_auditor += 1;
        } else {
            self.by_log += 1;
        }
        Ok(())
    }

    /// Signed at about the time of the record, and not told before.
    fn once(&mut self, time: Time, signed: &Signed) -> Result<(), Fault> {
        let skew = i64::from(skew_seconds(self.skew.as_deref()));
        let (first, last) = (time.plus_seconds(-skew), time.plus_seconds(skew));
        let issued = signed
            .issued
            .filter(|issued| (first..=last).contains(issued));
        let issued = issued.ok_or_else(|| {
            let detail = format!("signed more than {skew} seconds before or after it was recorded");
            ("signatures.expired", detail)
        })?;
        while self.told.first().is_some_and(|(issued, _)| *issued < first) {
            self.told.pop_first();
        }
        if self.told.insert((issued, signed.message)) {
            return Ok(());
        }
        let detail = "this very report was recorded before".to_owned();
        Err(("signatures.replayed", detail))
    }

    /// The end of the records.
    pub(super) fn close(
        self,
        asked: bool,
        left: Option<String>,
        missing: u64,
        counts: &mut Counts,
        findings: &mut Findings,
    ) {
        let name = CheckName::ProducerSignatures;
        let (by_auditor, by_log, noted) = (self.by_auditor, self.by_log, self.noted);
        let reports = self.reports;
        counts.reports = reports;
        counts.reports_by_auditor_keys = by_auditor;
        counts.reports_by_log_keys = by_log;
        counts.reports_badly_signed = noted;
        if let Some(why) = left {
            return findings.impossible(name, why);
        }
        if by_auditor + by_log + noted == 0 && !asked {
            let why = "no report in it is signed by its producer: only the log vouches for who reported what";
            return findings.not_asked(name, why);
        }
        let unsigned = reports.saturating_sub(by_auditor + by_log + noted + missing);
        findings.hold(
            name,
            format!(
                "{by_auditor} signed by a key the auditor brought, {by_log} by a key only the log vouches for; \
                 of {reports} reports {unsigned} not signed, {noted} with a signature that the log says does not stand"
            ),
        );
    }
}

const fn rule(mismatch: &Mismatch) -> &'static str {
    match mismatch {
        Mismatch::Proof(ProofFault::Key) => "signatures.key",
        Mismatch::Proof(_) => "signatures.false",
        Mismatch::Elsewhere => "signatures.elsewhere",
        Mismatch::Told(_) => "signatures.told",
    }
}
