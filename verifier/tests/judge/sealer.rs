//! A small sealer for tests: it makes honest logs in memory and signs them, and, being a test, it also seals forgeries.

use crate::files::Files;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_governance::command::{Alias, Command, Moment, Operation};
use probity_governance::execute::{Decided, Index, Rejected, execute};
use probity_governance::state::{Applied, Closed, State};
use probity_schemas::bundle::BundleManifest;
use probity_schemas::canonical::canonicalize;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::Event;
use probity_schemas::event::log::LogOpened;
use probity_schemas::event::seal::{SealedRun, SubjectsSealed};
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::{Note, signature_line};
use probity_schemas::record::{Envelope, Record, sequence_text};
use probity_schemas::time::Time;
use probity_schemas::tree::root_of;
use probity_schemas::vkey::VerifierKey;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use uuid::{Builder, Uuid};

/// Microseconds since the epoch at which every test log begins.
const BEGIN: i64 = 1_795_000_000_000_000;

/// Who signs.
#[derive(Clone)]
pub(crate) struct Signer {
    origin: String,
    key: SigningKey,
}

impl Signer {
    pub(crate) fn new(origin: &str, seed: u8) -> Self {
        Self {
            origin: origin.to_owned(),
            key: SigningKey::from_bytes(&[seed; 32]),
        }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn vkey(&self) -> VerifierKey {
        VerifierKey::ed25519(&self.origin, self.key.verifying_key().as_bytes()).unwrap()
    }

    /// The signed checkpoint over these lines.
    pub(crate) fn checkpoint(&self, lines: &[Vec<u8>]) -> String {
        signed_by(&[self], lines)
    }

    /// The signature line under a checkpoint.
    pub(crate) fn signature(&self, checkpoint: &Checkpoint) -> String {
        let signature = self.key.sign(checkpoint.text().as_bytes()).to_bytes();
        signature_line(&self.origin, self.vkey().id(), &signature)
    }

    /// An honest bundle of these lines.
    pub(crate) fn bundle(&self, lines: &[Vec<u8>]) -> Files {
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

/// The checkpoint over these lines, signed by each of these.
pub(crate) fn signed_by(signers: &[&Signer], lines: &[Vec<u8>]) -> String {
    let checkpoint = Checkpoint {
        origin: signers[0].origin.clone(),
        size: lines.len() as u64,
        root: root_of(lines.iter().map(|line| leaf_hash(line))),
    };
    let all: Vec<String> = signers
        .iter()
        .map(|signer| signer.signature(&checkpoint))
        .collect();
    Note::build(&checkpoint.text(), &all).unwrap().to_string()
}

/// A log being written.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) signer: Signer,
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) time: Time,
    /// Origin of the next record.
    pub(crate) source: String,
    /// Whether the rules are kept up with; a forger's log need not fit them.
    pub(crate) lawful: bool,
    /// The checkpoints that both keys signed, by size.
    pub(crate) older: Vec<(usize, String)>,
    last: Hash,
    subjects: HashMap<String, (u64, Hash)>,
    state: State,
    aliases: Aliases,
}

/// Second names of subjects, as a store keeps them.
#[derive(Clone, Default)]
struct Aliases(HashMap<Alias, String>);

impl Index for Aliases {
    fn alias(&self, alias: &Alias) -> Option<String> {
        self.0.get(alias).cloned()
    }

    fn closed(&self, _: Uuid) -> Option<Closed> {
        None
    }
}

impl Log {
    /// A log with record 0.
    pub(crate) fn open(signer: &Signer) -> Self {
        let mut log = Self::empty(signer);
        let tenant = signer.origin().rsplit('/').next().unwrap().to_owned();
        let opened = LogOpened {
            engine: 1,
            format: 1,
            log_id: "00112233445566778899aabbccddeeff".to_owned(),
            origin: signer.origin().to_owned(),
            signer: signer.vkey().to_string(),
            tenant,
        };
        log.run("system", Operation::OpenLog(Box::new(opened)));
        log
    }

    /// A log without records.
    pub(crate) fn empty(signer: &Signer) -> Self {
        Self {
            signer: signer.clone(),
            lines: Vec::new(),
            time: Time::from_micros(BEGIN),
            source: signer.origin().to_owned(),
            lawful: true,
            older: Vec::new(),
            last: Hash::EMPTY,
            subjects: HashMap::new(),
            state: State::default(),
            aliases: Aliases::default(),
        }
    }

    /// Lets the rules decide on a command and appends what comes of it; gives the id that the command was decided under.
    pub(crate) fn run(&mut self, actor: &str, operation: Operation) -> Uuid {
        let moment = self.moment();
        let decided = self.decide(actor, operation, &moment).unwrap();
        for draft in decided.into_parts().0 {
            let subject = draft.subject.as_str().to_owned();
            for alias in draft.aliases {
                self.aliases.0.insert(alias, subject.clone());
            }
            self.append_at(moment.time, &subject, actor, draft.event);
        }
        moment.id
    }

    /// Has another key sign from now on, as the ledger does.
    pub(crate) fn rotate(&mut self, next: &Signer) {
        let operation = Operation::RotateSigner {
            signer: next.vkey().to_string(),
            reason: None,
        };
        self.run("system", operation);
        let both = signed_by(&[&self.signer, next], &self.lines);
        self.older.push((self.lines.len(), both));
        self.signer = next.clone();
    }

