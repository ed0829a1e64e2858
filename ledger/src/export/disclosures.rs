//! `disclosures.jsonl`: what opens the personal values of a bundle's records, as far as their persons were not erased.
//!
//! They are opened twice, once to be counted and once to be written, and are never all in memory. A person who is erased in
//! between breaks the bundle off: it is asked for again.

use super::{BundleSink, ExportError};
use crate::limits::DISCLOSURES_A_PAGE;
use crate::persons::Persons;
use crate::reader::Reader;
use crate::store::{LogNumber, SealedDisclosure};
use probity_schemas::bundle::Member;
use probity_schemas::disclosure::DisclosureLine;
use probity_schemas::limits::POINTERS_MAX;

/// The disclosures of a log at one size.
pub(super) struct Disclosed<'a> {
    pub reader: &'a Reader,
    pub log: LogNumber,
    pub size: u64,
    pub persons: &'a Persons,
}

/// Neighbouring records: the first, and the one after the last.
pub(super) type Stretch = (u64, u64);

/// A page ends with a whole record.
const _: () = assert!(DISCLOSURES_A_PAGE as usize > POINTERS_MAX);

impl Disclosed<'_> {
    /// Writes those of the records in these stretches, which ascend; how many there are.
    pub(super) async fn write(
        &self,
        stretches: &[Stretch],
        sink: &mut dyn BundleSink,
    ) -> Result<u64, ExportError> {
        let (mut bytes, mut count) = (0, 0);
        for stretch in stretches {
            let mut from = stretch.0;
            while let Some((lines, next)) = self.page(from, stretch.1).await? {
                count += lines.len() as u64;
                bytes += lines.iter().map(|line| line.len() as u64).sum::<u64>();
                from = next;
            }
        }
        if count == 0 {
            return Ok(0);
        }
        sink.begin(&Member::Disclosures.to_string(), bytes).await?;
        let mut left = bytes;
        for stretch in stretches {
            let mut from = stretch.0;
            while let Some((lines, next)) = self.page(from, stretch.1).await? {
                let lines = lines.concat();
                left = left
                    .checked_sub(lines.len() as u64)
                    .ok_or(ExportError::Erased)?;
                sink.put(lines.into()).await?;
                from = next;
            }
        }
        if left != 0 {
            return Err(ExportError::Erased);
        }
        sink.end().await?;
        Ok(count)
    }

    /// Lines of whole records from one on, sorted, and the record to go on from; nothing where there are none left.
    async fn page(&self, from: u64, end: u64) -> Result<Option<(Vec<Vec<u8>>, u64)>, ExportError> {
        let end = end.min(self.size);
        let after = from.checked_sub(1).map(|before| (before, u32::MAX));
        let store = self.reader.store();
        let mut page = store
            .disclosures(self.log, after, end, DISCLOSURES_A_PAGE)
            .await?;
        let Some(last) = page.last().map(|last| last.sequence) else {
            return Ok(None);
        };
        let mut next = end;
        if page.len() == DISCLOSURES_A_PAGE as usize {
            page.retain(|one| one.sequence < last);
            next = last;
        }
        Ok(Some((self.lines(&page).await?, next)))
    }

    async fn lines(&self, page: &[SealedDisclosure]) -> Result<Vec<Vec<u8>>, ExportError> {
        let opened = self.persons.open(page).await?.into_iter();
        let mut lines: Vec<DisclosureLine> = opened
            .map(|one| DisclosureLine {
                disclosure: one.disclosure,
                sequence: one.sequence,
            })
            .collect();
        lines.sort_unstable();
        let lines = lines.iter().map(|line| {
            let mut line = serde_json::to_vec(line)?;
            line.push(b'\n');
            Ok(line)
        });
        lines.collect()
    }
}
