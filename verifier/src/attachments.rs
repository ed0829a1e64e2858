//! Content beside the records: each has the BLAKE3 hash it is named by, the length its record states, and a record that
//! names it. What a record names and the bundle does not hold was withheld: that is counted, not false.
//!
//! Memory: 17 to 56 bytes a distinct attachment that records name (the first half of its hash, its length).

use crate::report::{CheckName, Counts, Findings};
use probity_schemas::event::Event;
use probity_schemas::event::telemetry::AttachmentRef;
use std::collections::HashMap;
use std::io::{self, Read};

/// Half of a BLAKE3 hash: enough to find an entry; the content itself is compared with the whole.
type Key = [u8; 16];

/// What the records say of attachments, and what the bundle was found to hold.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    named: HashMap<Key, Named>,
    found: u64,
}

#[derive(Debug)]
struct Named {
    bytes: u64,
    found: bool,
}

impl Attachments {
    /// Notes what a record names.
    pub(crate) fn record(&mut self, position: u64, event: &Event, findings: &mut Findings) {
        for named in event.attachments() {
            if let Err((rule, detail)) = self.name(named) {
                findings.fail(CheckName::Attachments, Some(position), rule, detail);
            }
        }
    }

    fn name(&mut self, named: &AttachmentRef) -> Result<(), (&'static str, &'static str)> {
        let Ok(hash) = blake3::Hash::from_hex(&named.blake3) else {
            return Err(("attachments.name", "blake3 is not 64 hexadecimal digits"));
        };
        if hash.to_hex().as_str() != named.blake3 {
            return Err(("attachments.name", "blake3 is not in lower case"));
        }
        let bytes = named.bytes;
        let entry = self.named.entry(key(&hash));
        let entry = entry.or_insert(Named {
            bytes,
            found: false,
        });
        if entry.bytes != bytes {
            let detail = "an earlier record states another length for the same content";
            return Err(("attachments.length", detail));
        }
        Ok(())
    }

    /// Checks a member `attachments/<name>`.
    pub(crate) fn member(
        &mut self,
        name: &str,
        content: &mut dyn Read,
        findings: &mut Findings,
    ) -> io::Result<()> {
        let mut hasher = blake3::Hasher::new();
        let length = io::copy(content, &mut hasher)?;
        let hash = hasher.finalize();
        let fault = if hash.to_hex().as_str() != name {
            Some((
                "attachments.content",
                "the content has another BLAKE3 hash than its name",
            ))
        } else {
            match self.named.get_mut(&key(&hash)) {
                None => Some(("attachments.unnamed", "no record names it")),
                Some(named) if named.bytes != length => {
                    Some(("attachments.length", "its record states another length"))
                }
                Some(named) => {
                    self.found += u64::from(!named.found);
                    named.found = true;
                    None
                }
            }
        };
        if let Some((rule, detail)) = fault {
            let detail = format!("attachments/{name}: {detail}");
            findings.fail(CheckName::Attachments, None, rule, detail);
        }
        Ok(())
    }

    /// The end of the bundle.
    pub(crate) fn close(&self, counts: &mut Counts, findings: &mut Findings) {
        counts.attachments = self.found;
        counts.attachments_withheld = self.named.len() as u64 - self.found;
        let (found, withheld) = (counts.attachments, counts.attachments_withheld);
        let detail = format!("{found} have the content their records name; {withheld} withheld");
        findings.hold(CheckName::Attachments, detail);
    }
}

fn key(hash: &blake3::Hash) -> Key {
    std::array::from_fn(|at| hash.as_bytes()[at])
}
