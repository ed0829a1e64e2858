//! A part of a log as a bundle: the records that were asked for, what a judge needs with them, and the proofs.
//!
//! With them go the records about the signer's keys; the policies published and retired up to the last of them, so that decisions can be decided again; where actors
//! have keys, those and record 0, so that what they signed can be checked; and for a whole subject the newest seal. Memory: about 16 bytes a record, 100 an attachment; the lines are read once to be counted and once to be written.

mod streams;

use super::disclosures::Disclosed;
use super::older::older;
use super::trace::Trace;
use super::{BundleSink, ExportError, ExportSummary, TOOL, attachments, schemas, whole};
use crate::cosigned::Witnessed;
use crate::limits::{REPLAY_BYTES, SEAL_SEARCH_RECORDS};
use crate::load::range_at;
use crate::paths::Paths;
use crate::persons::Persons;
use crate::reader::Reader;
use crate::runs::{prove, seal_of};
use crate::store::{Head, Span, StoreError, StoredRecord};
use crate::tile_roots::TileRoots;
use bytes::Bytes;
use probity_schemas::bundle::{BundleFilter, BundleManifest, FORMAT, Member};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::seal::SubjectsSealed;
use probity_schemas::hash::Hash;
use probity_schemas::partial::{HandoverProof, RecordProof, RunProof};
use probity_schemas::tree::inclusion_plan;
use std::collections::BTreeSet;
use std::ops::Range;

/// A part of one log at one size.
pub(super) struct Part<'a> {
    pub reader: &'a Reader,
    pub head: Head,
    pub log_id: String,
    pub checkpoint: Checkpoint,
    pub filter: &'a BundleFilter,
    pub persons: Option<&'a Persons>,
    pub witnessed: Witnessed,
}

