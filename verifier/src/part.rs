//! The walk through a part of a log: each line is in the checkpoint's tree, neighbours are linked, the records of each
//! subject follow one another, and of each subject it is said whether all of it is there.
//!
//! Decisions are decided again from the facts they record, with the policies that the bundle carries; that the facts were what the
//! records before gave is for whole logs. Memory: the proofs' leaves, and one entry a subject.

mod cases;

use self::cases::Stream;
use crate::Options;
use crate::attachments::Attachments;
use crate::disclosures::Disclosures;
use crate::erasures::ErasureReport;
use crate::report::{CheckName, Counts, Findings, SubjectReport};
use crate::rule;
use crate::shown::Proofs;
use crate::signatures::{Signatures, judge_report};
use crate::signers::{Handover, Signers};
use crate::timestamps::Windows;
use probity_governance::adjudicate::{Fault, adjudicate_outcome};
use probity_governance::engine::PolicySet;
use probity_governance::state::InForce;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::disclosure::event_digests;
use probity_schemas::error::FormatError;
use probity_schemas::event::Event;
use probity_schemas::event::seal::SubjectsSealed;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::record::Record;
use probity_schemas::time::Time;
use std::collections::{BTreeMap, HashMap};

/// Where the walk stands.
pub(crate) struct Part<'f> {
    findings: &'f mut Findings,
    counts: Counts,
    proofs: Proofs,
    checkpoint: Checkpoint,
    windows: Windows,
    adjudicate: bool,
    signatures: Signatures<'f>,
    before: Option<Before>,
    streams: BTreeMap<String, Stream>,
    signers: Signers,
    handovers: Vec<Handover>,
    seals: HashMap<u64, SubjectsSealed>,
    attachments: Attachments,
    disclosures: Disclosures,
    policies: BTreeMap<String, InForce>,
    decided: u64,
    /// Decisions whose policies the bundle does not hold.
    undecided: u64,
}

/// What is left of the walk.
#[derive(Default)]
pub(crate) struct PartHeard {
    pub(crate) counts: Counts,
    pub(crate) subjects: Vec<SubjectReport>,
    pub(crate) erasures: Vec<ErasureReport>,
    pub(crate) signers: Signers,
    pub(crate) handovers: Vec<Handover>,
}

/// The line before.
struct Before {
    sequence: u64,
    leaf: Hash,
    id: [u8; 16],
    time: Time,
}

impl<'f> Part<'f> {
    pub(crate) fn new(
        findings: &'f mut Findings,
        options: &'f Options,
        proofs: Proofs,
        checkpoint: Checkpoint,
        windows: Windows,
    ) -> Self {
        Self {
            findings,
            counts: Counts::default(),
            proofs,
            checkpoint,
            windows,
            adjudicate: options.adjudicate,
            signatures: Signatures::of_part(&options.actor_keys),
            before: None,
            streams: BTreeMap::new(),
            signers: Signers::of_part(&options.keys),
            handovers: Vec::new(),
            seals: HashMap::new(),
            attachments: Attachments::default(),
            disclosures: Disclosures::default(),
            policies: BTreeMap::new(),
            decided: 0,
            undecided: 0,
        }
    }

