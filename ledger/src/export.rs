//! Writing a log's bundle: streamed, in bounded memory, from one moment of the log.
//!
//! The log's row is read once; what is appended afterwards is left out. The row knows how many bytes the lines have, so that a tar header
//! can be written before the lines. Nothing is signed here and no key is needed.

mod attachments;
mod disclosures;
mod older;
mod part;
mod sink;
mod trace;

pub use self::sink::{BundleSink, DirectorySink, TarSink};
pub use self::trace::is_any;

use self::disclosures::Disclosed;
use self::older::older;
use self::part::Part;
use crate::cosigned::Witnessed;
use crate::guard::{Guard, GuardError};
use crate::limits::{REPLAY_BYTES, REPLAY_RECORDS};
use crate::load::range_at;
use crate::persons::{PersonError, Persons};
use crate::reader::{LogHead, Reader};
use crate::store::{Head, Span, StoreError};
use bytes::Bytes;
use probity_schemas::bundle::{BundleFilter, BundleManifest, FORMAT, Member};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::Event;
use probity_schemas::note::Note;
use probity_schemas::subject::Tenant;
use std::path::Path;
use thiserror::Error;

/// Name and version of this program, for the manifest.
const TOOL: &str = concat!("probity ", env!("CARGO_PKG_VERSION"));

