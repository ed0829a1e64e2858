//! Signatures of actors: each that a record keeps is checked with the key that the log registers for that actor, and
//! compared with the keys that the auditor brought. Whoever holds the log's key can register keys and write records; it
//! cannot sign for a person or a producer whose key the auditor holds.
//!
//! Memory: the keys in force, 48 bytes a decision that waits for a person, and as much a signed report of the last minutes.

mod keys;
mod missing;
mod reports;

pub use keys::TrustedActor;
pub(crate) use reports::{Judged, judge_report};

use crate::report::{CheckName, Counts, Findings};
use crate::walk::stopped;
use keys::{Fault, Keys};
use missing::PartOf;
use probity_schemas::event::Event;
use probity_schemas::event::key::AnswerSignature;
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::signature::{Answer, ApprovalStatement, is_signed};
use probity_schemas::vocabulary::KeyAlgorithm;
use reports::Reports;
use std::collections::HashMap;

/// What the records say of keys and signatures so far.
pub(crate) struct Signatures<'o> {
    keys: Keys<'o>,
    /// The id of the log.
    log: String,
    /// Leaf hashes of decisions that wait for a person, by subject.
    waiting: HashMap<String, Hash>,
    tally: Tally,
    reports: Reports,
    /// Of a part of a log, what it holds.
    part: Option<PartOf>,
    /// Why the past is not known any more.
    left: Option<String>,
}

#[derive(Default)]
struct Tally {
    answers: u64,
    by_auditor: u64,
    by_log: u64,
}

impl<'o> Signatures<'o> {
    pub(crate) fn new(brought: &'o [TrustedActor]) -> Self {
        Self {
            keys: Keys::new(brought),
            log: String::new(),
            waiting: HashMap::new(),
            tally: Tally::default(),
            reports: Reports::default(),
            part: None,
            left: None,
        }
    }

    /// For a part of a log: keys, decisions and the log's id need not be there.
    pub(crate) fn of_part(brought: &'o [TrustedActor]) -> Self {
        Self {
            part: Some(PartOf::default()),
            ..Self::new(brought)
        }
    }

    /// Takes the next record in.
    pub(crate) fn hear(
        &mut self,
        record: &Record<'_>,
        event: &Event,
        report: Option<&Judged>,
        findings: &mut Findings,
    ) {
        if self.left.is_some() {
            return;
        }
        let subject = record.envelope.subject.as_ref();
        if let Some(report) = report {
            let missing = self.part.as_mut().map(|part| &mut part.reports);
            return self
                .reports
                .hear(&self.keys, record, report, missing, findings);
        }
        let checked = match event {
            Event::SettingChanged(changed) => {
                self.reports.set(changed);
                Ok(())
            }
            Event::LogOpened(opened) => {
                self.log.clone_from(&opened.log_id);
                Ok(())
            }
            Event::KeyRegistered(registered) => self.keys.register(subject, registered),
            Event::KeyRevoked(_) => {
                self.keys.revoke(subject);
                Ok(())
            }
            Event::DecisionMade(made) => {
                if let Some(part) = &mut self.part {
                    part.decisions.insert(subject.to_owned());
                }
                if made.approval.is_some() {
                    self.waiting.insert(subject.to_owned(), record.leaf);
                }
                Ok(())
            }
            Event::DecisionExpired(_) => {
                self.waiting.remove(subject);
                Ok(())
            }
            Event::ApprovalGranted(granted) => self.answer(
                record,
                Answer::Approve,
                granted.signature.as_ref(),
                findings,
            ),
            Event::ApprovalDenied(denied) => {
                self.answer(record, Answer::Deny, denied.signature.as_ref(), findings)
            }
            _ => Ok(()),
        };
        if let Err((rule, detail)) = checked {
            let sequence = Some(record.sequence);
            findings.fail(CheckName::ActorSignatures, sequence, rule, detail);
        }
    }

