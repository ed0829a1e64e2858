//! What opens the salted digests in the records: each disclosure that is shown has a digest that stands in the record it
//! names. A digest without its disclosure was withheld or erased: that is counted, not false.
//!
//! Memory: about 48 to 96 bytes a digest in the records.

use crate::report::{CheckName, Counts, Findings};
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
        let mut before = None;
        let mut line = Vec::new();
        loop {
            line.clear();
            let most = DISCLOSURE_LINE_BYTES_MAX as u64 + 1;
            if (&mut content).take(most).read_until(b'\n', &mut line)? == 0 {
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
                    if let Err((rule, detail)) = self.open(&line, before.as_ref()) {
                        let record = Some(line.sequence);
                        findings.fail(CheckName::Disclosures, record, rule, detail);
                    }
                    before = Some(line);
                }
            }
        }
    }

    fn open(
        &mut self,
        line: &DisclosureLine,
        before: Option<&DisclosureLine>,
    ) -> Result<(), Fault> {
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
        Ok(())
    }

    /// The end of the bundle.
    pub(crate) fn close(&self, counts: &mut Counts, findings: &mut Findings) {
        counts.disclosures = self.shown;
        let hidden = (self.standing.len() as u64).saturating_sub(self.shown);
        counts.disclosures_withheld = hidden;
        let detail = format!(
            "{} open the digests of their records; {hidden} withheld or erased",
            self.shown
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
