//! What a line says by itself: the record, its body by its type, the digests in it, and whether the report it holds was signed.
//!
//! The costly half of judging, made on all cores. What it takes the lines before to tell is the walk's business.

use crate::signatures::{Judged, judge_report};
use probity_schemas::disclosure::{Digests, event_digests};
use probity_schemas::error::FormatError;
use probity_schemas::event::Event;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::record::Record;
use probity_schemas::tree::Stretch;

/// A line, read by itself.
pub(crate) struct Line<'a> {
    pub(crate) leaf: Hash,
    /// With its line feed.
    pub(crate) bytes: u64,
    pub(crate) record: Result<Read<'a>, FormatError>,
}

/// A record, and what it takes time to find out about it.
pub(crate) struct Read<'a> {
    pub(crate) record: Record<'a>,
    pub(crate) event: Result<Event, FormatError>,
    pub(crate) digests: Digests,
    pub(crate) report: Option<Judged>,
}

impl<'a> Line<'a> {
    /// Everything that can be done without the lines before. Costly, and done in parallel.
    pub(crate) fn read(line: &'a [u8]) -> Self {
        let record = Record::parse(line).map(|record| {
            let event = record.event();
            Read {
                digests: event.as_ref().map(event_digests).unwrap_or_default(),
                report: event
                    .as_ref()
                    .ok()
                    .and_then(|event| judge_report(&record.envelope, event)),
                event,
                record,
            }
        });
        Self {
            leaf: match &record {
                Ok(read) => read.record.leaf,
                Err(_) => leaf_hash(line),
            },
            bytes: line.len() as u64 + 1,
            record,
        }
    }

    /// What the tree has of some neighbouring lines, the first of which is record `first`. The newest is left out: it waits in the
    /// walk for the link of the next.
    pub(crate) fn stretch(first: u64, lines: &[Self]) -> Stretch {
        let mut stretch = Stretch::from(first);
        if let [settled @ .., _] = lines {
            stretch.extend(settled.iter().map(|line| line.leaf));
        }
        stretch
    }
}
