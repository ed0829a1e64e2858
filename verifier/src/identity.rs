//! Which log the records are of: its opening, the origin that every record states, and its restorations.

use crate::report::{CheckName, Findings};
use probity_schemas::bundle::FORMAT;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::Event;
use probity_schemas::event::log::{LogOpened, LogRestored};
use probity_schemas::hash::Hash;
use probity_schemas::note::Note;
use probity_schemas::record::Record;
use probity_schemas::subject::Tenant;
use probity_schemas::vkey::VerifierKey;

/// Hexadecimal digits of a log id.
const LOG_ID_DIGITS: usize = 32;

/// What the records say of their log so far.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    /// The origin in force, once record 0 was read.
    origin: Option<String>,
    /// The verifier key that the log says its signer has, the newest.
    signer: String,
    /// Origins before a restoration.
    earlier: Vec<String>,
    /// What the restorations lost, in words.
    losses: Vec<String>,
}

impl Identity {
    /// Takes the next record in; `root` gives the root of the tree over the records before it.
    pub(crate) fn record(
        &mut self,
        position: u64,
        record: &Record<'_>,
        event: Option<&Event>,
        root: impl FnOnce() -> Hash,
        findings: &mut Findings,
    ) {
        let mut fail = |rule, detail: String| {
            findings.fail(CheckName::Origin, Some(position), rule, detail);
        };
        match event {
            Some(Event::LogOpened(body)) if position == 0 => {
                if let Err(detail) = self.open(body) {
                    fail("origin.opening", detail);
                }
            }
            Some(Event::LogOpened(_)) => {
                fail(
                    "origin.opening",
                    "a log is opened by record 0 only".to_owned(),
                );
            }
            _ if position == 0 => {
                fail(
                    "origin.opening",
                    "record 0 is not a readable log.opened".to_owned(),
                );
            }
            Some(Event::LogRestored(body)) => {
                if let Err(detail) = self.restore(position, body, root()) {
                    fail("origin.restored", detail);
                }
            }
            Some(Event::SignerRotated(body)) => self.signer.clone_from(&body.signer),
            _ => {}
        }
        if self
            .origin
            .as_ref()
            .is_some_and(|origin| *origin != record.envelope.source)
        {
            let (source, origin) = (&record.envelope.source, self.origin.as_deref());
            let detail = format!(
                "source is {source}, and the log is {}",
                origin.unwrap_or_default()
            );
            fail("origin.source", detail);
        }
    }

    fn open(&mut self, body: &LogOpened) -> Result<(), String> {
        self.origin = Some(body.origin.clone());
        self.signer.clone_from(&body.signer);
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if body.log_id.len() != LOG_ID_DIGITS || !body.log_id.bytes().all(hexadecimal) {
            return Err("log_id is not 16 bytes in lower-case hexadecimal".to_owned());
        }
        let ends = body.origin.rsplit_once('/').map(|(_, tenant)| tenant);
        if Tenant::parse(&body.tenant).is_err() || ends != Some(&body.tenant) {
            return Err(format!(
                "{} is not an origin of tenant {:?}",
                body.origin, body.tenant
            ));
        }
        check_signer(&body.signer, &body.origin)
    }

    fn restore(&mut self, position: u64, body: &LogRestored, root: Hash) -> Result<(), String> {
        let before = self.origin.replace(body.origin.clone()).unwrap_or_default();
        self.signer.clone_from(&body.signer);
        if body.previous_origin != before || body.origin == before {
            return Err(format!(
                "it goes on from {}, and the log was {before}",
                body.previous_origin
            ));
        }
        if body.size != position || body.root != root {
            return Err("its size and root are not those of the records before it".to_owned());
        }
        let lost = Note::parse(&body.lost_checkpoint).map_err(|error| error.to_string());
        let lost = Checkpoint::parse(lost?.text()).map_err(|error| error.to_string())?;
        if lost.origin != before {
            return Err("the lost checkpoint is of another log".to_owned());
        }
        let loss = format!(
            "restored at record {position}, when {} were signed",
            lost.size
        );
        self.losses.push(loss);
        self.earlier.push(before);
        check_signer(&body.signer, &body.origin)
    }

    /// Whether the log has, or had, this origin.
    pub(crate) fn is_or_was(&self, origin: &str) -> bool {
        self.origin.as_deref() == Some(origin)
            || self.earlier.iter().any(|earlier| earlier == origin)
    }

    /// Whether a checkpoint is of this log, or of a log that cannot be told.
    pub(crate) fn is_of(&self, checkpoint: &Checkpoint, findings: &mut Findings) -> bool {
        let same = |origin: &String| *origin == checkpoint.origin;
        if self.origin.as_ref().is_none_or(same) {
            return true;
        }
        let origin = self.origin.as_deref().unwrap_or_default();
        let detail = format!(
            "the checkpoint is of {}, the records are of {origin}",
            checkpoint.origin
        );
        findings.fail(CheckName::Origin, None, "origin.checkpoint", detail);
        false
    }

    /// The end of the records: the key that signed the checkpoint must be one that the log names. Whether it was in force is judged with
    /// the signer's keys.
    pub(crate) fn close(&self, key: Option<&VerifierKey>, named: bool, findings: &mut Findings) {
        let Some(origin) = &self.origin else {
            return findings.impossible(CheckName::Origin, "record 0 does not say which log it is");
        };
        if key.is_none() {
            let why = "not known to be the log's: no key that you brought signed the checkpoint";
            return findings.impossible(CheckName::Origin, why);
        }
        if !named {
            let named = &self.signer;
            let detail = format!("the checkpoint's key is not the one the log names, {named}");
            return findings.fail(CheckName::Origin, None, "origin.signer", detail);
        }
        let losses: String = self.losses.iter().map(|loss| format!("; {loss}")).collect();
        let detail = format!("all records, checkpoint and key are of {origin}{losses}");
        findings.hold(CheckName::Origin, detail);
    }
}

/// The version of the record format that a log says it has, where it is newer than this judge.
pub(crate) fn newer_format(event: &Event) -> Option<u32> {
    match event {
        Event::LogOpened(body) => Some(body.format).filter(|format| *format > FORMAT),
        _ => None,
    }
}

/// A log names its signer's key by a vkey of its own name.
fn check_signer(signer: &str, origin: &str) -> Result<(), String> {
    match signer.parse::<VerifierKey>() {
        Ok(key) if key.name() == origin => Ok(()),
        Ok(key) => Err(format!("its signer is named {}", key.name())),
        Err(error) => Err(format!("its signer is not a verifier key: {error}")),
    }
}