    /// From here on the past is not known. The first reason is kept.
    pub(crate) fn leave(&mut self, why: String) {
        self.left.get_or_insert(why);
    }

    fn answer(
        &mut self,
        record: &Record<'_>,
        action: Answer,
        signature: Option<&AnswerSignature>,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        self.tally.answers += 1;
        let decision = self.waiting.remove(record.envelope.subject.as_ref());
        let actor = record.envelope.actor.as_ref();
        let Some(signature) = signature else {
            return self.keys.must_be_signed(record.sequence, actor);
        };
        if KeyAlgorithm::parse(&signature.alg).is_none() {
            let why = format!(
                "record {}: a signature by {} is newer than this judge",
                record.sequence, signature.alg
            );
            findings.impossible(CheckName::ActorSignatures, why);
            return Ok(());
        }
        if let Some(what) = self.not_here(record, signature)
            && let Some(part) = &mut self.part
        {
            part.answers.note(record.sequence, what);
            return Ok(());
        }
        let key = self
            .keys
            .of_person(actor, &signature.keyid, &signature.alg)?;
        if record.envelope.time > signature.expires {
            let detail = "recorded after the signed answer had expired".to_owned();
            return Err(("signatures.expired", detail));
        }
        let decision = decision.ok_or_else(|| {
            let detail = "it answers no decision that waits".to_owned();
            ("signatures.decision", detail)
        })?;
        let statement = ApprovalStatement {
            action,
            decision,
            expires: signature.expires,
            log: &self.log,
            origin: &record.envelope.source,
        };
        if !is_signed(key, &statement.message(), &signature.sig) {
            let detail = format!("not signed by {actor}: the signature is false");
            return Err(("signatures.false", detail));
        }
        let brought = self.keys.is_brought(record.sequence, actor, key)?;
        self.tally.count(brought);
        Ok(())
    }

    /// What a part does not hold of what it takes to judge this signature.
    fn not_here(&self, record: &Record<'_>, signature: &AnswerSignature) -> Option<&'static str> {
        let part = self.part.as_ref()?;
        if self.log.is_empty() {
            Some("record 0, which names the log")
        } else if !self.keys.was_registered(&signature.keyid) {
            Some("the registration of its key")
        } else if !part.decisions.contains(record.envelope.subject.as_ref()) {
            Some("the decision that it answers")
        } else {
            None
        }
    }

    /// The end of the records.
    pub(crate) fn close(self, counts: &mut Counts, broken: Option<u64>, findings: &mut Findings) {
        let Tally {
            answers,
            by_auditor,
            by_log,
        } = self.tally;
        counts.signed_by_auditor_keys = by_auditor;
        counts.signed_by_log_keys = by_log;
        let name = CheckName::ActorSignatures;
        let left = self.left.or(broken.map(stopped));
        let asked = !self.keys.are_none_brought();
        let PartOf {
            answers: missing,
            reports: missing_of_reports,
            ..
        } = self.part.unwrap_or_default();
        missing_of_reports.tell(CheckName::ProducerSignatures, asked, findings);
        let reports_missing = missing_of_reports.count();
        self.reports
            .close(asked, left.clone(), reports_missing, counts, findings);
        missing.tell(name, asked, findings);
        if let Some(why) = left {
            return findings.impossible(name, why);
        }
        if by_auditor + by_log == 0 && !asked {
            let why =
                "nothing in it is signed by its actor: only the log vouches for who said what";
            return findings.not_asked(name, why);
        }
        let unsigned = answers - (by_auditor + by_log + missing.count()).min(answers);
        findings.hold(
            name,
            format!(
                "{by_auditor} signed by a key the auditor brought, {by_log} by a key only the log vouches for; \
                 {unsigned} of {answers} answers not signed"
            ),
        );
    }
}

impl Tally {
    const fn count(&mut self, brought: bool) {
        if brought {
            self.by_auditor += 1;
        } else {
            self.by_log += 1;
        }
    }
}
