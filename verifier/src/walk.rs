//! The walk through the records, in order: every check that needs what came before.
//!
//! Each check keeps the first record that breaks it. After a record that cannot be read, or whose link is broken, what
//! depends on an unbroken past stops and says so; what looks at one line at a time, and the tree, go on to the end.

use crate::Options;
use crate::attachments::Attachments;
use crate::chronicle::Chronicle;
use crate::court::Court;
use crate::disclosures::Disclosures;
use crate::erasures::ErasureReport;
use crate::identity::{Identity, newer_format};
use crate::limits::{SUBJECT_BYTES, SUBJECTS_UNREMARKED_MAX};
use crate::line::{Line, Read};
use crate::report::{CheckName, Counts, Findings};
use crate::rule;
use crate::signatures::Signatures;
use crate::signers::Signers;
use crate::subjects::Subjects;
use crate::timestamps::Windows;
use crate::tree::Tree;
use probity_schemas::chain::ChainTip;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::error::FormatError;
use probity_schemas::event::Event;
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::tree::Stretch;

/// Where the walk stands.
pub(crate) struct Walk<'f> {
    findings: &'f mut Findings,
    counts: Counts,
    tip: ChainTip,
    tree: Tree,
    identity: Identity,
    signers: Signers,
    attachments: Attachments,
    subjects: Subjects,
    signatures: Signatures<'f>,
    disclosures: Disclosures,
    windows: Windows,
    court: Court,
    chronicle: Option<Chronicle>,
    /// The first record that is unreadable or whose link is broken: from it on the past is not known.
    broken: Option<u64>,
    /// A link that does not hold, until the tree has told which side of it was changed.
    doubted: Option<u64>,
}

impl<'f> Walk<'f> {
    /// A walk from record 0; the tree's roots at these sizes are wanted.
    pub(crate) fn new(
        findings: &'f mut Findings,
        options: &'f Options,
        sizes: &[u64],
        windows: Windows,
    ) -> Self {
        let mut tree = Tree::new();
        sizes.iter().for_each(|size| tree.watch(*size));
        Self {
            findings,
            signatures: Signatures::new(&options.actor_keys),
            counts: Counts::default(),
            tip: ChainTip::START,
            tree,
            identity: Identity::default(),
            signers: Signers::default(),
            attachments: Attachments::default(),
            subjects: Subjects::default(),
            disclosures: Disclosures::default(),
            windows,
            court: Court::new(options.adjudicate),
            chronicle: options.chronicle.then(Chronicle::default),
            broken: None,
            doubted: None,
        }
    }

