//! The database that all nodes share: what is in it is durable, what is not never was. It keeps the promises of `Store` word for word,
//! by its own clock, and takes note of who wrote what, so that nobody writes who does not own the log.
//!
//! Not SQLite and not PostgreSQL, which need threads and real time; that those two keep the same promises is tested in
//! `ledger/tests/store`. No attachments and no persons: nobody in the simulation brings any.

use crate::clock::TrueTime;
use probity_ledger::store::{
    Append, AppendError, Head, IdempotencyRow, LogNumber, Owner, Span, StoredRecord, SubjectEntry,
};
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use probity_schemas::tree::CompactRange;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What all nodes share.
pub(crate) struct Database {
    pub(crate) time: Arc<TrueTime>,
    pub(crate) logs: Vec<LogRows>,
    nodes: BTreeMap<String, Lease>,
}

struct Lease {
    address: String,
    until: i64,
}

/// Everything of one log.
pub(crate) struct LogRows {
    pub(crate) head: Head,
    owner: Option<String>,
    claimed_by: String,
    pub(crate) records: Vec<Row>,
    streams: BTreeMap<String, Vec<usize>>,
    aliases: BTreeMap<String, String>,
    idempotency: BTreeMap<String, IdempotencyRow>,
    pub(crate) checkpoints: BTreeMap<u64, String>,
    pub(crate) snapshot: Option<Vec<u8>>,
    pub(crate) tiles: BTreeMap<(u8, u64), Vec<u8>>,
}

/// A record with what the indexes need.
pub(crate) struct Row {
    pub(crate) stored: StoredRecord,
    pub(crate) subject: String,
    pub(crate) revision: u64,
    pub(crate) time_micros: i64,
}

impl Database {
    pub(crate) const fn new(time: Arc<TrueTime>) -> Self {
        Self {
            time,
            logs: Vec::new(),
            nodes: BTreeMap::new(),
        }
    }

    pub(crate) fn log(&self, log: LogNumber) -> &LogRows {
        &self.logs[log as usize]
    }

    pub(crate) fn log_mut(&mut self, log: LogNumber) -> &mut LogRows {
        &mut self.logs[log as usize]
    }

    fn of(&self, tenant: &Tenant) -> Option<&LogRows> {
        self.logs.iter().find(|log| log.head.tenant == *tenant)
    }

    pub(crate) fn heads(&self) -> Vec<Head> {
        self.logs.iter().map(|log| log.head.clone()).collect()
    }

    pub(crate) fn head(&self, tenant: &Tenant) -> Option<Head> {
        self.of(tenant).map(|log| log.head.clone())
    }

    pub(crate) fn create(&mut self, tenant: &Tenant) -> Head {
        if let Some(head) = self.head(tenant) {
            return head;
        }
        let head = Head {
            log: self.logs.len() as LogNumber,
            tenant: tenant.clone(),
            range: CompactRange::new(),
            bytes: 0,
            epoch: 0,
            checkpoint: String::new(),
        };
        self.logs.push(LogRows {
            head: head.clone(),
            owner: None,
            claimed_by: String::new(),
            records: Vec::new(),
            streams: BTreeMap::new(),
            aliases: BTreeMap::new(),
            idempotency: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            snapshot: None,
            tiles: BTreeMap::new(),
        });
        head
    }

    /// The compare-and-swap. That the writer is the one who claimed the epoch is not asked of a store, and must hold.
    pub(crate) fn append(&mut self, node: &str, append: Append) -> Result<(), AppendError> {
        let log = self.log_mut(append.expected.log);
        let seen = (append.expected.range.root(), append.expected.epoch);
        let fits = append.expected.range.size() == log.head.range.size();
        if !fits || seen != (log.head.range.root(), log.head.epoch) {
            return Err(AppendError::Conflict);
        }
        assert_eq!(
            log.claimed_by, node,
            "the node that writes claimed the log last"
        );
        log.keep(append);
        Ok(())
    }

    pub(crate) fn renew(&mut self, node: &str, address: &str, seconds: u32) -> bool {
        let now = self.time.elapsed();
        let lease = self.nodes.get_mut(node).filter(|lease| lease.until > now);
        let Some(lease) = lease else { return false };
        lease.until = now + i64::from(seconds) * 1_000_000;
        address.clone_into(&mut lease.address);
        true
    }

    pub(crate) fn rejoin(&mut self, node: &str, address: &str, seconds: u32) {
        let lease = Lease {
            address: address.to_owned(),
            until: self.time.elapsed() + i64::from(seconds) * 1_000_000,
        };
        self.nodes.insert(node.to_owned(), lease);
    }

