//! What opens the salted digests in the records: each disclosure that is shown has a digest that stands in the record it
//! names. A digest without its disclosure was withheld or erased: that is counted, not false.
//!
//! Memory: about 48 to 96 bytes a digest in the records.

use crate::erasures::Erasures;
use crate::report::{CheckName, Counts, Findings};
use crate::withheld::Withheld;
use probity_schemas::canonical;
use probity_schemas::disclosure::{Digest, Digests, Disclosure, DisclosureLine, Place};
use probity_schemas::limits::DISCLOSURE_LINE_BYTES_MAX;
use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read};

/// The digests of the records, and which of them were opened.
#[derive(Debug, Default)]
pub(crate) struct Disclosures {
    standing: HashMap<(u64, Digest), Standing>,
    shown: u64,
    /// Decisions that looked at what digests stand for.
    pub(crate) withheld: Withheld,
    /// What the log says was destroyed.
    pub(crate) erasures: Erasures,
}

#[derive(Debug)]
struct Standing {
    place: Place,
    shown: bool,
}

/// A rule that a line breaks, and words for it.
type Fault = (&'static str, String);

impl Disclosures {
    /// Notes the digests of a record.
    pub(crate) fn record(&mut self, position: u64, digests: &Digests) {
        for (digest, place) in digests {
            let standing = Standing {
                place: *place,
                shown: false,
            };
            self.standing.insert((position, *digest), standing);
        }
    }

    /// Checks `disclosures.jsonl`.
    pub(crate) fn member(
        &mut self,
        content: &mut dyn Read,
        findings: &mut Findings,
    ) -> io::Result<()> {
        let mut content = BufReader::new(content);
        let mut before: Option<DisclosureLine> = None;
        let mut of_decision = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            let most = DISCLOSURE_LINE_BYTES_MAX as u64 + 1;
            if (&mut content).take(most).read_until(b'\n', &mut line)? == 0 {
                self.judge(before.as_ref(), &mut of_decision, findings);
                return Ok(());
            }
            let Some(whole) = line.strip_suffix(b"\n") else {
                let detail = "a line of disclosures.jsonl is too long, or has no line feed";
                findings.fail(CheckName::Disclosures, None, "disclosures.line", detail);
                io::copy(&mut content, &mut io::sink())?;
                return Ok(());
            };
            match read(whole) {
                Err((rule, detail)) => findings.fail(CheckName::Disclosures, None, rule, detail),
                Ok(line) => {
                    if before
                        .as_ref()
                        .is_some_and(|one| one.sequence != line.sequence)
                    {
                        self.judge(before.as_ref(), &mut of_decision, findings);
                    }
                    match self.open(&line, before.as_ref()) {
                        Ok(shown) if self.withheld.is_about(line.sequence) => {
                            of_decision.push(shown)
                        }
                        Ok(_) => {}
                        Err((rule, detail)) => {
                            let record = Some(line.sequence);
                            findings.fail(CheckName::Disclosures, record, rule, detail);
                        }
                    }
                    before = Some(line);
                }
            }
        }
    }

    /// Judges a decision on what was shown of its record, of which this is the last line.
    fn judge(
        &mut self,
        last: Option<&DisclosureLine>,
        shown: &mut Vec<Disclosure>,
        findings: &mut Findings,
    ) {
        if let (Some(last), false) = (last, shown.is_empty()) {
            self.withheld.judge(last.sequence, shown, findings);
        }
        shown.clear();
    }

    fn open(
        &mut self,
        line: &DisclosureLine,
        before: Option<&DisclosureLine>,
    ) -> Result<Disclosure, Fault> {
        if before.is_some_and(|before| before >= line) {
            let detail = "the lines do not ascend by sequence and disclosure";
            return Err(("disclosures.order", detail.to_owned()));
        }
        let disclosure = Disclosure::parse(&line.disclosure)
            .map_err(|error| ("disclosures.form", error.to_string()))?;
        let digest = disclosure.digest();
        let Some(standing) = self.standing.get_mut(&(line.sequence, digest)) else {
            let detail = format!("its digest {digest} does not stand in the record");
            return Err(("disclosures.digest", detail));
        };
        if standing.place != disclosure.place() {
            let detail =
                "a member's disclosure stands for an element, or an element's for a member";
            return Err(("disclosures.place", detail.to_owned()));
        }
        standing.shown = true;
        self.shown += 1;
        Ok(disclosure)
    }

    /// The end of the bundle: a whole log, or a part of one, which need not hold the records of its erasures.
    pub(crate) fn close(&self, is_whole: bool, counts: &mut Counts, findings: &mut Findings) {
        let hidden = self.standing.iter().filter(|(_, one)| !one.shown);
        let mut hidden: Vec<u64> = hidden.map(|((record, _), _)| *record).collect();
        hidden.sort_unstable();
        counts.disclosures = self.shown;
        counts.disclosures_withheld = hidden.len() as u64;
        counts.erasures = self.erasures.count();
        counts.disclosures_destroyed = self.erasures.destroyed();
        counts.disclosures_erased_at_most = match is_whole {
            true => self.erasures.erased_at_most(&hidden),
            false => counts.disclosures_withheld,
        };
        counts.decisions_on_withheld = self.withheld.taken_as_recorded();
        let detail = format!(
            "{} open the digests of their records; {}",
            self.shown,
            counts.undisclosed(is_whole)
        );
        findings.hold(CheckName::Disclosures, detail);
    }
}

fn read(line: &[u8]) -> Result<DisclosureLine, Fault> {
    let fault = |why: String| {
        let detail = format!("a line of disclosures.jsonl is malformed: {why}");
        ("disclosures.line", detail)
    };
    canonical::check(line).map_err(|error| fault(error.to_string()))?;
    serde_json::from_slice(line).map_err(|error| fault(error.to_string()))
}
