//! The subjects in a part of a log: the links between the records of each, and whether it is shown that all of it is there, as of
//! a seal.

use super::Part;
use crate::limits::SUBJECTS_LISTED_MAX;
use crate::report::{CheckName, SubjectReport};
use crate::shown::{Entry, Shown};
use probity_schemas::error::FormatError;
use probity_schemas::record::Record;

/// What was seen of a subject.
pub(super) struct Stream {
    /// Whether all revisions are there, from 0 to the one that a seal's run holds, or so far.
    is_whole: bool,
    /// Whether one is left out between two that are there.
    has_gap: bool,
    newest: Entry,
    /// Whether the record that a seal's run holds is there.
    is_sealed: bool,
    /// The sequence of the record after that one.
    after: Option<u64>,
    count: u64,
}

impl Part<'_> {
    /// The subject's own links: revisions ascend, and each that is the next one names the one before.
    pub(super) fn stream(&mut self, record: &Record<'_>) {
        let (sequence, revision) = (record.sequence, record.revision);
        let subject = record.envelope.subject.as_ref();
        let entry = (revision, record.leaf);
        let is_sealed = self.proofs.holds(subject, entry);
        let error = match self.streams.get_mut(subject) {
            None => {
                let stream = Stream {
                    is_whole: revision == 0,
                    has_gap: false,
                    newest: entry,
                    is_sealed,
                    after: None,
                    count: 1,
                };
                self.streams.insert(subject.to_owned(), stream);
                None
            }
            Some(stream) => stream.go_on(record, is_sealed),
        };
        if let Some(error) = error {
            self.fail(CheckName::Subjects, Some(sequence), &error);
        }
    }

    /// Of each subject, whether it is shown to be all there.
    pub(super) fn subjects(&mut self) -> Vec<SubjectReport> {
        let (mut reports, mut complete) = (Vec::new(), 0);
        let shown = std::mem::take(&mut self.proofs.subjects);
        for subject in shown.keys().filter(|one| !self.streams.contains_key(*one)) {
            let detail = format!("{subject} is shown to have records, and none is here");
            self.findings
                .fail(CheckName::Cases, None, "cases.missing", detail);
        }
        let streams = std::mem::take(&mut self.streams);
        self.conclude_links(streams.values().filter(|stream| stream.has_gap).count());
        for (subject, stream) in streams {
            let as_of = shown
                .get(&subject)
                .and_then(|shown| self.complete(&subject, &stream, shown));
            complete += u64::from(as_of.is_some());
            if reports.len() < SUBJECTS_LISTED_MAX {
                reports.push(SubjectReport {
                    subject,
                    records: stream.count,
                    complete_as_of: as_of,
                });
            }
        }
        let said: Vec<String> = reports
            .iter()
            .filter_map(|one| Some((one, one.complete_as_of?)))
            .map(|(one, size)| format!("{}: complete as of size {size}", one.subject))
            .collect();
        let others = self.counts.subjects - complete;
        let detail = format!(
            "{}; {others} others: not shown to be complete",
            said.join(", ")
        );
        if complete > 0 {
            self.findings.hold(CheckName::Cases, detail);
        } else {
            let why = format!("{others} subjects: not shown to be complete");
            self.findings.not_asked(CheckName::Cases, why);
        }
        reports
    }

    /// Links between records whose neighbour is not there cannot be looked at.
    fn conclude_links(&mut self, gaps: usize) {
        let name = CheckName::Subjects;
        if gaps == 0 {
            let detail = "no revision is missing between two that are there";
            return self.findings.hold(name, detail);
        }
        let why = format!(
            "revisions are left out between two that are there, in {gaps} subjects; neighbours are linked"
        );
        self.findings.not_asked(name, why);
    }

    /// The size as of which a subject is all there; none when that is not shown.
    fn complete(&mut self, subject: &str, stream: &Stream, shown: &Shown) -> Option<u64> {
        let mut fail = |rule, detail: String| {
            let detail = format!("{subject}: {detail}");
            self.findings
                .fail(CheckName::Cases, Some(shown.seal), rule, detail);
            None
        };
        let Some(sealed) = self.seals.get(&shown.seal) else {
            return fail("cases.seal", "its seal is not in the bundle".to_owned());
        };
        match shown.newest(sealed) {
            Err(detail) => fail("cases.run", detail),
            Ok((revision, _)) if !stream.is_whole || !stream.is_sealed => fail(
                "cases.missing",
                format!(
                    "the seal holds its revisions from 0 to {revision}, and not all of them are here"
                ),
            ),
            Ok((revision, _)) if stream.after.is_some_and(|after| after < sealed.size) => fail(
                "cases.newer",
                format!(
                    "the seal holds revision {revision} as its newest, and a newer one stands before"
                ),
            ),
            Ok(_) => Some(sealed.size),
        }
    }
}

impl Stream {
    /// Takes the subject's next record in.
    fn go_on(&mut self, record: &Record<'_>, is_sealed: bool) -> Option<FormatError> {
        let sequence = record.sequence;
        let (before, leaf) = std::mem::replace(&mut self.newest, (record.revision, record.leaf));
        self.count += 1;
        let is_next = record.revision == before + 1;
        self.has_gap |= !is_next;
        if self.is_sealed {
            self.after.get_or_insert(sequence);
        } else {
            self.is_whole &= is_next;
        }
        self.is_sealed |= is_sealed;
        if record.revision <= before {
            Some(FormatError::RevisionGap { sequence })
        } else if is_next && record.envelope.subjectprevious != Some(leaf) {
            Some(FormatError::BadSubjectPrevious { sequence })
        } else {
            None
        }
    }
}