    /// Seals everything so far, as the ledger does.
    pub(crate) fn seal(&mut self) {
        let sealed = self.sealed();
        self.run("system", Operation::Seal(Box::new(sealed)));
    }

    /// What a seal over everything so far says, counted and hashed the plain way.
    pub(crate) fn sealed(&self) -> SubjectsSealed {
        let (before, covered) = self.state.sealed_runs();
        let mut runs = before.to_vec();
        let (mut first, mut length) = (covered, 1);
        while let Some(run) = runs.pop_if(|run| run.length == length) {
            (first, length) = (run.first, 2 * run.length);
        }
        let entries = self.entries(first as usize);
        runs.push(SealedRun {
            count: entries.len() as u64,
            first,
            length,
            root: root_of(entries.iter().map(|entry| leaf_hash(entry.as_bytes()))),
        });
        SubjectsSealed {
            runs,
            size: self.lines.len() as u64,
        }
    }

    /// The entries of a run from this record on.
    pub(crate) fn entries(&self, first: usize) -> Vec<String> {
        let mut newest = BTreeMap::new();
        for line in &self.lines[first..] {
            let record = Record::parse(line).unwrap();
            let subject = record.envelope.subject.into_owned();
            newest.insert(subject, (record.revision, record.leaf));
        }
        let mut entries: Vec<String> = newest
            .into_iter()
            .map(|(subject, (revision, leaf))| format!("{subject} {revision} {leaf}"))
            .collect();
        entries.sort();
        entries
    }

    pub(crate) fn decide(
        &self,
        actor: &str,
        operation: Operation,
        moment: &Moment,
    ) -> Result<Decided, Rejected> {
        let command = Command {
            actor: actor.to_owned(),
            surface: "native",
            workspace: None,
            correlation: None,
            causation: None,
            traceparent: None,
            operation,
        };
        execute(&self.state, &self.aliases, &command, moment)
    }

    pub(crate) fn moment(&self) -> Moment {
        let mut random = [0x40; 10];
        random[..2].copy_from_slice(&(self.lines.len() as u16).to_be_bytes());
        let millis = u64::try_from(self.time.millis()).unwrap();
        Moment {
            time: self.time,
            id: Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
            salt: leaf_hash(&random),
        }
    }

    /// Lets time pass.
    pub(crate) fn wait_seconds(&mut self, seconds: i64) {
        self.time = self.time.plus_seconds(seconds);
    }

    /// Appends a record, a millisecond after the one before.
    pub(crate) fn append(&mut self, subject: &str, actor: &str, event: impl Into<Event>) -> Hash {
        self.append_at(self.time, subject, actor, event.into())
    }

    fn append_at(&mut self, time: Time, subject: &str, actor: &str, event: Event) -> Hash {
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
            time,
            traceparent: None,
            type_name: Cow::from(event.type_name()),
            workspace: None,
        };
        let line = envelope.to_line().unwrap();
        let record = Record::parse(&line).unwrap();
        self.last = record.leaf;
        if self.lawful {
            let applied = Applied {
                leaf: record.leaf,
                sequence: record.sequence,
                subject,
                actor,
                time,
                workspace: None,
                event: &event,
            };
            self.state.apply(&applied).unwrap();
        }
        self.subjects
            .insert(subject.to_owned(), (revision, self.last));
        self.lines.push(line);
        self.time = Time::from_micros(self.time.micros() + 1000);
        self.last
    }

    /// An id after all before it.
    pub(crate) fn fresh_id(&self) -> Uuid {
        let millis = u64::try_from(self.time.millis()).unwrap();
        let mut random = [7; 10];
        random[..2].copy_from_slice(&(self.lines.len() as u16 & 0x0fff).to_be_bytes());
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    pub(crate) fn bundle(&self) -> Files {
        let mut files = self.signer.bundle(&self.lines);
        for (size, note) in &self.older {
            files.put(&format!("checkpoints/{size}"), note.as_str());
        }
        files
    }
}

/// What someone who holds the log's key can do: change records, then number and link everything anew (and sign it).
pub(crate) fn relink(records: &[Value]) -> Vec<Vec<u8>> {
    let mut last = Hash::EMPTY;
    let mut subjects: HashMap<String, (u64, Hash)> = HashMap::new();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for record in records {
        let mut record = record.clone();
        let subject = record["subject"].as_str().unwrap().to_owned();
        record["sequence"] = sequence_text(lines.len() as u64).into();
        record["previous"] = last.to_string().into();
        record.as_object_mut().unwrap().remove("subjectprevious");
        let mut revision = 0;
        if let Some((before, leaf)) = subjects.get(&subject) {
            revision = before + 1;
            record["subjectprevious"] = leaf.to_string().into();
        }
        record["revision"] = revision.to_string().into();
        lines.push(line(&record));
        last = leaf_hash(&lines[lines.len() - 1]);
        subjects.insert(subject, (revision, last));
    }
    lines
}

/// A value as a line.
pub(crate) fn line(record: &Value) -> Vec<u8> {
    canonicalize(record.to_string().as_bytes())
        .unwrap()
        .into_bytes()
}

/// Lines as values.
pub(crate) fn values(lines: &[Vec<u8>]) -> Vec<Value> {
    lines
        .iter()
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}
