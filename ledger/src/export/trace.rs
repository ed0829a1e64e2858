//! The records of a trace: those that carry one correlation id. No index has them, so the log is read through, page by page; `from` and
//! `to` of the filter bound that.

use super::part::range_of;
use crate::limits::{REPLAY_BYTES, REPLAY_RECORDS};
use crate::reader::{LogHead, Reader};
use crate::store::{LogNumber, Span, StoreError, StoredRecord};
use probity_schemas::bundle::BundleFilter;
use probity_schemas::record::Record;
use std::collections::BTreeSet;
use std::ops::Range;

/// Whether a part has any record, but for what may be appended yet: a bundle that is being written cannot say any more that it is none.
///
/// # Errors
/// The store's.
pub async fn is_any(
    reader: &Reader,
    log: &LogHead,
    filter: &BundleFilter,
) -> Result<bool, StoreError> {
    let range = range_of(filter, log.size);
    if range.is_empty() {
        return Ok(false);
    }
    let own = match &filter.subject {
        None => None,
        Some(subject) => Some(own_of(reader, log, subject, &range).await?),
    };
    let trace = filter.trace.as_deref().map(|id| Trace {
        reader,
        log: log.log,
        id,
        rest: range,
    });
    match (own, trace) {
        (None, None) => Ok(true),
        (None, Some(trace)) => trace.find().await,
        (Some(own), None) => Ok(!own.is_empty()),
        (Some(own), Some(trace)) => Ok(!trace.all(&mut |_, _| {}).await?.is_disjoint(&own)),
    }
}

/// The records of a subject in a range.
async fn own_of(
    reader: &Reader,
    log: &LogHead,
    subject: &str,
    range: &Range<u64>,
) -> Result<BTreeSet<u64>, StoreError> {
    let (mut revision, mut own) = (0, BTreeSet::new());
    loop {
        let span = Span::Subject(subject, revision);
        let page = reader
            .store()
            .read(log.log, span, REPLAY_RECORDS, REPLAY_BYTES)
            .await?;
        let sequences = page.iter().map(|stored| stored.sequence);
        own.extend(sequences.filter(|sequence| range.contains(sequence)));
        revision += page.len() as u64;
        if page.is_empty() {
            return Ok(own);
        }
    }
}

/// Where a reading of the log for a trace stands.
pub(super) struct Trace<'a> {
    pub reader: &'a Reader,
    pub log: LogNumber,
    /// The correlation id.
    pub id: &'a str,
    /// What is still to be read.
    pub rest: Range<u64>,
}

impl Trace<'_> {
    /// All of them; `progress` is told records read and where the reading ends.
    pub(super) async fn all(
        mut self,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<BTreeSet<u64>, StoreError> {
        let mut found = BTreeSet::new();
        while !self.rest.is_empty() {
            found.extend(self.page().await?);
            progress(self.rest.start, self.rest.end);
        }
        Ok(found)
    }

    /// Whether there is any.
    pub(super) async fn find(mut self) -> Result<bool, StoreError> {
        while !self.rest.is_empty() {
            if !self.page().await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Those of the next page.
    async fn page(&mut self) -> Result<Vec<u64>, StoreError> {
        let left = u32::try_from(self.rest.end - self.rest.start).unwrap_or(u32::MAX);
        let span = Span::From(self.rest.start);
        let limit = left.min(REPLAY_RECORDS);
        let page = self
            .reader
            .store()
            .read(self.log, span, limit, REPLAY_BYTES)
            .await?;
        let Some(last) = page.last() else {
            let what = format!("record {} is missing", self.rest.start);
            return Err(StoreError::Corrupt { what });
        };
        self.rest.start = last.sequence + 1;
        let found = page.iter().filter(|stored| self.is_of(stored));
        Ok(found.map(|stored| stored.sequence).collect())
    }

    fn is_of(&self, stored: &StoredRecord) -> bool {
        Record::parse_canonical(&stored.line)
            .is_ok_and(|record| record.envelope.correlationid.as_deref() == Some(self.id))
    }
}
