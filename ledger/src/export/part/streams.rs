//! Whole streams that go with a part: what its judge needs to decide again, and to check what actors signed.

use super::{ExportError, Part};
use crate::limits::{REPLAY_BYTES, REPLAY_RECORDS, STREAMS_A_PAGE};
use crate::store::Span;
use probity_governance::settings::TELEMETRY_SKEW_SECONDS;

/// What policies are called.
const POLICY_PREFIX: &str = "policy/";

/// What keys of actors are called.
const KEY_PREFIX: &str = "key/";

impl Part<'_> {
    /// The policies and the keys of actors up to a record, and what else it takes to judge what these signed.
    pub(super) async fn beside(&self, last: u64) -> Result<Vec<u64>, ExportError> {
        let mut sequences = self.streams(POLICY_PREFIX, last).await?;
        sequences.extend(self.keys(last).await?);
        Ok(sequences)
    }

    /// All records of a subject.
    pub(super) async fn stream(&self, subject: &str) -> Result<Vec<u64>, ExportError> {
        let mut sequences: Vec<u64> = Vec::new();
        loop {
            let span = Span::Subject(subject, sequences.len() as u64);
            let page = self
                .reader
                .store()
                .read(self.head.log, span, REPLAY_RECORDS, REPLAY_BYTES)
                .await?;
            let known = page.iter().map(|stored| stored.sequence);
            let before = sequences.len();
            sequences.extend(known.filter(|sequence| *sequence < self.head.range.size()));
            if sequences.len() == before {
                return Ok(sequences);
            }
        }
    }

    /// The keys of actors up to a record, and what else it takes to judge what they signed: the log's id, and by how much clocks may
    /// differ.
    async fn keys(&self, last: u64) -> Result<Vec<u64>, ExportError> {
        let mut sequences = self.streams(KEY_PREFIX, last).await?;
        if !sequences.is_empty() {
            let skew = self
                .stream(&format!("setting/{TELEMETRY_SKEW_SECONDS}"))
                .await?;
            sequences.extend(skew.into_iter().filter(|sequence| *sequence < last));
            sequences.push(0);
        }
        Ok(sequences)
    }

    /// The records before a record, of all subjects that begin so.
    async fn streams(&self, prefix: &str, last: u64) -> Result<Vec<u64>, ExportError> {
        let (mut after, mut sequences) = (prefix.to_owned(), Vec::new());
        loop {
            let page = self
                .reader
                .store()
                .subjects(self.head.log, 0..last, &after, STREAMS_A_PAGE)
                .await?;
            for entry in &page {
                if !entry.subject.starts_with(prefix) {
                    return Ok(sequences);
                }
                let stream = self.stream(&entry.subject).await?;
                sequences.extend(stream.into_iter().filter(|sequence| *sequence < last));
                after.clone_from(&entry.subject);
            }
            if page.is_empty() {
                return Ok(sequences);
            }
        }
    }
}