    /// Takes the next lines in, and what their own tree was found to be.
    pub(crate) fn lines(&mut self, lines: &[Line<'_>], stretch: &Stretch) {
        lines.iter().for_each(|line| self.line(line));
        self.tree.settle(stretch);
    }

    fn line(&mut self, line: &Line<'_>) {
        let position = self.counts.records;
        match &line.record {
            Err(error) => {
                self.fail(CheckName::Format, position, error);
                self.broken.get_or_insert(position);
            }
            Ok(read) => self.record(position, read),
        }
        self.tree.append(line.leaf);
        self.counts.records += 1;
        self.counts.bytes += line.bytes;
    }

    /// The bytes after the last line feed are no whole line.
    pub(crate) fn no_line_feed(&mut self) {
        let last = self.counts.records.saturating_sub(1);
        let detail = "the last line has no line feed: the file was cut off";
        self.findings
            .fail(CheckName::Format, Some(last), "format.line", detail);
    }

    /// The next line is too long to be read.
    pub(crate) fn overlong(&mut self) {
        let detail = "the line is longer than a record may be; nothing after it was read";
        let position = Some(self.counts.records);
        self.findings
            .fail(CheckName::Format, position, "format.length", detail);
    }

    fn record(&mut self, position: u64, read: &Read<'_>) {
        let Read { record, event, .. } = read;
        self.disclosures.record(position, &read.digests);
        self.windows
            .record(position, record.envelope.time, self.findings);
        if self.broken.is_none() {
            self.follow(position, record);
        }
        let (tree, readable) = (&self.tree, event.as_ref().ok());
        self.identity
            .record(position, record, readable, || tree.root(), self.findings);
        match event {
            Ok(event) => self.event(position, read, event),
            Err(error) => {
                self.misfit(position, error);
                self.leave(stopped(position));
            }
        }
        match self.broken {
            Some(broken) => self.subjects.leave(stopped(broken)),
            None => self.subjects.record(record),
        }
    }

    /// The links to the records before.
    fn follow(&mut self, position: u64, record: &Record<'_>) {
        if let Err(error) = self.tip.follow(record) {
            match error {
                FormatError::TimeGoesBack { .. } => self.fail(CheckName::Time, position, &error),
                _ => {
                    self.fail(CheckName::Chain, position, &error);
                    self.broken = Some(position);
                }
            }
            if matches!(error, FormatError::BadPrevious { .. }) && position > 0 {
                self.tree.suspect(record.envelope.previous);
                self.doubted = Some(position);
            }
            let (previous, id, time) = (record.leaf, record.id, record.envelope.time);
            self.tip = ChainTip {
                next: position + 1,
                previous,
                id,
                time,
            };
        }
    }

    fn event(&mut self, position: u64, read: &Read<'_>, event: &Event) {
        let record = &read.record;
        if let Some(format) = newer_format(event) {
            let why = format!("record {position}: format {format} is newer than this judge");
            self.leave(why.clone());
            self.findings.impossible(CheckName::Format, why);
        }
        match event {
            Event::DecisionMade(_) => self.counts.decisions += 1,
            Event::ApprovalGranted(_) | Event::ApprovalDenied(_) => self.counts.approvals += 1,
            Event::OutcomeRecorded(_) => self.counts.outcomes += 1,
            Event::PersonalErased(erased) => {
                let time = record.envelope.time.to_string();
                self.disclosures.erasures.record(position, time, erased);
            }
            _ => {}
        }
        self.signers.hear(position, event, self.findings);
        self.attachments.record(position, event, self.findings);
        if let Some(chronicle) = &mut self.chronicle {
            chronicle.hear(record, event);
        }
        match self.broken {
            Some(broken) => self.leave(stopped(broken)),
            None => {
                self.signatures
                    .hear(record, event, read.report.as_ref(), self.findings);
                self.court.hear(record, event, self.findings);
                if let (Event::DecisionMade(made), Some(policies)) = (event, self.court.policies())
                {
                    self.disclosures.withheld.keep(position, made, policies);
                }
            }
        }
        if let Event::SubjectsSealed(sealed) = event {
            self.subjects.seal(position, sealed, self.findings);
        }
    }

    /// What depends on an unbroken past stops here.
    fn leave(&mut self, why: String) {
        self.signatures.leave(why.clone());
        self.court.leave(why);
    }

    /// A body that its type refuses; a type that is not known may be newer than this judge.
    fn misfit(&mut self, position: u64, error: &FormatError) {
        match error {
            FormatError::BadType { found } if is_type_name(found) => {
                let why = format!("record {position}: type {found} is newer than this judge");
                self.findings.impossible(CheckName::Schema, why);
            }
            _ => self.fail(CheckName::Schema, position, error),
        }
    }

    fn fail(&mut self, check: CheckName, position: u64, error: &FormatError) {
        let detail = match error {
            FormatError::BadPrevious { .. } if position > 0 => format!(
                "previous is not the leaf hash of record {}: that record was changed, or this link was",
                position - 1
            ),
            FormatError::SequenceGap { expected, found } => {
                format!("in the place of record {expected} stands record {found}")
            }
            _ => error.to_string(),
        };
        self.findings
            .fail(check, Some(position), rule::name(error), detail);
    }

    /// The attachments, to which members of the bundle are compared.
    pub(crate) fn attachments(&mut self) -> (&mut Attachments, &mut Findings) {
        (&mut self.attachments, self.findings)
    }

    /// The disclosures, to which the bundle's are compared.
    pub(crate) fn disclosures(&mut self) -> (&mut Disclosures, &mut Findings) {
        (&mut self.disclosures, self.findings)
    }

    /// How many lines there were.
    pub(crate) fn count(&self) -> u64 {
        self.counts.records
    }

    /// The end of the bundle: what was never broken holds.
    pub(crate) fn close(mut self) -> Walked {
        let records = self.counts.records;
        self.tree.finish();
        let subjects = std::mem::take(&mut self.subjects);
        self.counts.subjects = subjects.close(records, self.findings);
        let detail = format!("{records} records are canonical and well formed");
        self.hold(CheckName::Format, detail);
        let detail = format!("{records} bodies fit their types");
        self.hold(CheckName::Schema, detail);
        self.hold_unbroken(
            CheckName::Chain,
            "every record names the one before".to_owned(),
        );
        self.hold_unbroken(CheckName::Time, "time never goes back".to_owned());
        self.hold_unbroken(CheckName::Subjects, subjects_detail(self.counts.subjects));
        self.attachments.close(&mut self.counts, self.findings);
        self.signatures
            .close(&mut self.counts, self.broken, self.findings);
        self.disclosures
            .close(true, &mut self.counts, self.findings);
        self.court.close(&self.counts, self.findings);
        Walked {
            counts: self.counts,
            tree: self.tree,
            identity: self.identity,
            signers: self.signers,
            doubted: self.doubted,
            broken: self.broken,
            chronicle: self.chronicle,
            erasures: self.disclosures.erasures.into_reports(),
        }
    }

    fn hold(&mut self, check: CheckName, detail: String) {
        self.findings.hold(check, detail);
    }

    fn hold_unbroken(&mut self, check: CheckName, detail: String) {
        match self.broken {
            None => self.findings.hold(check, detail),
            Some(record) => self.findings.impossible(check, stopped(record)),
        }
    }
}

/// What is left of the walk.
pub(crate) struct Walked {
    pub(crate) counts: Counts,
    pub(crate) identity: Identity,
    pub(crate) signers: Signers,
    pub(crate) chronicle: Option<Chronicle>,
    pub(crate) erasures: Vec<ErasureReport>,
    tree: Tree,
    doubted: Option<u64>,
    broken: Option<u64>,
}

impl Walked {
    /// Words for where a wrong root may come from.
    pub(crate) const fn suspects(&self) -> &'static str {
        match self.broken {
            Some(_) => "some record is not what was signed",
            None => {
                "every link holds, so the last record was changed, or all links after the change were too"
            }
        }
    }

