//! What a writer touched lately: the index entries of its last records, so that a lookup made before the queue stays good.
//!
//! A lookup is stamped with the size of the log it saw. As long as that is not below [`Recent::floor`], lookup and `Recent` together
//! are the truth of this moment; otherwise the lookup is made again. A cache: dropped whenever the writer reloads.

use crate::limits::RECENT_RECORDS_MAX;
use crate::seal::SealedRecord;
use crate::store::IdempotencyRow;
use probity_schemas::hash::Hash;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

#[derive(Debug)]
enum Key {
    Alias(Arc<str>),
    Subject(Arc<str>),
    Idempotency(Arc<str>),
}

/// Index entries of the newest records.
#[derive(Debug)]
pub(crate) struct Recent {
    floor: u64,
    order: VecDeque<(u64, Key)>,
    aliases: HashMap<Arc<str>, (u64, String)>,
    subjects: HashMap<Arc<str>, (u64, (u64, Hash))>,
    idempotency: HashMap<Arc<str>, (u64, IdempotencyRow)>,
}

impl Recent {
    /// Nothing touched since the log had this size.
    #[must_use]
    pub(crate) fn since(size: u64) -> Self {
        Self {
            floor: size,
            order: VecDeque::new(),
            aliases: HashMap::new(),
            subjects: HashMap::new(),
            idempotency: HashMap::new(),
        }
    }

    /// Lookups that saw at least this size are still good.
    #[must_use]
    pub(crate) const fn floor(&self) -> u64 {
        self.floor
    }

    /// What an alias leads to, if it was set lately.
    #[must_use]
    pub(crate) fn alias(&self, alias: &str) -> Option<&str> {
        self.aliases.get(alias).map(|(_, subject)| subject.as_str())
    }

    /// The newest record of a subject, if it is recent.
    #[must_use]
    pub(crate) fn subject(&self, subject: &str) -> Option<(u64, Hash)> {
        self.subjects.get(subject).map(|(_, head)| *head)
    }

    /// An idempotency row, if it was written lately.
    #[must_use]
    pub(crate) fn idempotency(&self, key: &str) -> Option<&IdempotencyRow> {
        self.idempotency.get(key).map(|(_, row)| row)
    }

    /// Takes note of a record.
    pub(crate) fn add(&mut self, record: &SealedRecord) {
        let sequence = record.sequence;
        let subject: Arc<str> = record.row.subject.as_str().into();
        self.subjects.insert(
            Arc::clone(&subject),
            (sequence, (record.row.revision, record.row.leaf)),
        );
        self.order.push_back((sequence, Key::Subject(subject)));
        for alias in &record.aliases {
            let name: Arc<str> = alias.alias.as_str().into();
            self.aliases
                .insert(Arc::clone(&name), (sequence, alias.subject.clone()));
            self.order.push_back((sequence, Key::Alias(name)));
        }
    }

    /// Takes note of an idempotency row.
    pub(crate) fn add_idempotency(&mut self, row: &IdempotencyRow) {
        let key: Arc<str> = row.key.as_str().into();
        self.idempotency
            .insert(Arc::clone(&key), (row.first, row.clone()));
        self.order.push_back((row.first, Key::Idempotency(key)));
    }

    /// Forgets what is older than the window of a log of this size; gives the subjects that were forgotten.
    pub(crate) fn trim(&mut self, size: u64) -> Vec<Arc<str>> {
        let floor = size.saturating_sub(RECENT_RECORDS_MAX).max(self.floor);
        let mut gone = Vec::new();
        while self
            .order
            .front()
            .is_some_and(|(sequence, _)| *sequence < floor)
        {
            let Some((sequence, key)) = self.order.pop_front() else {
                break;
            };
            match key {
                Key::Alias(name) => forget(&mut self.aliases, &name, sequence),
                Key::Idempotency(name) => forget(&mut self.idempotency, &name, sequence),
                Key::Subject(name) => {
                    forget(&mut self.subjects, &name, sequence);
                    if !self.subjects.contains_key(&name) {
                        gone.push(name);
                    }
                }
            }
        }
        self.floor = floor;
        gone
    }
}

/// Forgets an entry unless it was set again since.
fn forget<V>(map: &mut HashMap<Arc<str>, (u64, V)>, key: &Arc<str>, sequence: u64) {
    if map.get(key).is_some_and(|(newest, _)| *newest == sequence) {
        map.remove(key);
    }
}