    /// Takes the next line in.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let place = usize::try_from(self.counts.records).unwrap_or(usize::MAX);
        let proved = self.proofs.records.get(place).copied();
        self.counts.records += 1;
        self.counts.bytes += line.len() as u64 + 1;
        let at = proved.map(|(sequence, _)| sequence);
        if proved.is_none_or(|(_, leaf)| leaf != leaf_hash(line)) {
            let detail = "the line is not the one whose place in the tree is proved";
            self.findings
                .fail(CheckName::TreeRoot, at, "tree.leaf", detail);
        }
        match Record::parse(line) {
            Err(error) => self.fail(CheckName::Format, at, &error),
            Ok(record) => self.record(at, &record),
        }
    }

    /// The last line has no line feed, or is longer than a record.
    pub(crate) fn cut(&mut self, rule: &'static str) {
        let detail = "the last line is no whole line";
        self.findings.fail(CheckName::Format, None, rule, detail);
    }

    fn record(&mut self, proved: Option<u64>, record: &Record<'_>) {
        let sequence = Some(record.sequence);
        if proved != sequence {
            let detail = "its sequence is not the place that is proved";
            self.findings
                .fail(CheckName::TreeRoot, sequence, "tree.sequence", detail);
        }
        self.origin(record);
        let time = record.envelope.time;
        self.windows.record(record.sequence, time, self.findings);
        self.follow(record);
        self.stream(record);
        match record.event() {
            Ok(event) => self.event(record, event),
            Err(error) => self.fail(CheckName::Schema, sequence, &error),
        }
    }

    /// All records are of the checkpoint's log, under this origin or one before a restoration.
    fn origin(&mut self, record: &Record<'_>) {
        let log = |origin: &str| origin.split('/').take(2).collect::<Vec<_>>().join("/");
        let source = record.envelope.source.as_ref();
        if log(source) != log(&self.checkpoint.origin) {
            let detail = format!(
                "source is {source}, and the log is {}",
                self.checkpoint.origin
            );
            let sequence = Some(record.sequence);
            self.findings
                .fail(CheckName::Origin, sequence, "origin.source", detail);
        }
    }

    /// The order of the lines; a neighbour is linked.
    fn follow(&mut self, record: &Record<'_>) {
        let sequence = record.sequence;
        if let Some(before) = self.before.take() {
            let next = before.sequence + 1;
            let chain = if sequence < next {
                Some(FormatError::SequenceGap {
                    expected: next,
                    found: sequence,
                })
            } else if sequence == next && record.envelope.previous != before.leaf {
                Some(FormatError::BadPrevious { sequence })
            } else if *record.id.as_bytes() <= before.id {
                Some(FormatError::IdNotIncreasing { sequence })
            } else {
                None
            };
            if let Some(error) = chain {
                self.fail(CheckName::Chain, Some(sequence), &error);
            }
            if record.envelope.time < before.time {
                let error = FormatError::TimeGoesBack { sequence };
                self.fail(CheckName::Time, Some(sequence), &error);
            }
        }
        self.before = Some(Before {
            sequence,
            leaf: record.leaf,
            id: *record.id.as_bytes(),
            time: record.envelope.time,
        });
    }

    fn event(&mut self, record: &Record<'_>, event: Event) {
        self.disclosures
            .record(record.sequence, &event_digests(&event));
        self.attachments
            .record(record.sequence, &event, self.findings);
        self.signers.hear(record.sequence, &event, self.findings);
        let report = judge_report(&record.envelope, &event);
        self.signatures
            .hear(record, &event, report.as_ref(), self.findings);
        let subject = record.envelope.subject.as_ref();
        match event {
            Event::DecisionMade(made) => {
                self.counts.decisions += 1;
                if self.adjudicate {
                    self.decide(record.sequence, &made);
                }
            }
            Event::ApprovalGranted(_) | Event::ApprovalDenied(_) => self.counts.approvals += 1,
            Event::OutcomeRecorded(_) => self.counts.outcomes += 1,
            Event::PersonalErased(erased) => {
                let time = record.envelope.time.to_string();
                self.disclosures
                    .erasures
                    .record(record.sequence, time, &erased);
            }
            Event::PolicyPublished(published) => {
                let in_force = InForce {
                    leaf: record.leaf,
                    policy: published.policy,
                };
                self.policies.insert(subject.to_owned(), in_force);
            }
            Event::PolicyRetired(_) => {
                self.policies.remove(subject);
            }
            Event::SubjectsSealed(sealed) => {
                self.seals.insert(record.sequence, *sealed);
            }
            Event::SignerRotated(_) => {
                let path = self.proofs.handovers.remove(&record.sequence);
                self.handovers.extend(path.map(|path| Handover {
                    sequence: record.sequence,
                    leaf: record.leaf,
                    path,
                }));
            }
            _ => {}
        }
    }

    /// Decides again from the recorded facts, if the policies are those that were in force.
    fn decide(&mut self, sequence: u64, made: &probity_schemas::event::decision::DecisionMade) {
        match adjudicate_outcome(&PolicySet::of(&self.policies), made) {
            Ok(()) => {
                self.decided += 1;
                self.disclosures
                    .withheld
                    .keep(sequence, made, &self.policies);
            }
            Err(Fault::PolicySetDiffers | Fault::NewerEngine { .. }) => self.undecided += 1,
            Err(fault) => {
                let (rule, sequence) = (rule::of_fault(&fault), Some(sequence));
                self.findings
                    .fail(CheckName::Adjudication, sequence, rule, fault.to_string());
            }
        }
    }

    fn fail(&mut self, check: CheckName, sequence: Option<u64>, error: &FormatError) {
        let rule = rule::name(error);
        self.findings.fail(check, sequence, rule, error.to_string());
    }

    /// The attachments, to which members of the bundle are compared.
    pub(crate) fn attachments(&mut self) -> (&mut Attachments, &mut Findings) {
        (&mut self.attachments, self.findings)
    }

    /// The disclosures, to which the bundle's are compared.
    pub(crate) fn disclosures(&mut self) -> (&mut Disclosures, &mut Findings) {
        (&mut self.disclosures, self.findings)
    }

    /// The end of the bundle: what was never broken holds.
    pub(crate) fn close(mut self) -> PartHeard {
        let (records, proved) = (self.counts.records, self.proofs.records.len() as u64);
        self.counts.subjects = self.streams.len() as u64;
        if proved != records {
            let detail = format!("{proved} records are proved, the bundle holds {records}");
            self.findings
                .fail(CheckName::TreeRoot, None, "tree.count", detail);
        }
        if let Some(left) = self.proofs.handovers.keys().next() {
            let detail = "its handover is proved, and no record here hands a key on";
            self.findings
                .fail(CheckName::Signers, Some(*left), rule::SIGNERS_PROOF, detail);
        }
        let subjects = self.subjects();
        self.hold_lines(records);
        self.leave_whole_logs(records);
        self.attachments.close(&mut self.counts, self.findings);
        self.disclosures
            .close(false, &mut self.counts, self.findings);
        self.conclude_decisions();
        self.signatures.close(&mut self.counts, None, self.findings);
        PartHeard {
            counts: self.counts,
            subjects,
            erasures: self.disclosures.erasures.into_reports(),
            signers: self.signers,
            handovers: self.handovers,
        }
    }

    /// What is true of every line and between lines.
    fn hold_lines(&mut self, records: u64) {
        let (size, origin) = (self.checkpoint.size, &self.checkpoint.origin);
        let holds = [
            (
                CheckName::Format,
                format!("{records} records are canonical and well formed"),
            ),
            (
                CheckName::Schema,
                format!("{records} bodies fit their types"),
            ),
            (
                CheckName::Chain,
                "records that stand side by side are linked, the others ascend".to_owned(),
            ),
            (CheckName::Time, "time never goes back".to_owned()),
            (
                CheckName::TreeRoot,
                format!("each of {records} records is in the tree of {size}"),
            ),
            (CheckName::Origin, format!("all records are of {origin}")),
        ];
        for (check, detail) in holds {
            self.findings.hold(check, detail);
        }
    }

    /// What can be told of whole logs only.
    fn leave_whole_logs(&mut self, records: u64) {
        let why = format!(
            "the bundle is a part of a log: {records} records of {}",
            self.checkpoint.size
        );
        self.findings.not_asked(CheckName::Completeness, why);
        let why = "made for whole logs only";
        for check in [CheckName::Sealed, CheckName::StateDigest] {
            self.findings.not_asked(check, why);
        }
    }

    /// What came of deciding again.
    fn conclude_decisions(&mut self) {
        let (name, decided) = (CheckName::Adjudication, self.decided);
        if !self.adjudicate {
            let why = "not asked for (--no-adjudication)";
            self.findings.not_asked(name, why);
        } else if self.undecided == 0 {
            let taken = self.counts.taken_as_recorded();
            let detail = format!(
                "{decided} outcomes are what the policies give on the recorded facts{taken}; that the facts were so: not made, for whole logs only"
            );
            self.findings.hold(name, detail);
        } else {
            let why = format!(
                "made for {decided} outcomes; not made for {}, whose policies the bundle does not hold",
                self.undecided
            );
            self.findings.not_asked(name, why);
        }
    }
}
