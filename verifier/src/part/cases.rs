//! What a part of a log shows of each subject in it: that it is all there, as of a seal, or not.

use super::{Part, Stream};
use crate::limits::SUBJECTS_LISTED_MAX;
use crate::report::{CheckName, SubjectReport};
use crate::shown::Shown;

impl Part<'_> {
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
            Ok(None) => None,
            Ok(Some((revision, leaf))) if stream.first > 0 || stream.sealed != Some(leaf) => fail(
                "cases.missing",
                format!(
                    "the seal holds its revisions from 0 to {revision}, and not all of them are here"
                ),
            ),
            Ok(Some(_)) => Some(sealed.size),
        }
    }
}
