//! Logs in memory, sealed as the ledger seals them: canonical lines, linked, hashed. The follower reads them through the
//! same door as the real one.

use async_trait::async_trait;
use probity_ledger::reader::LogHead;
use probity_ledger::store::{LogNumber, StoreError, StoredRecord};
use probity_projections::source::Source;
use probity_schemas::event::Event;
use probity_schemas::event::log::LogOpened;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::record::{Envelope, SPEC_VERSION, sequence_text};
use probity_schemas::subject::{Subject, Tenant};
use probity_schemas::time::Time;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use uuid::Uuid;

/// Logs in memory. Clones are the same logs.
#[derive(Clone)]
pub(crate) struct Logs(Arc<Inner>);

struct Inner {
    logs: Mutex<Vec<Memory>>,
    changes: watch::Sender<u64>,
}

struct Memory {
    tenant: Tenant,
    log_id: String,
    time: Time,
    records: Vec<StoredRecord>,
    subjects: HashMap<String, (u64, Hash)>,
}

/// When the first record of a log is made: 2026-11-22T10:00:00Z.
pub(crate) const OPENED: Time = Time::from_micros(1_795_341_600_000_000);

pub(crate) fn tenant(name: &str) -> Tenant {
    Tenant::parse(name).unwrap()
}

impl Logs {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            logs: Mutex::default(),
            changes: watch::Sender::new(0),
        }))
    }

    /// Opens a log; the same tenant again gets another log in place of the one it had.
    pub(crate) fn open(&self, name: &str, log_id: &str) {
        let memory = Memory {
            tenant: tenant(name),
            log_id: log_id.to_owned(),
            time: OPENED,
            records: Vec::new(),
            subjects: HashMap::new(),
        };
        {
            let mut logs = self.0.logs.lock().unwrap();
            match logs.iter_mut().find(|log| log.tenant.as_str() == name) {
                Some(log) => *log = memory,
                None => logs.push(memory),
            }
        }
        let opened = LogOpened {
            engine: 1,
            format: 1,
            log_id: log_id.to_owned(),
            origin: format!("ledger.example/{name}"),
            signer: "ledger.example/acme+00000000+AQ==".to_owned(),
            tenant: name.to_owned(),
        };
        self.append(name, "system", "log/self", opened.into());
    }

    /// Seals one event, one second after the last; its position.
    pub(crate) fn append(&self, name: &str, actor: &str, subject: &str, event: Event) -> u64 {
        self.append_in(name, actor, None, subject, &event)
    }

    /// Likewise, in a workspace.
    pub(crate) fn append_in(
        &self,
        name: &str,
        actor: &str,
        workspace: Option<&str>,
        subject: &str,
        event: &Event,
    ) -> u64 {
        self.seal(name, actor, workspace, subject, event.type_name(), event)
    }

    /// Seals a record of a type that nobody knows yet.
    pub(crate) fn append_unknown(&self, name: &str) -> u64 {
        let body = serde_json::json!({});
        self.seal(name, "system", None, "future/1", "future.arrived.v1", &body)
    }

    fn seal(
        &self,
        name: &str,
        actor: &str,
        workspace: Option<&str>,
        subject: &str,
        type_name: &str,
        body: &impl serde::Serialize,
    ) -> u64 {
        Subject::parse(subject).unwrap();
        let mut logs = self.0.logs.lock().unwrap();
        let log = logs
            .iter_mut()
            .find(|log| log.tenant.as_str() == name)
            .unwrap();
        let sequence = log.records.len() as u64;
        log.time = log.time.plus_seconds(1);
        let before = log.subjects.get(subject).copied();
        let revision = before.map_or(0, |(revision, _)| revision + 1);
        let line = Envelope {
            actor: Cow::from(actor),
            causationid: None,
            correlationid: None,
            data: body,
            id: Cow::from(id(log.time, sequence).to_string()),
            previous: log.records.last().map_or(Hash::EMPTY, |record| record.leaf),
            revision: Cow::from(revision.to_string()),
            sequence: Cow::from(sequence_text(sequence)),
            source: Cow::from(format!("ledger.example/{name}")),
            specversion: Cow::from(SPEC_VERSION),
            subject: Cow::from(subject),
            subjectprevious: before.map(|(_, leaf)| leaf),
            surface: Cow::from("native"),
            time: log.time,
            traceparent: None,
            type_name: Cow::from(type_name),
            workspace: workspace.map(Cow::from),
        }
        .to_line()
        .unwrap();
        let leaf = leaf_hash(&line);
        log.subjects.insert(subject.to_owned(), (revision, leaf));
        log.records.push(StoredRecord {
            sequence,
            leaf,
            line: line.into(),
        });
        drop(logs);
        self.0.changes.send_modify(|ticks| *ticks += 1);
        sequence
    }

    /// How many records a log has.
    pub(crate) fn size(&self, name: &str) -> u64 {
        let logs = self.0.logs.lock().unwrap();
        let log = logs.iter().find(|log| log.tenant.as_str() == name).unwrap();
        log.records.len() as u64
    }

    /// The same logs, as they were when this tenant's log had `size` records.
    pub(crate) fn cut(&self, name: &str, size: usize) {
        let mut logs = self.0.logs.lock().unwrap();
        let log = logs
            .iter_mut()
            .find(|log| log.tenant.as_str() == name)
            .unwrap();
        log.records.truncate(size);
        // What follows is another history: its records differ from those that were cut off.
        log.time = log.time.plus_seconds(3_600);
        log.subjects.clear();
    }
}

fn id(time: Time, sequence: u64) -> Uuid {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&sequence.to_be_bytes());
    let millis = u64::try_from(time.millis()).unwrap();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[async_trait]
impl Source for Logs {
    async fn logs(&self) -> Result<Vec<LogHead>, StoreError> {
        let logs = self.0.logs.lock().unwrap();
        let head = |(number, log): (usize, &Memory)| LogHead {
            log: LogNumber::try_from(number).unwrap(),
            log_id: log.log_id.clone(),
            tenant: log.tenant.clone(),
            size: log.records.len() as u64,
            bytes: 0,
            checkpoint: String::new(),
        };
        Ok(logs.iter().enumerate().map(head).collect())
    }

    async fn read(
        &self,
        log: LogNumber,
        from: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let logs = self.0.logs.lock().unwrap();
        let records = &logs[usize::try_from(log).unwrap()].records;
        let wanted = records.iter().skip(usize::try_from(from).unwrap());
        let mut bytes = 0;
        Ok(wanted
            .take(usize::try_from(limit).unwrap())
            .take_while(|record| {
                bytes += record.line.len();
                bytes == record.line.len() || bytes <= bytes_max
            })
            .cloned()
            .collect())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }
}