/// Why there is no bundle.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The tenant has no log, or an empty one.
    #[error("there is no such log, or it has no record")]
    NoLog,
    /// No record is what was asked for.
    #[error("the log has no such record")]
    Nothing,
    /// The store failed.
    #[error("the log could not be read")]
    Store(#[from] StoreError),
    /// The guard could not be written, or is at odds with the log.
    #[error("the log's checkpoint could not be kept in the guard")]
    Guard(#[from] GuardError),
    /// The persons' keys cannot be used.
    #[error("the persons' keys could not be used")]
    Persons(#[from] PersonError),
    /// The bundle could not be written.
    #[error("the bundle could not be written")]
    Write(#[from] std::io::Error),
    /// The log's checkpoint is none.
    #[error("the log's newest checkpoint cannot be read")]
    Checkpoint,
    /// The lines do not have the bytes the log's row counts.
    #[error("the log's row counts {expected} bytes of lines and there are {found}")]
    Miscounted {
        /// By the row.
        expected: u64,
        /// By the lines.
        found: u64,
    },
    /// A person was erased while the bundle was made.
    #[error("a person was erased while the bundle was made: export again")]
    Erased,
    /// Something of ours could not be written as JSON.
    #[error("a member of the bundle could not be encoded")]
    Encode(#[from] serde_json::Error),
}

/// What a bundle holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// The log's origin.
    pub origin: String,
    /// How many records.
    pub count: u64,
    /// The first of those that were asked for.
    pub first: u64,
    /// The size of the checkpoint over them.
    pub size: u64,
    /// Bytes of their lines, line feeds included.
    pub bytes: u64,
    /// How many attachments.
    pub attachments: u64,
    /// How many attachments should be there and are gone from the store, as far as it can tell.
    pub attachments_missing: u64,
    /// How far it is witnessed.
    pub witnessed: Witnessed,
    /// How many disclosures of personal values.
    pub disclosures: u64,
}

/// Where a bundle ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the log's newest record.
    Newest,
    /// At the newest checkpoint that witnesses cosigned; at the newest record where there is none.
    Cosigned,
}

/// What of a log a bundle shows.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Where it ends.
    pub end: End,
    /// Who opens personal values; without, they are withheld.
    pub persons: Option<&'a Persons>,
}

/// Writes the bundle of a whole log; `progress` is told records done and records in all.
///
/// Where `keys` holds the log's key, its checkpoint is kept in the guard, durably, before a byte goes out: a database that is
/// put back to an earlier state can then not be signed over unseen.
///
/// # Errors
/// [`ExportError`]; what was written until then is no bundle.
pub async fn export(
    reader: &Reader,
    tenant: &Tenant,
    keys: &Path,
    shown: Shown<'_>,
    sink: &mut dyn BundleSink,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<ExportSummary, ExportError> {
    let (head, witnessed) = head_at(reader, tenant, shown.end).await?;
    let checkpoint = guarded(keys, tenant, &head.checkpoint)?;
    let manifest = BundleManifest {
        count: head.size,
        filter: None,
        first: 0,
        format: FORMAT,
        origin: checkpoint.origin.clone(),
        tool: TOOL.to_owned(),
    };
    whole(
        sink,
        &Member::Manifest,
        serde_json::to_vec(&manifest)?.into(),
    )
    .await?;
    whole(
        sink,
        &Member::Checkpoint,
        Bytes::from(head.checkpoint.clone()),
    )
    .await?;
    older(reader, head.log, &checkpoint.origin, 1..=head.size, sink).await?;
    let bytes = records(reader, &head, sink, progress).await?;
    let disclosures = match shown.persons {
        Some(persons) => {
            let disclosed = Disclosed {
                reader,
                log: head.log,
                size: head.size,
                persons,
            };
            disclosed.write(&[(0, head.size)], sink).await?
        }
        None => 0,
    };
    let attached = attachments::of_log(reader, head.log, head.size, sink).await?;
    schemas(sink).await?;
    sink.finish().await?;
    Ok(ExportSummary {
        origin: checkpoint.origin,
        count: head.size,
        first: 0,
        size: head.size,
        bytes,
        attachments: attached.there,
        attachments_missing: attached.missing,
        witnessed,
        disclosures,
    })
}

/// Writes the bundle of a part of a log, with the proofs that it is one.
///
/// # Errors
/// [`ExportError`]; what was written until then is no bundle.
pub async fn export_part(
    reader: &Reader,
    tenant: &Tenant,
    keys: &Path,
    shown: Shown<'_>,
    filter: &BundleFilter,
    sink: &mut dyn BundleSink,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<ExportSummary, ExportError> {
    let (head, witnessed) = head_at(reader, tenant, shown.end).await?;
    let newest = reader.store().head(tenant).await?;
    let newest = newest.ok_or(ExportError::NoLog)?;
    let part = Part {
        reader,
        log_id: head.log_id,
        checkpoint: guarded(keys, tenant, &head.checkpoint)?,
        head: Head {
            range: range_at(reader.store(), &newest, head.size).await?,
            bytes: head.bytes,
            checkpoint: head.checkpoint,
            ..newest
        },
        filter,
        persons: shown.persons,
        witnessed,
    };
    part.write(sink, progress).await
}

/// The checkpoint of a bundle, kept in the guard if the log's key is here.
fn guarded(keys: &Path, tenant: &Tenant, note: &str) -> Result<Checkpoint, ExportError> {
    let text = Note::parse(note).map_err(|_| ExportError::Checkpoint)?;
    let checkpoint = Checkpoint::parse(text.text()).map_err(|_| ExportError::Checkpoint)?;
    match Guard::beside(keys).keep(tenant, note) {
        Ok(()) | Err(GuardError::NotHeld) => Ok(checkpoint),
        Err(error) => Err(error.into()),
    }
}

/// The JSON Schema of every type, for readers.
async fn schemas(sink: &mut dyn BundleSink) -> Result<(), ExportError> {
    let mut schemas = Event::schemas();
    schemas.sort_by_key(|(name, _)| *name);
    for (name, schema) in schemas {
        let schema = serde_json::to_vec(&schema)?;
        whole(sink, &Member::Schema(name.to_owned()), schema.into()).await?;
    }
    Ok(())
}

/// The log as the bundle shows it, with the cosignatures that were kept for its checkpoint.
async fn head_at(
    reader: &Reader,
    tenant: &Tenant,
    end: End,
) -> Result<(LogHead, Witnessed), ExportError> {
    let mut head = reader.log(tenant).await?.ok_or(ExportError::NoLog)?;
    let newest = reader.cosigned(&head).await?;
    if let Some(newest) = &newest
        && (end == End::Cosigned || newest.size == head.size)
    {
        head.size = newest.size;
        head.bytes = newest.bytes;
        head.checkpoint.clone_from(&newest.checkpoint);
    }
    let witnessed = Witnessed::of(newest.as_ref(), head.size);
    Ok((head, witnessed))
}

async fn records(
    reader: &Reader,
    head: &LogHead,
    sink: &mut dyn BundleSink,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<u64, ExportError> {
    sink.begin(&Member::Records.to_string(), head.bytes).await?;
    let (mut next, mut written) = (0, 0);
    while next < head.size {
        let limit = u32::try_from(head.size - next)
            .unwrap_or(u32::MAX)
            .min(REPLAY_RECORDS);
        let page = reader
            .store()
            .read(head.log, Span::From(next), limit, REPLAY_BYTES)
            .await?;
        if page.is_empty() {
            return Err(StoreError::Corrupt {
                what: format!("record {next} is missing"),
            }
            .into());
        }
        let mut lines = Vec::with_capacity(page.iter().map(|record| record.line.len() + 1).sum());
        for record in &page {
            lines.extend_from_slice(&record.line);
            lines.push(b'\n');
        }
        next += page.len() as u64;
        written += lines.len() as u64;
        if written > head.bytes {
            return Err(ExportError::Miscounted {
                expected: head.bytes,
                found: written,
            });
        }
        sink.put(lines.into()).await?;
        progress(next, head.size);
    }
    if written != head.bytes {
        return Err(ExportError::Miscounted {
            expected: head.bytes,
            found: written,
        });
    }
    sink.end().await?;
    Ok(written)
}

async fn whole(
    sink: &mut dyn BundleSink,
    member: &Member,
    content: Bytes,
) -> Result<(), ExportError> {
    sink.begin(&member.to_string(), content.len() as u64)
        .await?;
    sink.put(content).await?;
    Ok(sink.end().await?)
}
