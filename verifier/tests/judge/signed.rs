//! Answers that a person signs: what someone who holds the log's key, and so can write, register and revoke what they like,
//! can still not do in the name of a person whose key the auditor holds.

use crate::files::{Files, broken, with_key};
use crate::sealer::Log;
use crate::story::{ANN, ask, furnished, signer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_governance::command::{Operation, Resolution};
use probity_schemas::actor_key::ActorKey;
use probity_schemas::event::decision::{ApprovalDenied, ApprovalGranted};
use probity_schemas::event::key::{AnswerSignature, KeyRegistered, KeyRevoked};
use probity_schemas::event::log::SettingChanged;
use probity_schemas::hash::leaf_hash;
use probity_schemas::signature::{Answer, ApprovalStatement};
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{KeyPurpose, Role};
use probity_verifier::{CheckName, CheckResult, Report, TrustedActor};
use serde_json::Value;
use uuid::Uuid;

/// A person's key.
pub(crate) struct Person(SigningKey);

impl Person {
    pub(crate) fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    pub(crate) fn public(&self) -> ActorKey {
        ActorKey::ed25519(self.0.verifying_key().as_bytes()).unwrap()
    }

    pub(crate) fn registered(&self, actor: &str) -> KeyRegistered {
        let key = self.public();
        KeyRegistered {
            actor: actor.to_owned(),
            alg: key.algorithm(),
            key: key.to_string(),
            keyid: key.id(),
            label: None,
            purpose: KeyPurpose::Approval,
            version: None,
        }
    }

    /// The signature under an answer to the decision that the log's last record makes.
    pub(crate) fn sign(&self, log: &Log, action: Answer, expires: Time) -> AnswerSignature {
        let statement = ApprovalStatement {
            action,
            decision: leaf_hash(log.lines.last().unwrap()),
            expires,
            log: "00112233445566778899aabbccddeeff",
            origin: log.signer.origin(),
        };
        AnswerSignature {
            alg: "ed25519".to_owned(),
            expires,
            keyid: self.public().id(),
            sig: STANDARD.encode(self.0.sign(&statement.message()).to_bytes()),
        }
    }

    pub(crate) fn held_by_auditor(&self, from: u64) -> TrustedActor {
        TrustedActor {
            actor: ANN.to_owned(),
            key: self.public(),
            from,
        }
    }
}

pub(crate) fn signed_answer(log: &mut Log, person: &Person, decision: Uuid, grant: bool) {
    let action = if grant { Answer::Approve } else { Answer::Deny };
    let signature = person.sign(log, action, log.time.plus_seconds(600));
    let resolution = Resolution {
        decision,
        grant,
        justification: None,
        note: None,
        signature: Some(signature),
    };
    log.run(ANN, Operation::ResolveApproval(resolution));
}

/// A log in which Ann signs her answers, one is given, and a second refund waits.
pub(crate) fn waiting() -> (Log, Uuid) {
    let mut log = furnished();
    let registered = Person::new(7).registered(ANN);
    log.run(ANN, Operation::RegisterKey(Box::new(registered)));
    let first = ask(&mut log, "refund", "run-1");
    signed_answer(&mut log, &Person::new(7), first, true);
    let second = ask(&mut log, "refund", "run-2");
    (log, second)
}

fn judge(files: &Files, brought: Vec<TrustedActor>) -> Report {
    files.judge(&probity_verifier::Options {
        actor_keys: brought,
        ..with_key(signer().vkey())
    })
}

/// An approval of Ann's for the decision of the last record, as the rules would record it.
pub(crate) fn approval(log: &Log, signature: Option<AnswerSignature>) -> ApprovalGranted {
    let made: Value = serde_json::from_slice(log.lines.last().unwrap()).unwrap();
    let digest = made["data"]["facts"]["request_digest"].as_str().unwrap();
    ApprovalGranted {
        expires: log.time.plus_seconds(900),
        justification: None,
        note: None,
        request_digest: digest.parse().unwrap(),
        role: Role::Approver,
        signature,
    }
}

#[test]
fn an_honest_answer_is_counted_by_who_vouches_for_its_key() {
    let (log, decision) = waiting();
    let mut log = log;
    signed_answer(&mut log, &Person::new(7), decision, false);
    let report = judge(&log.bundle(), Vec::new());
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(
        report.result(CheckName::ActorSignatures),
        CheckResult::Holds
    );
    assert_eq!(
        (
            report.counts.signed_by_auditor_keys,
            report.counts.signed_by_log_keys
        ),
        (0, 2)
    );
    let brought = judge(&log.bundle(), vec![Person::new(7).held_by_auditor(0)]);
    assert_eq!(brought.exit, 0, "{brought}");
    assert_eq!(
        (
            brought.counts.signed_by_auditor_keys,
            brought.counts.signed_by_log_keys
        ),
        (2, 0)
    );
    let without_adjudication = log.bundle().judge(&probity_verifier::Options {
        adjudicate: false,
        ..with_key(signer().vkey())
    });
    let result = without_adjudication.result(CheckName::ActorSignatures);
    assert_eq!(result, CheckResult::Holds, "{without_adjudication}");
}

/// Each forgery is sealed by the log's own key and follows the rules. Without the person's key nobody can tell; with it the
/// record is named.
#[test]
fn an_insider_with_the_logs_key_invents_no_approval_of_a_person_whose_key_the_auditor_holds() {
    type Forge = fn(&mut Log, Uuid);
    let table: [(&str, &str, Forge); 3] = [
        ("not signed at all", "signatures.missing", |log, id| {
            log.append(&subject(id), ANN, approval(log, None));
        }),
        (
            "signed by a key that the insider registers for her",
            "signatures.other_key",
            |log, id| {
                let mallory = Person::new(66);
                let signature = mallory.sign(log, Answer::Approve, log.time.plus_seconds(60));
                let mut forged = approval(log, Some(signature));
                let key = Uuid::from_u128(66);
                log.append(&format!("key/{key}"), "system", mallory.registered(ANN));
                forged.expires = log.time.plus_seconds(900);
                log.append(&subject(id), ANN, forged);
            },
        ),
        (
            "not signed, after her key was revoked",
            "signatures.missing",
            |log, id| {
                let mut forged = approval(log, None);
                let key = key_subject(log);
                log.append(&key, "system", KeyRevoked { reason: None });
                forged.expires = log.time.plus_seconds(900);
                log.append(&subject(id), ANN, forged);
            },
        ),
    ];
    for (name, rule, forge) in table {
        let (mut log, decision) = waiting();
        log.lawful = false;
        forge(&mut log, decision);
        let last = log.lines.len() as u64 - 1;
        let alone = judge(&log.bundle(), Vec::new());
        assert_eq!(
            alone.exit, 0,
            "{name}: nobody can tell without her key: {alone}"
        );
        let report = judge(&log.bundle(), vec![Person::new(7).held_by_auditor(0)]);
        assert_eq!(report.exit, 1, "{name}: {report}");
        assert_eq!(broken(&report), (rule, Some(last)), "{name}: {report}");
        let later = judge(
            &log.bundle(),
            vec![Person::new(7).held_by_auditor(last + 1)],
        );
        assert_eq!(
            later.exit, 0,
            "{name}: she is held to it from a later record on"
        );
    }
}

/// What a key that the log registers shows by itself, whoever brings what.
#[test]
fn a_signature_is_for_one_answer_to_one_decision_in_time() {
    type Forge = fn(&mut Log, Uuid);
    let table: [(&str, &str, Forge); 6] = [
        (
            "taken from another decision",
            "signatures.false",
            |log, id| {
                let first: Value = log
                    .lines
                    .iter()
                    .map(|line| serde_json::from_slice::<Value>(line).unwrap())
                    .find(|record| record["type"] == "approval.granted.v1")
                    .unwrap();
                let signature = serde_json::from_value(first["data"]["signature"].clone()).unwrap();
                log.append(&subject(id), ANN, approval(log, Some(signature)));
            },
        ),
        (
            "a denial turned into an approval",
            "signatures.false",
            |log, id| {
                let signature = Person::new(7).sign(log, Answer::Deny, log.time.plus_seconds(60));
                log.append(&subject(id), ANN, approval(log, Some(signature)));
            },
        ),
        ("made to last longer", "signatures.false", |log, id| {
            let mut signature = Person::new(7).sign(log, Answer::Approve, log.time);
            signature.expires = log.time.plus_seconds(600);
            log.append(&subject(id), ANN, approval(log, Some(signature)));
        }),
        ("recorded too late", "signatures.expired", |log, id| {
            let before = log.time.plus_seconds(-1);
            let signature = Person::new(7).sign(log, Answer::Approve, before);
            log.append(&subject(id), ANN, approval(log, Some(signature)));
        }),
        (
            "by a key that nobody registered",
            "signatures.key",
            |log, id| {
                let signature = Person::new(66).sign(log, Answer::Approve, log.time);
                log.append(&subject(id), ANN, approval(log, Some(signature)));
            },
        ),
        ("by a revoked key", "signatures.key", |log, id| {
            let signature = Person::new(7).sign(log, Answer::Approve, log.time.plus_seconds(60));
            let forged = approval(log, Some(signature));
            let key = key_subject(log);
            log.append(&key, "system", KeyRevoked { reason: None });
            log.append(&subject(id), ANN, forged);
        }),
    ];
    for (name, rule, forge) in table {
        let (mut log, decision) = waiting();
        log.lawful = false;
        forge(&mut log, decision);
        let last = log.lines.len() as u64 - 1;
        let report = judge(&log.bundle(), Vec::new());
        assert_eq!(report.exit, 1, "{name}: {report}");
        assert_eq!(broken(&report), (rule, Some(last)), "{name}: {report}");
        let adjudication = report.result(CheckName::Adjudication);
        assert_eq!(
            adjudication,
            CheckResult::False,
            "{name}: the rules say so too"
        );
    }
}

#[test]
fn a_newer_kind_of_signature_is_not_judged() {
    let (mut log, decision) = waiting();
    log.lawful = false;
    let mut signature = Person::new(7).sign(&log, Answer::Deny, log.time);
    signature.alg = "webauthn".to_owned();
    let granted = approval(&log, None);
    let denied = ApprovalDenied {
        justification: None,
        note: None,
        request_digest: granted.request_digest,
        role: granted.role,
        signature: Some(signature),
    };
    log.append(&subject(decision), ANN, denied);
    let report = log.bundle().judge(&probity_verifier::Options {
        adjudicate: false,
        ..with_key(signer().vkey())
    });
    assert_eq!(report.exit, 2, "{report}");
    assert!(report.summary.contains("webauthn"), "{report}");
}

#[test]
fn a_log_that_requires_signatures_holds_no_answer_without() {
    let (mut log, decision) = waiting();
    let required = SettingChanged {
        name: "approval.signature".to_owned(),
        value: Some("required".to_owned()),
    };
    let forged = approval(&log, None);
    log.run("system", Operation::ChangeSetting(required));
    log.lawful = false;
    log.append(&subject(decision), ANN, forged);
    let report = judge(&log.bundle(), Vec::new());
    let last = log.lines.len() as u64 - 1;
    assert_eq!(broken(&report), ("adjudication.signature", Some(last)));
}

fn subject(decision: Uuid) -> String {
    format!("decision/{decision}")
}

/// The subject that registers Ann's key.
fn key_subject(log: &Log) -> String {
    let registered = log
        .lines
        .iter()
        .map(|line| serde_json::from_slice::<Value>(line).unwrap())
        .find(|record| record["type"] == "key.registered.v1");
    registered.unwrap()["subject"].as_str().unwrap().to_owned()
}