    /// The root over the first `size` records.
    pub(crate) fn root_at(&self, size: u64) -> Option<Hash> {
        self.tree.root_at(size)
    }

    /// If a link is broken: whether the signed root shows that the link is true, and the record before it was changed.
    pub(crate) fn convict(&self, checkpoint: &Checkpoint, findings: &mut Findings) {
        let Some(link) = self.doubted else { return };
        if self.tree.suspect_root_at(checkpoint.size) == Some(checkpoint.root) {
            let detail = format!(
                "the record was changed: with the leaf hash that record {link} states for it, the tree has the \
                 checkpoint's root"
            );
            findings.fail(CheckName::Chain, Some(link - 1), "chain.previous", detail);
        }
    }
}

/// Words for a check that could not go past a broken record.
pub(crate) fn stopped(record: u64) -> String {
    format!(
        "made for the records before {record} only: that record is unreadable, or its link is broken"
    )
}

fn subjects_detail(subjects: u64) -> String {
    let memory = match subjects > SUBJECTS_UNREMARKED_MAX {
        true => format!(
            " (held in about {} MiB of memory)",
            (subjects * SUBJECT_BYTES) >> 20
        ),
        false => String::new(),
    };
    format!("the records of {subjects} subjects count up and are linked{memory}")
}

/// `<thing>.<past participle>.v<N>`.
fn is_type_name(name: &str) -> bool {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut parts = name.split('.');
    let (thing, done, version) = (parts.next(), parts.next(), parts.next());
    let number = version.and_then(|version| version.strip_prefix('v'));
    thing.is_some_and(word)
        && done.is_some_and(word)
        && number.is_some_and(|number| number.parse::<u32>().is_ok())
        && parts.next().is_none()
}
