//! Content beside the records: each has the BLAKE3 hash it is named by, the length its record states, and a record that
//! names it. What a record names and the bundle does not hold was erased, where a later record says so, or withheld: both are counted, not false.
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
    /// No record names it after the one that says it was erased.
    erased: bool,
}

impl Attachments {
    /// Notes what a record names.
    pub(crate) fn record(&mut self, position: u64, event: &Event, findings: &mut Findings) {
        for named in event.attachments() {
            if let Err((rule, detail)) = self.name(named) {
                findings.fail(CheckName::Attachments, Some(position), rule, detail);
            }
        }
        if let Event::PersonalErased(erased) = event {
            self.erase(position, &erased.attachments, findings);
        }
    }

    fn erase(&mut self, position: u64, names: &[String], findings: &mut Findings) {
        if !names.is_sorted_by(|before, after| before < after) {
            let detail = "the erased attachments do not ascend";
            let at = Some(position);
            findings.fail(CheckName::Attachments, at, "attachments.name", detail);
        }
        for name in names {
            match hash_of(name) {
                Ok(hash) => {
                    if let Some(named) = self.named.get_mut(&key(&hash)) {
                        named.erased = true;
                    }
                }
                Err((rule, detail)) => {
                    findings.fail(CheckName::Attachments, Some(position), rule, detail);
                }
            }
        }
    }

    fn name(&mut self, named: &AttachmentRef) -> Result<(), (&'static str, &'static str)> {
        let hash = hash_of(&named.blake3)?;
        let bytes = named.bytes;
        let entry = self.named.entry(key(&hash));
        let entry = entry.or_insert(Named {
            bytes,
            found: false,
            erased: false,
        });
        entry.erased = false;
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
        let missing = self.named.values().filter(|named| !named.found);
        let (erased, withheld): (Vec<_>, Vec<_>) = missing.partition(|named| named.erased);
        counts.attachments_erased = erased.len() as u64;
        counts.attachments_withheld = withheld.len() as u64;
        let (found, withheld) = (counts.attachments, counts.attachments_withheld);
        let erased = match counts.attachments_erased {
            0 => String::new(),
            erased => format!("{erased} erased, as records say; "),
        };
        let detail =
            format!("{found} have the content their records name; {erased}{withheld} withheld");
        findings.hold(CheckName::Attachments, detail);
    }
}

fn hash_of(name: &str) -> Result<blake3::Hash, (&'static str, &'static str)> {
    let Ok(hash) = blake3::Hash::from_hex(name) else {
        return Err(("attachments.name", "blake3 is not 64 hexadecimal digits"));
    };
    if hash.to_hex().as_str() == name {
        Ok(hash)
    } else {
        Err(("attachments.name", "blake3 is not in lower case"))
    }
}

fn key(hash: &blake3::Hash) -> Key {
    std::array::from_fn(|at| hash.as_bytes()[at])
}
