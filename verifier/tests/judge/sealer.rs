//! A small sealer for tests: it makes honest logs in memory and signs them, and, being a test, it also seals forgeries.

use crate::files::Files;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::bundle::BundleManifest;
use probity_schemas::canonical::canonicalize;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::Event;
use probity_schemas::event::log::LogOpened;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::{Note, signature_line};
use probity_schemas::record::{Envelope, Record, sequence_text};
use probity_schemas::time::Time;
use probity_schemas::tree::root_of;
use probity_schemas::vkey::VerifierKey;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use uuid::{Builder, Uuid};

/// Microseconds since the epoch at which every test log begins.
const BEGIN: i64 = 1_795_000_000_000_000;

/// Who signs.
#[derive(Clone)]
pub struct Signer {
    origin: String,
    key: SigningKey,
}

impl Signer {
    pub fn new(origin: &str, seed: u8) -> Self {
        Self {
            origin: origin.to_owned(),
            key: SigningKey::from_bytes(&[seed; 32]),
        }
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn vkey(&self) -> VerifierKey {
        VerifierKey::ed25519(&self.origin, self.key.verifying_key().as_bytes()).unwrap()
    }

    /// The signed checkpoint over these lines.
    pub fn checkpoint(&self, lines: &[Vec<u8>]) -> String {
        self.sign(&Checkpoint {
            origin: self.origin.clone(),
            size: lines.len() as u64,
            root: root_of(lines.iter().map(|line| leaf_hash(line))),
        })
    }

    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let line = signature_line(&self.origin, self.vkey().id(), &signature);
        Note::build(&text, &[line]).unwrap().to_string()
    }

    /// An honest bundle of these lines.
    pub fn bundle(&self, lines: &[Vec<u8>]) -> Files {
        let manifest = BundleManifest {
            count: lines.len() as u64,
            filter: None,
            first: 0,
            format: 1,
            origin: self.origin.clone(),
            tool: "test".to_owned(),
        };
        let mut files = Files::default();
        files.put("bundle.json", manifest.to_json().unwrap());
        files.put("checkpoint", self.checkpoint(lines));
        files.put_lines(lines);
        files
    }
}

/// A log being written.
#[derive(Clone)]
pub struct Log {
    pub signer: Signer,
    pub lines: Vec<Vec<u8>>,
    pub time: Time,
    /// Origin of the next record.
    pub source: String,
    last: Hash,
    subjects: HashMap<String, (u64, Hash)>,
}

impl Log {
    /// A log with record 0.
    pub fn open(signer: &Signer) -> Self {
        let mut log = Self::empty(signer);
        let tenant = signer.origin().rsplit('/').next().unwrap().to_owned();
        let opened = LogOpened {
            engine: 1,
            format: 1,
            log_id: "00112233445566778899aabbccddeeff".to_owned(),
            origin: signer.origin().to_owned(),
            signer: signer.vkey().to_string(),
            tenant: tenant.clone(),
        };
        log.append(&format!("log/{tenant}"), "system", opened);
        log
    }

    /// A log without records.
    pub fn empty(signer: &Signer) -> Self {
        Self {
            signer: signer.clone(),
            lines: Vec::new(),
            time: Time::from_micros(BEGIN),
            source: signer.origin().to_owned(),
            last: Hash::EMPTY,
            subjects: HashMap::new(),
        }
    }

    /// Appends a record, a millisecond after the one before.
    pub fn append(&mut self, subject: &str, actor: &str, event: impl Into<Event>) -> Hash {
        self.append_in(None, subject, actor, event)
    }

    /// The same, in a workspace.
    pub fn append_in(
        &mut self,
        workspace: Option<&str>,
        subject: &str,
        actor: &str,
        event: impl Into<Event>,
    ) -> Hash {
        let event = event.into();
        let (revision, before) = match self.subjects.get(subject) {
            Some((revision, leaf)) => (revision + 1, Some(*leaf)),
            None => (0, None),
        };
        let envelope = Envelope {
            actor: Cow::from(actor),
            causationid: None,
            correlationid: Some(Cow::from("conversation-7")),
            data: &event,
            id: Cow::from(self.fresh_id().to_string()),
            previous: self.last,
            revision: Cow::from(revision.to_string()),
            sequence: Cow::from(sequence_text(self.lines.len() as u64)),
            source: Cow::from(self.source.as_str()),
            specversion: Cow::from("1.0"),
            subject: Cow::from(subject),
            subjectprevious: before,
            surface: Cow::from("native"),
            time: self.time,
            traceparent: None,
            type_name: Cow::from(event.type_name()),
            workspace: workspace.map(Cow::from),
        };
        let line = envelope.to_line().unwrap();
        self.last = Record::parse(&line).unwrap().leaf;
        self.subjects.insert(subject.to_owned(), (revision, self.last));
        self.lines.push(line);
        self.time = Time::from_micros(self.time.micros() + 1000);
        self.last
    }

    /// An id after all before it.
    pub fn fresh_id(&self) -> Uuid {
        let millis = u64::try_from(self.time.millis()).unwrap();
        let mut random = [7; 10];
        random[..2].copy_from_slice(&(self.lines.len() as u16 & 0x0fff).to_be_bytes());
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    pub fn bundle(&self) -> Files {
        self.signer.bundle(&self.lines)
    }
}

/// What someone who holds the log's key can do: change records, then link and sign everything anew.
pub fn reseal(signer: &Signer, records: &[Value]) -> Vec<Vec<u8>> {
    let mut last = Hash::EMPTY;
    let mut subjects: HashMap<String, Hash> = HashMap::new();
    let mut lines = Vec::new();
    for record in records {
        let mut record = record.clone();
        let subject = record["subject"].as_str().unwrap().to_owned();
        record["previous"] = last.to_string().into();
        if let Some(before) = subjects.get(&subject) {
            record["subjectprevious"] = before.to_string().into();
        }
        let line = canonicalize(record.to_string().as_bytes()).unwrap().into_bytes();
        last = leaf_hash(&line);
        subjects.insert(subject, last);
        lines.push(line);
    }
    assert!(!signer.origin().is_empty());
    lines
}

/// Lines as values.
pub fn values(lines: &[Vec<u8>]) -> Vec<Value> {
    lines
        .iter()
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}
