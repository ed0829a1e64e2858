//! What a run proves of one subject: that its entry is there, or that it is not.

use super::{Entries, hash_of};
use crate::store::{LogNumber, Store, StoreError, StoredRecord, SubjectEntry};
use probity_schemas::event::Event;
use probity_schemas::event::seal::SubjectsSealed;
use probity_schemas::hash::Hash;
use probity_schemas::partial::{ProvedEntry, RunProof};
use probity_schemas::record::Record;
use probity_schemas::tree::{CompactRange, Node, inclusion_plan};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What a seal's runs show of a subject, from the newest run to the one that holds it; nothing when none does.
pub(crate) async fn prove(
    store: &dyn Store,
    log: LogNumber,
    (seal, sealed): (u64, &SubjectsSealed),
    subject: &str,
) -> Result<Vec<RunProof>, StoreError> {
    let (mut proofs, mut end) = (Vec::new(), sealed.size);
    for (number, run) in sealed.runs.iter().enumerate().rev() {
        let entries = Entries {
            store,
            log,
            records: run.first..end,
        };
        end = run.first;
        let found = entries.find(subject).await?;
        let is_held = found.entry.is_some();
        let shown: Vec<(u64, SubjectEntry)> = match found.entry {
            Some(entry) => vec![entry],
            None => found.before.into_iter().chain(found.after).collect(),
        };
        let mut proved = Vec::with_capacity(shown.len());
        for (index, entry) in shown {
            proved.push(ProvedEntry {
                index,
                leaf: entry.leaf,
                path: entries.path(index, found.count).await?,
                revision: entry.revision,
                subject: entry.subject,
            });
        }
        proofs.push(RunProof {
            count: run.count,
            entries: proved,
            root: run.root,
            run: number as u64,
            seal,
            subject: subject.to_owned(),
        });
        if is_held {
            return Ok(proofs);
        }
    }
    Ok(Vec::new())
}

impl Entries<'_> {
    /// Where a subject stands, or would stand: its entry, or else its neighbours, each with its place.
    async fn find(&self, subject: &str) -> Result<Found, StoreError> {
        let mut found = Found::default();
        self.each(|entry| {
            let place = found.count;
            found.count += 1;
            match entry.subject.as_str().cmp(subject) {
                Ordering::Less => found.before = Some((place, entry.clone())),
                Ordering::Equal => found.entry = Some((place, entry.clone())),
                Ordering::Greater if found.after.is_none() => {
                    found.after = Some((place, entry.clone()));
                }
                Ordering::Greater => {}
            }
        })
        .await?;
        Ok(found)
    }

    /// The path from the entry at `place` to the root of the run of `count` entries.
    async fn path(&self, place: u64, count: u64) -> Result<Vec<Hash>, StoreError> {
        let corrupt = |what: String| StoreError::Corrupt { what };
        let plan = inclusion_plan(place, count).map_err(|error| corrupt(error.to_string()))?;
        let mut parts: BTreeMap<u64, (Node, CompactRange)> = plan
            .nodes()
            .map(|node| (node.index << node.level, (node, CompactRange::new())))
            .collect();
        let mut at = 0;
        self.each(|entry| {
            if let Some((first, (node, part))) = parts.range_mut(..=at).next_back()
                && at - *first < 1 << node.level
            {
                part.push(hash_of(entry));
            }
            at += 1;
        })
        .await?;
        let hash_of = |node: Node| {
            let (_, part) = parts.get(&(node.index << node.level))?;
            (part.size() == 1 << node.level).then(|| part.root())
        };
        plan.assemble(hash_of)
            .map_err(|error| corrupt(error.to_string()))
    }
}

/// The seal that a record is, with its sequence.
pub(crate) fn seal_of(stored: &StoredRecord) -> Option<(u64, SubjectsSealed)> {
    match Record::parse_canonical(&stored.line).ok()?.event().ok()? {
        Event::SubjectsSealed(sealed) => Some((stored.sequence, *sealed)),
        _ => None,
    }
}

/// What a run has of a subject.
#[derive(Debug, Default)]
struct Found {
    /// Its entry.
    entry: Option<(u64, SubjectEntry)>,
    /// The entry before where it would be.
    before: Option<(u64, SubjectEntry)>,
    /// The entry after.
    after: Option<(u64, SubjectEntry)>,
    /// All entries.
    count: u64,
}
