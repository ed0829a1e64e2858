//! The entries of a run, in order, and what is proved with them: its root, and where a subject stands in it.
//!
//! Made from the records each time; nothing is kept. A run of few records is gathered and sorted in memory, a longer one
//! is read from the index of subjects, which is in the order of the entries: so memory is bounded for a log of any size.

mod prove;

pub(crate) use prove::{prove, seal_of};

use crate::limits::{REPLAY_BYTES, REPLAY_RECORDS, RUN_RECORDS_IN_MEMORY_MAX, RUN_SUBJECTS_A_PAGE};
use crate::reader::checked;
use crate::store::{LogNumber, Span, Store, StoreError, SubjectEntry};
use probity_schemas::event::seal::SealedRun;
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::run::{Step, entry_hash, step};
use probity_schemas::tree::CompactRange;
use std::collections::BTreeMap;
use std::ops::Range;

/// The newest record of each subject among some records of a log.
pub(crate) struct Entries<'s> {
    pub store: &'s dyn Store,
    pub log: LogNumber,
    pub records: Range<u64>,
}

/// The runs that cover the first `size` records, given those that cover the first `sealed`.
pub(crate) async fn next_runs(
    store: &dyn Store,
    log: LogNumber,
    before: (&[SealedRun], u64),
    size: u64,
) -> Result<Vec<SealedRun>, StoreError> {
    let (runs, sealed) = before;
    let Step {
        kept,
        first,
        length,
    } = step(runs, sealed);
    let entries = Entries {
        store,
        log,
        records: first..size,
    };
    let mut tree = CompactRange::new();
    entries.each(|entry| tree.push(hash_of(entry))).await?;
    let newest = SealedRun {
        count: tree.size(),
        first,
        length,
        root: tree.root(),
    };
    Ok(runs.iter().take(kept).cloned().chain([newest]).collect())
}

/// The entry of a run's tree.
pub(crate) fn hash_of(entry: &SubjectEntry) -> Hash {
    entry_hash(&entry.subject, entry.revision, &entry.leaf)
}

impl Entries<'_> {
    /// Gives every entry, in order.
    pub(crate) async fn each(
        &self,
        mut take: impl FnMut(&SubjectEntry) + Send,
    ) -> Result<(), StoreError> {
        if self.records.end - self.records.start <= RUN_RECORDS_IN_MEMORY_MAX {
            self.gathered().await?.iter().for_each(take);
            return Ok(());
        }
        let mut after = String::new();
        loop {
            let page = self
                .store
                .subjects(self.log, self.records.clone(), &after, RUN_SUBJECTS_A_PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.subject);
            page.iter().for_each(&mut take);
        }
    }

    /// All entries of a run of few records, from its lines.
    async fn gathered(&self) -> Result<Vec<SubjectEntry>, StoreError> {
        let mut newest: BTreeMap<String, SubjectEntry> = BTreeMap::new();
        let mut next = self.records.start;
        while next < self.records.end {
            let limit = u32::try_from(self.records.end - next)
                .unwrap_or(u32::MAX)
                .min(REPLAY_RECORDS);
            let span = Span::From(next);
            let page = checked(self.store, self.log, span, limit, REPLAY_BYTES).await?;
            if page.is_empty() {
                return Err(StoreError::Corrupt {
                    what: format!("record {next} is missing"),
                });
            }
            next += page.len() as u64;
            for stored in page {
                let record =
                    Record::parse_canonical(&stored.line).map_err(|error| StoreError::Corrupt {
                        what: format!("record {}: {error}", stored.sequence),
                    })?;
                let subject = record.envelope.subject.into_owned();
                let head = SubjectEntry {
                    subject: subject.clone(),
                    revision: record.revision,
                    sequence: stored.sequence,
                    leaf: stored.leaf,
                };
                newest.insert(subject, head);
            }
        }
        Ok(newest.into_values().collect())
    }
}