impl Part<'_> {
    /// Writes the bundle.
    pub(super) async fn write(
        &self,
        sink: &mut dyn BundleSink,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<ExportSummary, ExportError> {
        let mut sequences = self.asked_for(progress).await?;
        let (Some(first), Some(last)) = (sequences.first().copied(), sequences.last().copied())
        else {
            return Err(ExportError::Nothing);
        };
        sequences.extend(self.beside(last).await?);
        let signer = format!("signer/{}", self.log_id);
        sequences.extend(self.stream(&signer).await?);
        let shown = self.shown(&mut sequences).await?;
        let sequences: Vec<u64> = sequences.into_iter().collect();
        let manifest = BundleManifest {
            count: sequences.len() as u64,
            filter: Some(self.filter.clone()),
            first,
            format: FORMAT,
            origin: self.checkpoint.origin.clone(),
            tool: TOOL.to_owned(),
        };
        let manifest = serde_json::to_vec(&manifest)?;
        whole(sink, &Member::Manifest, manifest.into()).await?;
        let note = Bytes::from(self.head.checkpoint.clone());
        whole(sink, &Member::Checkpoint, note).await?;
        let (origin, size) = (&self.checkpoint.origin, self.head.range.size());
        let handed_on = older(self.reader, self.head.log, origin, size..=size, sink).await?;
        let handovers = self.handovers(&handed_on, &sequences).await?;
        self.proofs(sink, &sequences, &shown, &handovers).await?;
        let (bytes, names) = self.records(sink, &sequences, progress).await?;
        let disclosures = self.disclosures(sink, &sequences).await?;
        let attached = attachments::of_names(self.reader, self.head.log, names, sink).await?;
        schemas(sink).await?;
        sink.finish().await?;
        Ok(ExportSummary {
            origin: self.checkpoint.origin.clone(),
            count: sequences.len() as u64,
            first,
            size: self.head.range.size(),
            bytes,
            attachments: attached.there,
            attachments_missing: attached.missing,
            disclosures,
            witnessed: self.witnessed.clone(),
        })
    }

    /// The records of the filter.
    async fn asked_for(
        &self,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<BTreeSet<u64>, ExportError> {
        let range = range_of(self.filter, self.head.range.size());
        let own = match &self.filter.subject {
            None => None,
            Some(subject) => Some(BTreeSet::from_iter(self.stream(subject).await?)),
        };
        let of_trace = match &self.filter.trace {
            None => None,
            Some(id) => {
                let trace = Trace {
                    reader: self.reader,
                    log: self.head.log,
                    id,
                    rest: range.clone(),
                };
                Some(trace.all(progress).await?)
            }
        };
        Ok(match (own, of_trace) {
            (None, None) => range.collect(),
            (None, Some(found)) => found,
            (Some(own), None) => own.range(range).copied().collect(),
            (Some(own), Some(found)) => own.intersection(&found).copied().collect(),
        })
    }

    /// That the subject is all there, where a whole one was asked for and sealed; the seal's record goes with it.
    async fn shown(&self, sequences: &mut BTreeSet<u64>) -> Result<Vec<RunProof>, ExportError> {
        let whole = BundleFilter {
            subject: self.filter.subject.clone(),
            ..BundleFilter::default()
        };
        let (Some(subject), true) = (&self.filter.subject, *self.filter == whole) else {
            return Ok(Vec::new());
        };
        let Some((seal, sealed)) = self.newest_seal().await? else {
            return Ok(Vec::new());
        };
        let store = self.reader.store();
        let shown = prove(store, self.head.log, (seal, &sealed), subject).await?;
        if !shown.is_empty() {
            sequences.insert(seal);
        }
        Ok(shown)
    }

    async fn newest_seal(&self) -> Result<Option<(u64, SubjectsSealed)>, ExportError> {
        let (log, subject) = (self.head.log, format!("log/{}", self.log_id));
        let heads = self
            .reader
            .store()
            .subject_heads(log, std::slice::from_ref(&subject))
            .await?;
        let mut end = heads
            .into_iter()
            .flatten()
            .next()
            .map_or(0, |(revision, _)| revision + 1);
        while end > 0 {
            let from = end.saturating_sub(u64::from(SEAL_SEARCH_RECORDS));
            let span = Span::Subject(&subject, from);
            let limit = u32::try_from(end - from).unwrap_or(SEAL_SEARCH_RECORDS);
            let page = self
                .reader
                .store()
                .read(log, span, limit, usize::MAX)
                .await?;
            let seals = page.iter().filter_map(seal_of);
            let mut known = seals.filter(|(sequence, _)| *sequence < self.head.range.size());
            if let Some(newest) = known.next_back() {
                return Ok(Some(newest));
            }
            end = from;
        }
        Ok(None)
    }

    /// Where the signer's key was handed on: that the record is the last one under the checkpoint that both keys signed.
    async fn handovers(
        &self,
        older: &[u64],
        sequences: &[u64],
    ) -> Result<Vec<HandoverProof>, ExportError> {
        let (store, mut handovers) = (self.reader.store(), Vec::new());
        for size in older {
            let handover = size.saturating_sub(1);
            if sequences.binary_search(&handover).is_err() {
                continue;
            }
            let head = Head {
                range: range_at(store, &self.head, *size).await?,
                ..self.head.clone()
            };
            let path = Paths::new(store, &TileRoots::default(), &head)
                .path(handover)
                .await?;
            handovers.push(HandoverProof { handover, path });
        }
        Ok(handovers)
    }

    /// `proofs.jsonl`: a proof for each record, then what is shown of the subject and of the signer's keys.
    async fn proofs(
        &self,
        sink: &mut dyn BundleSink,
        sequences: &[u64],
        shown: &[RunProof],
        handovers: &[HandoverProof],
    ) -> Result<(), ExportError> {
        let mut shown: Vec<Vec<u8>> = shown.iter().map(line).collect::<Result<_, _>>()?;
        for handover in handovers {
            shown.push(line(handover)?);
        }
        let mut bytes: usize = shown.iter().map(Vec::len).sum();
        for sequence in sequences {
            bytes += line(&self.blank(*sequence)?)?.len();
        }
        sink.begin(&Member::Proofs.to_string(), bytes as u64)
            .await?;
        let roots = TileRoots::default();
        let mut paths = Paths::new(self.reader.store(), &roots, &self.head);
        for stretch in stretches(sequences) {
            let mut leaves = Vec::new();
            while leaves.len() < stretch.1 as usize {
                let next = stretch.0 + leaves.len() as u64;
                let missing = stretch.1 - u32::try_from(leaves.len()).unwrap_or(u32::MAX);
                let page = self.reader.leaves(self.head.log, next, missing).await?;
                if page.is_empty() {
                    return Err(missing_record(next).into());
                }
                leaves.extend(page);
            }
            let mut lines = Vec::new();
            for (sequence, leaf) in (stretch.0..).zip(leaves) {
                let path = paths.path(sequence).await?;
                let proof = RecordProof {
                    leaf,
                    path,
                    sequence,
                };
                lines.extend(line(&proof)?);
            }
            sink.put(lines.into()).await?;
        }
        sink.put(shown.concat().into()).await?;
        Ok(sink.end().await?)
    }

    /// A record's proof as long as the true one will be: how many hashes it has follows from the sizes.
    fn blank(&self, sequence: u64) -> Result<RecordProof, ExportError> {
        let corrupt = |what: String| StoreError::Corrupt { what };
        let path = inclusion_plan(sequence, self.head.range.size())
            .and_then(|plan| plan.assemble(|_| Some(Hash::EMPTY)))
            .map_err(|error| corrupt(error.to_string()))?;
        Ok(RecordProof {
            leaf: Hash::EMPTY,
            path,
            sequence,
        })
    }

    /// `records.jsonl`: the lines, counted and then written; its bytes, and the attachments that they name.
    async fn records(
        &self,
        sink: &mut dyn BundleSink,
        sequences: &[u64],
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<(u64, BTreeSet<String>), ExportError> {
        let mut bytes = 0;
        for stretch in stretches(sequences) {
            let page = self.lines(stretch).await?;
            bytes += page
                .iter()
                .map(|one| one.line.len() as u64 + 1)
                .sum::<u64>();
        }
        sink.begin(&Member::Records.to_string(), bytes).await?;
        let (mut done, mut names) = (0, BTreeSet::new());
        for stretch in stretches(sequences) {
            let mut lines = Vec::new();
            for stored in self.lines(stretch).await? {
                names.extend(attachments::names_in(&stored.line));
                lines.extend_from_slice(&stored.line);
                lines.push(b'\n');
            }
            sink.put(lines.into()).await?;
            done += u64::from(stretch.1);
            progress(done, sequences.len() as u64);
        }
        sink.end().await?;
        Ok((bytes, names))
    }

    /// `disclosures.jsonl`: of the records that are in the bundle.
    async fn disclosures(
        &self,
        sink: &mut dyn BundleSink,
        sequences: &[u64],
    ) -> Result<u64, ExportError> {
        let Some(persons) = self.persons else {
            return Ok(0);
        };
        let shown = Disclosed {
            reader: self.reader,
            log: self.head.log,
            size: self.head.range.size(),
            persons,
        };
        let stretches =
            stretches(sequences).map(|(first, count)| (first, first + u64::from(count)));
        shown.write(&stretches.collect::<Vec<_>>(), sink).await
    }

    /// The records of a stretch, all of them.
    async fn lines(&self, (first, count): Stretch) -> Result<Vec<StoredRecord>, ExportError> {
        let mut records = Vec::new();
        while records.len() < count as usize {
            let next = first + records.len() as u64;
            let missing = count - u32::try_from(records.len()).unwrap_or(u32::MAX);
            let page = self
                .reader
                .store()
                .read(self.head.log, Span::From(next), missing, REPLAY_BYTES)
                .await?;
            if page.first().is_none_or(|stored| stored.sequence != next) {
                return Err(missing_record(next).into());
            }
            records.extend(page);
        }
        Ok(records)
    }
}

/// The records among which a filter looks.
pub(super) fn range_of(filter: &BundleFilter, size: u64) -> Range<u64> {
    let end = filter.to.map_or(size, |to| to.saturating_add(1).min(size));
    filter.from.unwrap_or(0).min(end)..end
}

/// Neighbouring records: the first, and how many.
type Stretch = (u64, u32);

/// Records read at once for a bundle of a part.
const STRETCH_RECORDS_MAX: u32 = 512;

fn stretches(sequences: &[u64]) -> impl Iterator<Item = Stretch> + '_ {
    let mut rest = sequences;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let count = (first..first + u64::from(STRETCH_RECORDS_MAX))
            .zip(rest)
            .take_while(|(expected, found)| expected == *found)
            .count();
        rest = rest.get(count..)?;
        Some((first, u32::try_from(count).unwrap_or(STRETCH_RECORDS_MAX)))
    })
}

fn line(proof: &impl serde::Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(proof)?;
    line.push(b'\n');
    Ok(line)
}

fn missing_record(sequence: u64) -> StoreError {
    StoreError::Corrupt {
        what: format!("record {sequence} is missing"),
    }
}
