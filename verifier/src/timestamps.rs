//! Trusted time: which records were there when others, whom the auditor trusts, looked at a clock.
//!
//! A time-stamp (RFC 3161) or a cosignature over the checkpoint of N records says that those N were there at its time, and, since it is
//! the newest checkpoint that is sent to be stamped, that the record after them was not. So records before N have times not after it,
//! records from N on not before it. The log's own clock may
//! differ by `TIME_TOLERANCE_SECONDS`.

mod token;
mod windows;

pub(crate) use windows::Windows;

use crate::limits::{CHECKPOINT_BYTES_HELD_MAX, STAMPS_MAX};
use crate::report::{CheckName, Findings};
use crate::witnesses::Witnesses;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::hash::Hash;
use probity_schemas::note::Note;
use probity_schemas::time::Time;
use probity_schemas::timestamp::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use std::collections::BTreeMap;
use webpki::anchor_from_trusted_cert;

/// The certificates of authorities that the auditor trusts to stamp times.
#[derive(Clone, Debug, Default)]
pub struct Authorities(Vec<TrustAnchor<'static>>);

impl Authorities {
    /// Reads certificates in PEM, one after the other, as `openssl` takes them with `-CAfile`.
    ///
    /// # Errors
    /// Which certificate cannot be read, or that there is none.
    pub fn parse_pem(pem: &[u8]) -> Result<Self, String> {
        let mut anchors = Vec::new();
        for (number, found) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
            let found = found.map_err(|error| format!("certificate {number}: {error}"))?;
            let anchor = anchor_from_trusted_cert(&found);
            let anchor = anchor.map_err(|error| format!("certificate {number}: {error}"))?;
            anchors.push(anchor.to_owned());
        }
        match anchors.is_empty() {
            true => Err("there is no certificate in it".to_owned()),
            false => Ok(Self(anchors)),
        }
    }

    /// These and those.
    #[must_use]
    pub fn with(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

/// That the log had so many records at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    size: u64,
    /// By whose clock.
    who: String,
    time: Time,
    /// How far that clock may be off, in microseconds.
    slack: i64,
    /// Whether it is a time-stamp.
    is_stamp: bool,
}

/// A checkpoint of the bundle, as its bytes were stamped.
#[derive(Debug)]
struct Older {
    checkpoint: Checkpoint,
    bytes: Vec<u8>,
}

/// What was read of checkpoints and time-stamps before the records.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    checkpoints: BTreeMap<u64, Older>,
    bytes_held: usize,
    seen: Vec<Seen>,
    /// Tokens of authorities that the auditor did not bring.
    strangers: usize,
    /// Tokens in the bundle.
    read: usize,
}

