//! The keys of the log's signer, one after the other, as the records name them, and what shows that each was handed on by the one
//! before: a checkpoint right after the record that names it, signed by both. No key is believed for being named; what a
//! checkpoint is worth by these keys is in `trust`.

mod older;
mod trust;

pub(crate) use older::{Handover, Older, Tie};
pub(crate) use trust::{History, Signed, distrusted};

use crate::report::{CheckName, Findings};
use crate::rule;
use probity_governance::limits::SIGNERS_MAX;
use probity_schemas::event::Event;
use probity_schemas::event::signer::{SignerCompromised, SignerRotated};
use probity_schemas::vkey::{KeyType, VerifierKey};
use std::fmt;
use std::str::FromStr;

/// A key of which the auditor knows, from elsewhere than the bundle, that it was stolen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompromisedKey {
    /// The key.
    pub key: VerifierKey,
    /// The size of the last checkpoint by it that is to be trusted.
    pub last_trusted_size: u64,
}

impl CompromisedKey {
    /// Up to which size what this key signed is trusted; everything where nothing is known against it.
    pub(crate) fn limit(known: &[Self], key: &VerifierKey) -> Option<u64> {
        let sizes = known.iter().filter(|one| one.key == *key);
        sizes.map(|one| one.last_trusted_size).min()
    }
}

impl FromStr for CompromisedKey {
    type Err = String;

    /// `VKEY@SIZE`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (key, size) = text.rsplit_once('@').ok_or("expected VKEY@SIZE")?;
        let size = probity_schemas::checkpoint::decimal(size);
        Ok(Self {
            key: key.parse().map_err(|error| format!("{error}"))?,
            last_trusted_size: size.ok_or("expected VKEY@SIZE")?,
        })
    }
}

/// A key, and the records for which it signs.
#[derive(Clone, Debug)]
struct Term {
    key: VerifierKey,
    /// The record that names it.
    sequence: u64,
    /// Whether no other key hands it on: record 0, a restoration, or the first that a part of a log shows.
    begins: bool,
    /// If records say that it was compromised.
    last_trusted_size: Option<u64>,
}

impl Term {
    /// The size of the checkpoint that is signed by the key before as well.
    const fn handed_on_at(&self) -> u64 {
        self.sequence + 1
    }
}

/// The keys as they are heard of.
#[derive(Debug, Default)]
pub(crate) struct Signers {
    terms: Vec<Term>,
    /// Of a part of a log: the auditor's keys, one of which may be before the first that is heard of.
    brought: Option<Vec<VerifierKey>>,
}

impl Signers {
    /// For a part of a log, which need not hold its beginning.
    pub(crate) fn of_part(brought: &[VerifierKey]) -> Self {
        Self {
            terms: Vec::new(),
            brought: Some(brought.to_vec()),
        }
    }

    /// Takes the next record in.
    pub(crate) fn hear(&mut self, position: u64, event: &Event, findings: &mut Findings) {
        let fail = |findings: &mut Findings, rule, detail: String| {
            findings.fail(CheckName::Signers, Some(position), rule, detail);
        };
        match event {
            Event::LogOpened(opened) => self.begin(position, &opened.signer),
            Event::LogRestored(restored) => self.begin(position, &restored.signer),
            Event::SignerRotated(rotated) => {
                if let Err(detail) = self.rotate(position, rotated) {
                    fail(findings, rule::SIGNERS_ROTATION, detail);
                }
            }
            Event::SignerCompromised(compromised) => {
                if let Err(detail) = self.compromise(compromised) {
                    fail(findings, rule::SIGNERS_COMPROMISED, detail);
                }
            }
            _ => {}
        }
    }

    /// A key that no other hands on. One that is none is the opening's fault, and told there.
    fn begin(&mut self, sequence: u64, key: &str) {
        if let Ok(key) = key.parse() {
            self.add(key, sequence, true);
        }
    }

    fn add(&mut self, key: VerifierKey, sequence: u64, begins: bool) {
        self.terms.push(Term {
            key,
            sequence,
            begins,
            last_trusted_size: None,
        });
    }

    fn rotate(&mut self, sequence: u64, rotated: &SignerRotated) -> Result<(), String> {
        let next: VerifierKey = rotated
            .signer
            .parse()
            .map_err(|error| format!("the new key is none: {error}"))?;
        if next.key_type() != KeyType::Ed25519 {
            return Err("the new key is not of the type that a log signs with".to_owned());
        }
        if self.terms.len() >= SIGNERS_MAX {
            return Err(format!("more than {SIGNERS_MAX} keys"));
        }
        if self.terms.iter().any(|term| term.key == next) {
            return Err("the new key was the log's before".to_owned());
        }
        let names = |key: &VerifierKey| {
            key.id().to_string() == rotated.previous && key.name() == next.name()
        };
        let follows = self.terms.last().is_some_and(|term| names(&term.key));
        match &self.brought {
            None if !follows => {
                return Err(format!(
                    "it takes the place of key {}, which is not the one in force",
                    rotated.previous
                ));
            }
            Some(brought) if !follows => {
                // Records in between are not here: only a key that was brought can be the one before.
                let before = brought.iter().find(|key| names(key)).cloned();
                let begins = before.is_none();
                if let Some(before) = before {
                    self.add(before, 0, true);
                }
                self.add(next, sequence, begins);
            }
            _ => self.add(next, sequence, false),
        }
        Ok(())
    }

    fn compromise(&mut self, compromised: &SignerCompromised) -> Result<(), String> {
        let size = compromised.last_trusted_size;
        let named = |term: &Term| term.key.to_string() == compromised.key;
        let Some(place) = self.terms.iter().position(named) else {
            return match &self.brought {
                Some(brought) => {
                    // The key is one of which this part tells nothing else.
                    let key = brought
                        .iter()
                        .find(|key| key.to_string() == compromised.key);
                    let before = key.cloned().map(|key| Term {
                        key,
                        sequence: 0,
                        begins: true,
                        last_trusted_size: Some(size),
                    });
                    self.terms.splice(0..0, before);
                    Ok(())
                }
                None => Err("the key never was the log's".to_owned()),
            };
        };
        let is_part = self.brought.is_some();
        let next = self.terms.get(place + 1).map(Term::handed_on_at);
        if !is_part && next.is_none_or(|next| size > next) {
            return Err("the key is in force, or never signed so many records".to_owned());
        }
        if let Some(term) = self.terms.get_mut(place) {
            let before = term.last_trusted_size.unwrap_or(u64::MAX);
            term.last_trusted_size = Some(size.min(before));
        }
        Ok(())
    }
}

/// A key, for people.
fn named(key: &VerifierKey) -> impl fmt::Display {
    format!("{}+{}", key.name(), key.id())
}