    pub(crate) fn claim(&mut self, tenant: &Tenant, node: &str) -> Option<Head> {
        let owner = self.owner(tenant);
        if owner.is_some_and(|owner| owner.alive && owner.node != node) {
            return None;
        }
        let mut logs = self.logs.iter_mut();
        let log = logs.find(|log| log.head.tenant == *tenant)?;
        log.owner = Some(node.to_owned());
        node.clone_into(&mut log.claimed_by);
        log.head.epoch += 1;
        Some(log.head.clone())
    }

    pub(crate) fn release(&mut self, node: &str) {
        self.nodes.remove(node);
        for log in &mut self.logs {
            log.owner.take_if(|owner| owner == node);
        }
    }

    pub(crate) fn owner(&self, tenant: &Tenant) -> Option<Owner> {
        let log = self.of(tenant)?;
        let node = log.owner.clone()?;
        let lease = self.nodes.get(&node);
        Some(Owner {
            address: lease.map_or_else(String::new, |lease| lease.address.clone()),
            alive: lease.is_some_and(|lease| lease.until > self.time.elapsed()),
            epoch: log.head.epoch,
            node,
        })
    }
}

impl LogRows {
    fn keep(&mut self, append: Append) {
        let first = self.records.len();
        assert_eq!(
            append.next.range.size(),
            (first + append.records.len()) as u64
        );
        assert_eq!(append.next.epoch, self.head.epoch);
        for (place, record) in (first..).zip(append.records) {
            let stream = self.streams.entry(record.subject.clone()).or_default();
            assert_eq!(
                stream.len() as u64,
                record.revision,
                "of {}",
                record.subject
            );
            stream.push(place);
            self.records.push(Row {
                stored: StoredRecord {
                    sequence: place as u64,
                    leaf: record.leaf,
                    line: record.line,
                },
                subject: record.subject,
                revision: record.revision,
                time_micros: record.time_micros,
            });
        }
        let aliases = append.aliases.into_iter();
        self.aliases
            .extend(aliases.map(|new| (new.alias, new.subject)));
        let keys = append.idempotency.into_iter();
        self.idempotency
            .extend(keys.map(|row| (row.key.clone(), row)));
        self.head = append.next;
        if append.keep_checkpoint {
            let size = self.head.range.size();
            self.checkpoints.insert(size, self.head.checkpoint.clone());
        }
    }

    pub(crate) fn read(&self, span: Span<'_>, limit: u32, bytes_max: usize) -> Vec<StoredRecord> {
        let from = |first: u64| self.records.iter().skip(first as usize);
        let mut found: Box<dyn Iterator<Item = &Row>> = match span {
            Span::From(first) => Box::new(from(first)),
            Span::Since(time, first) => {
                Box::new(from(first).skip_while(move |row| row.time_micros < time))
            }
            Span::Subject(subject, revision) => {
                let stream = self.streams.get(subject).map_or(&[][..], Vec::as_slice);
                Box::new(
                    stream
                        .iter()
                        .skip(revision as usize)
                        .map(|at| &self.records[*at]),
                )
            }
        };
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < limit as usize && (page.is_empty() || bytes < bytes_max) {
            let Some(row) = found.next() else { break };
            bytes += row.stored.line.len() + 1;
            page.push(row.stored.clone());
        }
        page
    }

    pub(crate) fn leaves(&self, first: u64, count: u32) -> Vec<Hash> {
        let rows = self.records.iter().skip(first as usize);
        rows.take(count as usize)
            .map(|row| row.stored.leaf)
            .collect()
    }

    fn newest(&self, subject: &str, records: &Range<u64>) -> Option<&Row> {
        let stream = self.streams.get(subject)?;
        let inside = stream
            .iter()
            .rev()
            .find(|at| records.contains(&(**at as u64)))?;
        Some(&self.records[*inside])
    }

    pub(crate) fn subject_head(&self, subject: &str) -> Option<(u64, Hash)> {
        let row = self.newest(subject, &(0..u64::MAX))?;
        Some((row.revision, row.stored.leaf))
    }

    pub(crate) fn subjects(
        &self,
        records: &Range<u64>,
        after: &str,
        limit: u32,
    ) -> Vec<SubjectEntry> {
        let later = self
            .streams
            .keys()
            .filter(|subject| subject.as_str() > after);
        let newest = later.filter_map(|subject| self.newest(subject, records));
        let entry = |row: &Row| SubjectEntry {
            subject: row.subject.clone(),
            revision: row.revision,
            sequence: row.stored.sequence,
            leaf: row.stored.leaf,
        };
        newest.take(limit as usize).map(entry).collect()
    }

    pub(crate) fn alias(&self, alias: &str) -> Option<String> {
        self.aliases.get(alias).cloned()
    }

    pub(crate) fn key(&self, key: &str) -> Option<IdempotencyRow> {
        self.idempotency.get(key).cloned()
    }

    pub(crate) fn tile_count(&self, level: u8) -> u64 {
        let there = |index: &u64| self.tiles.contains_key(&(level, *index));
        (0..).take_while(there).count() as u64
    }
}
