//! Reports that their producer signs: what someone who holds the log's key, and so can write, register and revoke what they
//! like, can still not do in the name of a producer whose key the auditor holds.

use crate::files::{broken, with_key};
use crate::sealer::Log;
use crate::story::{AGENT, furnished, signer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_governance::command::Operation;
use probity_schemas::actor_key::ActorKey;
use probity_schemas::body::Body;
use probity_schemas::envelope::{ENVELOPE_VERSION, EnvelopeHeader, payload_hash};
use probity_schemas::event::key::{KeyRegistered, KeyRevoked, ReportProof, ReportSignature};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::event::telemetry::CostIngested;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{EnvelopeFault, KeyPurpose, PayloadType};
use probity_verifier::{CheckName, CheckResult, Report, TrustedActor};
use uuid::Uuid;

const EXECUTION: &str = "run-9";
const KEY: &str = "key/00000000-0000-7000-8000-000000000007";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> ActorKey {
    ActorKey::ed25519(key(seed).verifying_key().as_bytes()).unwrap()
}

fn registered(seed: u8) -> KeyRegistered {
    KeyRegistered {
        actor: AGENT.to_owned(),
        alg: public(seed).algorithm(),
        key: public(seed).to_string(),
        keyid: public(seed).id(),
        label: None,
        purpose: KeyPurpose::Telemetry,
        version: Some("1.0.0".to_owned()),
    }
}

fn payload(adapter: &str, tenant: &str) -> Body {
    let text = format!(
        r#"{{"adapter_id":"{adapter}","cost_usd":0.5,"execution_id":"{EXECUTION}","recorded_at":"2026-11-22T10:00:00Z","tenant_id":"{tenant}","trace_id":"t","workspace_id":"local"}}"#
    );
    Body::from_canonical(text).unwrap()
}

fn proof(seed: u8, issued: Time, payload: Body) -> ReportProof {
    let ids = probity_schemas::envelope::PayloadIds::read(&payload).unwrap();
    let issued_at = issued.to_string();
    let header = EnvelopeHeader {
        adapter_id: &ids.adapter_id,
        adapter_version: "1.0.0",
        envelope_version: ENVELOPE_VERSION,
        execution_id: &ids.execution_id,
        issued_at: &issued_at,
        payload_hash: &payload_hash(&payload),
        payload_type: PayloadType::Cost,
        trace_id: &ids.trace_id,
    };
    ReportProof {
        adapter_version: "1.0.0".to_owned(),
        alg: "ed25519".to_owned(),
        key: public(seed).to_string(),
        payload_type: PayloadType::Cost,
        sig: STANDARD.encode(key(seed).sign(&header.message()).to_bytes()),
        payload,
        issued_at,
    }
}

/// A report of what run 9 cost.
fn cost(signature: Option<ReportSignature>) -> CostIngested {
    CostIngested {
        cost_micros: 500_000,
        execution: EXECUTION.to_owned(),
        model: None,
        occurred: Time::parse("2026-11-22T10:00:00.000000Z").unwrap(),
        provider: None,
        signature,
        tokens_in: 0,
        tokens_out: 0,
        trace: "t".to_owned(),
    }
}

fn verified(proof: ReportProof) -> Option<ReportSignature> {
    Some(ReportSignature::Verified(Box::new(proof)))
}

fn own(seed: u8, issued: Time) -> ReportProof {
    proof(seed, issued, payload("refunds", "acme"))
}

fn append(log: &mut Log, report: CostIngested) {
    let id = Uuid::from_u128(log.lines.len() as u128);
    log.append(&format!("execution/{id}"), AGENT, report);
}

/// A log with a producer's key, and one report signed with it.
fn signed_log() -> Log {
    let mut log = furnished();
    log.append(KEY, "system", registered(7));
    let report = cost(verified(own(7, log.time)));
    append(&mut log, report);
    log
}

fn judge(log: &Log, brought: &[u8]) -> Report {
    let held = brought.iter().map(|seed| TrustedActor {
        actor: AGENT.to_owned(),
        key: public(*seed),
        from: 0,
    });
    log.bundle().judge(&probity_verifier::Options {
        actor_keys: held.collect(),
        ..with_key(signer().vkey())
    })
}

fn set(log: &mut Log, value: &str) {
    let changed = SettingChanged {
        name: "telemetry.signature".to_owned(),
        value: Some(value.to_owned()),
    };
    log.run("system", Operation::ChangeSetting(changed));
}

#[test]
fn an_honest_report_is_counted_by_who_vouches_for_its_key() {
    let mut log = signed_log();
    let alone = judge(&log, &[]);
    assert_eq!(alone.exit, 0, "{alone}");
    let held = judge(&log, &[7]);
    assert_eq!(held.exit, 0, "{held}");
    let counted = |report: &Report| {
        let counts = &report.counts;
        (
            counts.reports,
            counts.reports_by_auditor_keys,
            counts.reports_by_log_keys,
        )
    };
    assert_eq!((counted(&alone), counted(&held)), ((1, 0, 1), (1, 1, 0)));
    append(
        &mut log,
        cost(Some(ReportSignature::Fault(EnvelopeFault::MissingKey))),
    );
    append(&mut log, cost(None));
    let noted = judge(&log, &[]);
    assert_eq!(
        noted.exit, 0,
        "what the log says of a bad signature is told: {noted}"
    );
    assert_eq!(
        (noted.counts.reports, noted.counts.reports_badly_signed),
        (3, 1)
    );
    assert_eq!(
        noted.result(CheckName::ProducerSignatures),
        CheckResult::Holds
    );
}

/// Each is sealed by the log's own key. The third column: the auditor's keys of this producer.
#[test]
fn an_insider_with_the_logs_key_invents_no_report() {
    type Forge = fn(&mut Log);
    let table: [(&str, &str, &[u8], Forge); 9] = [
        ("not signed", "signatures.missing", &[7], |log| {
            append(log, cost(None))
        }),
        ("noted as badly signed", "signatures.missing", &[7], |log| {
            append(
                log,
                cost(Some(ReportSignature::Fault(
                    EnvelopeFault::InvalidSignature,
                ))),
            );
        }),
        (
            "signed by a key of the insider's",
            "signatures.other_key",
            &[7],
            |log| {
                log.append("key/66", "system", registered(66));
                let report = cost(verified(own(66, log.time)));
                append(log, report);
            },
        ),
        (
            "signed by a key that nobody registered",
            "signatures.key",
            &[],
            |log| {
                let report = cost(verified(own(66, log.time)));
                append(log, report);
            },
        ),
        ("signed by a revoked key", "signatures.key", &[], |log| {
            log.append(KEY, "system", KeyRevoked { reason: None });
            let report = cost(verified(own(7, log.time)));
            append(log, report);
        }),
        ("told twice", "signatures.replayed", &[], |log| {
            let report = cost(verified(own(7, log.time.plus_seconds(9))));
            append(log, report.clone());
            append(log, report);
        }),
        ("signed long ago", "signatures.expired", &[], |log| {
            let report = cost(verified(own(7, log.time.plus_seconds(-400))));
            append(log, report);
        }),
        (
            "signed for another tenant",
            "signatures.elsewhere",
            &[],
            |log| {
                let report = proof(7, log.time, payload("refunds", "other"));
                append(log, cost(verified(report)));
            },
        ),
        (
            "saying something else than was signed",
            "signatures.told",
            &[],
            |log| {
                let signed = cost(verified(own(7, log.time.plus_seconds(9))));
                append(
                    log,
                    CostIngested {
                        cost_micros: 1,
                        ..signed
                    },
                );
            },
        ),
    ];
    for (name, rule, brought, forge) in table {
        let mut log = signed_log();
        log.lawful = false;
        forge(&mut log);
        let last = log.lines.len() as u64 - 1;
        let report = judge(&log, brought);
        assert_eq!(report.exit, 1, "{name}: {report}");
        assert_eq!(broken(&report), (rule, Some(last)), "{name}: {report}");
    }
}

#[test]
fn the_mode_in_force_is_kept() {
    type Forge = fn(&Log) -> Option<ReportSignature>;
    let table: [(&str, Forge); 3] = [
        ("enforce", |_| None),
        ("enforce", |_| {
            Some(ReportSignature::Fault(EnvelopeFault::MissingKey))
        }),
        ("off", |log| verified(own(7, log.time.plus_seconds(9)))),
    ];
    for (mode, forge) in table {
        let mut log = signed_log();
        set(&mut log, mode);
        log.lawful = false;
        let report = cost(forge(&log));
        append(&mut log, report);
        let last = log.lines.len() as u64 - 1;
        let report = judge(&log, &[]);
        assert_eq!(
            broken(&report),
            ("adjudication.report_signature", Some(last)),
            "{report}"
        );
    }
}

#[test]
fn a_newer_kind_of_signature_is_not_judged() {
    let mut log = signed_log();
    log.lawful = false;
    let newer = ReportProof {
        alg: "ML-DSA-44".to_owned(),
        ..own(7, log.time)
    };
    append(&mut log, cost(verified(newer)));
    let report = log.bundle().judge(&probity_verifier::Options {
        adjudicate: false,
        ..with_key(signer().vkey())
    });
    assert_eq!(report.exit, 2, "{report}");
    assert!(report.summary.contains("newer"), "{report}");
}
