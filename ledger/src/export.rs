//! Writing a log's bundle: streamed, in bounded memory, from one moment of the log.
//!
//! The log's row is read once; what is appended afterwards is left out. The row knows how many bytes the lines have, so that a tar header
//! can be written before the lines. Nothing is signed here and no key is needed.

use crate::cosigned::Witnessed;
use crate::guard::{Guard, GuardError};
use crate::limits::{REPLAY_BYTES, REPLAY_RECORDS};
use crate::reader::{LogHead, Reader};
use crate::signer::{FileSigner, KeyError, Signer as _};
use crate::store::{Span, StoreError};
use async_trait::async_trait;
use bytes::Bytes;
use probity_schemas::bundle::{BundleManifest, FORMAT, Member};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::Event;
use probity_schemas::note::Note;
use probity_schemas::subject::Tenant;
use std::path::{Path, PathBuf};
use thiserror::Error;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

/// Name and version of this program, for the manifest.
const TOOL: &str = concat!("probity ", env!("CARGO_PKG_VERSION"));

/// Attachments listed at once.
const ATTACHMENTS_A_PAGE: u32 = 500;

/// Why there is no bundle.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The tenant has no log, or an empty one.
    #[error("there is no such log, or it has no record")]
    NoLog,
    /// The store failed.
    #[error("the log could not be read")]
    Store(#[from] StoreError),
    /// The log's key cannot be used.
    #[error("the log's key cannot be used")]
    Key(#[from] KeyError),
    /// The guard could not be written, or is at odds with the log.
    #[error("the log's checkpoint could not be kept in the guard")]
    Guard(#[from] GuardError),
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
    /// Bytes of their lines, line feeds included.
    pub bytes: u64,
    /// How many attachments.
    pub attachments: u64,
    /// How far it is witnessed.
    pub witnessed: Witnessed,
}

/// Where a bundle ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the log's newest record.
    Newest,
    /// At the newest checkpoint that witnesses cosigned; at the newest record where there is none.
    Cosigned,
}

/// Where a bundle goes: members one after the other, each with its size said first.
#[async_trait]
pub trait BundleSink: Send {
    /// Begins a member.
    async fn begin(&mut self, path: &str, bytes: u64) -> std::io::Result<()>;

    /// The next bytes of the member.
    async fn put(&mut self, bytes: Bytes) -> std::io::Result<()>;

    /// Ends the member.
    async fn end(&mut self) -> std::io::Result<()>;

    /// Ends the bundle; it is durable where the sink can make it so.
    async fn finish(&mut self) -> std::io::Result<()>;
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
    end: End,
    sink: &mut dyn BundleSink,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<ExportSummary, ExportError> {
    let (head, witnessed) = head_at(reader, tenant, end).await?;
    let note = Note::parse(&head.checkpoint).map_err(|_| ExportError::Checkpoint)?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|_| ExportError::Checkpoint)?;
    if let Some(signer) = FileSigner::load(keys, tenant)? {
        Guard::beside(keys).keep(tenant, &head.checkpoint, signer.verifier_key())?;
    }
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
    let bytes = records(reader, &head, sink, progress).await?;
    let attachments = attachments(reader, &head, sink).await?;
    let mut schemas = Event::schemas();
    schemas.sort_by_key(|(name, _)| *name);
    for (name, schema) in schemas {
        whole(
            sink,
            &Member::Schema(name.to_owned()),
            serde_json::to_vec(&schema)?.into(),
        )
        .await?;
    }
    sink.finish().await?;
    Ok(ExportSummary {
        origin: checkpoint.origin,
        count: head.size,
        bytes,
        attachments,
        witnessed,
    })
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

async fn attachments(
    reader: &Reader,
    head: &LogHead,
    sink: &mut dyn BundleSink,
) -> Result<u64, ExportError> {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let page = reader
            .store()
            .attachment_list(head.log, head.size, &after, ATTACHMENTS_A_PAGE)
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(count);
        };
        after.clone_from(last);
        for (name, _) in page {
            if let Some(attachment) = reader.attachment(head.log, &name).await? {
                let content = Bytes::copy_from_slice(&attachment.content);
                whole(sink, &Member::Attachment(name), content).await?;
                count += 1;
            }
        }
    }
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

/// A bundle as a tar archive, to a file, a pipe or a response.
pub struct TarSink<W> {
    to: W,
    padding: usize,
}

impl<W: AsyncWrite + Send + Unpin> TarSink<W> {
    /// Writes to this.
    pub const fn new(to: W) -> Self {
        Self { to, padding: 0 }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

/// A tar is made of blocks of this many bytes.
const TAR_BLOCK_BYTES: u64 = 512;

#[async_trait]
impl<W: AsyncWrite + Send + Unpin> BundleSink for TarSink<W> {
    async fn begin(&mut self, path: &str, bytes: u64) -> std::io::Result<()> {
        let mut header = tar::Header::new_ustar();
        header.set_path(path)?;
        header.set_size(bytes);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        let padding = (TAR_BLOCK_BYTES - bytes % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES;
        self.padding = usize::try_from(padding).unwrap_or(0);
        self.to.write_all(header.as_bytes()).await
    }

    async fn put(&mut self, bytes: Bytes) -> std::io::Result<()> {
        self.to.write_all(&bytes).await
    }

    async fn end(&mut self) -> std::io::Result<()> {
        let zeros = [0u8; 512];
        self.to
            .write_all(zeros.get(..self.padding).unwrap_or_default())
            .await
    }

    async fn finish(&mut self) -> std::io::Result<()> {
        self.to.write_all(&[0u8; 1024]).await?;
        self.to.flush().await
    }
}

/// A bundle as a directory, which must not exist yet.
pub struct DirectorySink {
    root: PathBuf,
    member: Option<tokio::fs::File>,
}

impl DirectorySink {
    /// Makes the directory.
    ///
    /// # Errors
    /// When it exists, or cannot be made.
    pub fn create(root: &Path) -> std::io::Result<Self> {
        std::fs::create_dir(root)?;
        Ok(Self {
            root: root.to_owned(),
            member: None,
        })
    }
}

#[async_trait]
impl BundleSink for DirectorySink {
    async fn begin(&mut self, path: &str, _: u64) -> std::io::Result<()> {
        let path = self.root.join(path);
        if let Some(parent) = path.parent() {
            tokio::fs::create_dir_all(parent).await?;
        }
        self.member = Some(tokio::fs::File::create_new(&path).await?);
        Ok(())
    }

    async fn put(&mut self, bytes: Bytes) -> std::io::Result<()> {
        match &mut self.member {
            Some(file) => file.write_all(&bytes).await,
            None => Err(std::io::Error::other("no member was begun")),
        }
    }

    async fn end(&mut self) -> std::io::Result<()> {
        match self.member.take() {
            Some(file) => file.sync_all().await,
            None => Ok(()),
        }
    }

    async fn finish(&mut self) -> std::io::Result<()> {
        tokio::fs::File::open(&self.root).await?.sync_all().await
    }
}