impl Stamps {
    /// A checkpoint: the bundle's own, or one of `checkpoints/`.
    pub(crate) fn checkpoint(
        &mut self,
        bytes: &[u8],
        witnesses: &Witnesses,
        findings: &mut Findings,
    ) {
        let name = CheckName::TrustedTime;
        self.bytes_held += bytes.len();
        if self.bytes_held > CHECKPOINT_BYTES_HELD_MAX {
            return findings.impossible(name, "more checkpoints than are held in memory");
        }
        let note = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| Note::parse(text).ok());
        let Some(note) = note else { return };
        let Ok(checkpoint) = Checkpoint::parse(note.text()) else {
            return;
        };
        match witnesses.times(&note) {
            Ok(times) => times.into_iter().for_each(|(key, time)| {
                let seen = Seen {
                    size: checkpoint.size,
                    who: key,
                    time,
                    slack: 0,
                    is_stamp: false,
                };
                self.seen.push(seen);
            }),
            // The bundle's own checkpoint, which comes first, is looked at by the check of witnesses.
            Err(_) if self.checkpoints.is_empty() => {}
            Err(detail) => findings.fail(name, None, "timestamps.cosignature", detail),
        }
        let bytes = bytes.to_vec();
        self.checkpoints
            .insert(checkpoint.size, Older { checkpoint, bytes });
    }

    /// `timestamps/<size>.tsr`.
    pub(crate) fn token(
        &mut self,
        size: u64,
        reply: &[u8],
        authorities: &Authorities,
        findings: &mut Findings,
    ) {
        self.read += 1;
        if authorities.0.is_empty() {
            return;
        }
        let name = CheckName::TrustedTime;
        if self.read > STAMPS_MAX {
            return findings.impossible(name, format!("more than {STAMPS_MAX} time-stamps"));
        }
        let Some(older) = self.checkpoints.get(&size) else {
            let detail =
                format!("the checkpoint of {size} records, which is stamped, is not in the bundle");
            return findings.fail(name, None, "timestamps.checkpoint", detail);
        };
        let stamp = match Timestamp::parse(reply) {
            Ok(stamp) => stamp,
            Err(error) => {
                return findings.fail(
                    name,
                    None,
                    "timestamps.form",
                    format!("size {size}: {error}"),
                );
            }
        };
        if let Err(error) = stamp.is_of(&older.bytes) {
            return findings.fail(
                name,
                None,
                "timestamps.imprint",
                format!("size {size}: {error}"),
            );
        }
        match token::authority(&stamp, &authorities.0) {
            Ok(who) => self.seen.push(Seen {
                size,
                who,
                time: stamp.time,
                slack: stamp.accuracy,
                is_stamp: true,
            }),
            Err(error) if error.is_unknown() => self.strangers += 1,
            Err(error) => findings.fail(
                name,
                None,
                "timestamps.signature",
                format!("size {size}: {error}"),
            ),
        }
    }

    /// Of what others saw, only what they saw at this size: a part of a log does not show what it was before.
    pub(crate) fn keep_only(&mut self, size: u64) {
        self.seen.retain(|seen| seen.size == size);
    }

    /// The sizes at which others looked: their roots are wanted.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = u64> {
        self.seen.iter().map(|seen| seen.size)
    }

    /// What the times of records must keep to.
    pub(crate) fn windows(&self) -> Windows {
        Windows::new(&self.seen)
    }

    /// The end: each checkpoint that somebody saw is one of this log; `root_at` gives the root of its tree, `is_ours` knows its origins.
    pub(crate) fn close(
        &self,
        authorities: &Authorities,
        is_ours: impl Fn(&str) -> bool,
        root_at: impl Fn(u64) -> Option<Hash>,
        findings: &mut Findings,
    ) {
        let name = CheckName::TrustedTime;
        for size in self.sizes() {
            let Some(Older { checkpoint, .. }) = self.checkpoints.get(&size) else {
                continue;
            };
            if !is_ours(&checkpoint.origin) {
                let detail = format!("the checkpoint of size {size} is of {}", checkpoint.origin);
                findings.fail(name, None, "timestamps.origin", detail);
            }
            match root_at(size) {
                Some(root) if root == checkpoint.root => {}
                Some(_) => {
                    let detail = format!(
                        "the first {size} records are not those that were stamped or cosigned"
                    );
                    findings.fail(name, None, "timestamps.root", detail);
                }
                None => findings.impossible(
                    name,
                    format!("what the first {size} records were is not shown here"),
                ),
            }
        }
        self.conclude(authorities, findings);
    }

    fn conclude(&self, authorities: &Authorities, findings: &mut Findings) {
        let name = CheckName::TrustedTime;
        let strangers = match self.strangers {
            0 => String::new(),
            count => format!("; {count} by authorities that you did not bring"),
        };
        let is_stamped = self.seen.iter().any(|seen| seen.is_stamp);
        let last = self.seen.iter().max_by_key(|seen| (seen.size, seen.time));
        match last {
            _ if !authorities.0.is_empty() && !is_stamped => {
                let why = format!("no time-stamp by an authority that you brought{strangers}");
                findings.impossible(name, why);
            }
            Some(Seen {
                size, who, time, ..
            }) => {
                let count = self.seen.len();
                let detail = format!(
                    "{count} looked at the log, the last of them {who} at {time} (size {size}): no time of the first {size} records lies outside{strangers}"
                );
                findings.hold(name, detail);
            }
            None => {
                let why = "no authority was brought (--tsa), and no witness's time is known";
                findings.not_asked(name, why);
            }
        }
    }
}
