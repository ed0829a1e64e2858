//! Content that comes before the record that names it: taken in piece by piece, hashed on the way, kept in parts.
//!
//! No writer is needed, so any node takes an upload in. What is not finished is deleted: at once where the caller can be told, when the
//! node starts again after a crash. What no record names goes after [`ATTACHMENT_ORPHAN_HOURS`].

use crate::ledger::{Inner, Ledger};
use crate::limits::{
    ATTACHMENT_ORPHAN_HOURS, ATTACHMENT_PART_BYTES, UPLOAD_HOURS_MAX, UPLOADS_MAX,
};
use crate::store::{
    KeptAttachment, Leftovers, LogNumber, NewUpload, Store, StoreError, UploadNumber,
};
use probity_schemas::subject::Tenant;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::OwnedSemaphorePermit;

/// Why content was not taken in.
#[derive(Debug, Error)]
pub enum UploadError {
    /// The tenant has no log.
    #[error("there is no such log")]
    NoLog,
    /// This node takes as much in as it can.
    #[error("more than {UPLOADS_MAX} uploads at once: try again in a moment")]
    Busy,
    /// The log's uploads would have more bytes than they may.
    #[error("the log's uploads may have {quota_bytes} bytes together, and this one does not fit")]
    Quota {
        /// How many they may have.
        quota_bytes: u64,
    },
    /// The body has another length than was said.
    #[error("the body has not the {expected} bytes that were announced")]
    Length {
        /// What was said.
        expected: u64,
    },
    /// The body is other content.
    #[error("the body has the BLAKE3 hash {found}, not the one it is named by")]
    Differs {
        /// Its hash.
        found: String,
    },
    /// The upload was given up, e.g. because it took too long.
    #[error("the upload was given up: send it again")]
    Gone,
    /// The store failed; the same upload may be sent again.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// It is kept now.
    Kept,
    /// The log had this content before; nothing was written.
    KnownBefore,
}

/// An upload under way. Dropping it takes it back.
pub struct Upload {
    store: Arc<dyn Store>,
    log: LogNumber,
    /// None where the log has the content: then it is only compared.
    number: Option<UploadNumber>,
    blake3: String,
    bytes: u64,
    received: u64,
    hasher: blake3::Hasher,
    next_part: u32,
    part: Vec<u8>,
    _place: OwnedSemaphorePermit,
}

impl Ledger {
    /// Begins to take content in.
    ///
    /// # Errors
    /// [`UploadError`].
    pub async fn begin_upload(
        &self,
        tenant: &Tenant,
        blake3: &str,
        bytes: u64,
        quota_bytes: u64,
    ) -> Result<Upload, UploadError> {
        let place = Arc::clone(&self.0.uploads).try_acquire_owned();
        let place = place.map_err(|_| UploadError::Busy)?;
        let store = &self.0.store;
        let head = store.head(tenant).await?.ok_or(UploadError::NoLog)?;
        let time_micros = self.0.clock.now().micros();
        let number = if is_kept(&**store, head.log, blake3, time_micros).await? {
            None
        } else {
            let new = NewUpload {
                log: head.log,
                blake3,
                bytes,
                node: &self.0.lease.node(),
                time_micros,
                quota_bytes,
            };
            let begun = store.begin_upload(&new).await?;
            Some(begun.ok_or(UploadError::Quota { quota_bytes })?)
        };
        Ok(Upload {
            store: Arc::clone(store),
            log: head.log,
            number,
            blake3: blake3.to_owned(),
            bytes,
            received: 0,
            hasher: blake3::Hasher::new(),
            next_part: 0,
            part: Vec::new(),
            _place: place,
        })
    }
}

/// Whether the log has the content; if it was uploaded, its time begins anew.
async fn is_kept(
    store: &dyn Store,
    log: LogNumber,
    blake3: &str,
    time_micros: i64,
) -> Result<bool, StoreError> {
    let found = store.attachments(log, &[blake3.to_owned()]).await?;
    match found.into_iter().flatten().next() {
        None => Ok(false),
        Some(KeptAttachment { upload: None, .. }) => Ok(true),
        Some(KeptAttachment {
            upload: Some(upload),
            ..
        }) => store.renew_upload(upload, time_micros).await,
    }
}

impl Upload {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`UploadError`]; nothing is kept then.
    pub async fn put(&mut self, mut piece: &[u8]) -> Result<(), UploadError> {
        self.received += piece.len() as u64;
        if self.received > self.bytes {
            self.take_back().await;
            return Err(self.wrong_length());
        }
        self.hasher.update(piece);
        while self.number.is_some() && !piece.is_empty() {
            let room = ATTACHMENT_PART_BYTES - self.part.len();
            let (now, later) = piece.split_at(room.min(piece.len()));
            self.part.extend_from_slice(now);
            piece = later;
            if self.part.len() == ATTACHMENT_PART_BYTES {
                self.keep_part().await?;
            }
        }
        Ok(())
    }

    /// The body is at its end: it is kept if it is what it is named by.
    ///
    /// # Errors
    /// [`UploadError`]; nothing is kept then, unless it is [`UploadError::Store`]: the same upload, sent again, tells.
    pub async fn finish(mut self) -> Result<Uploaded, UploadError> {
        if self.received != self.bytes {
            self.take_back().await;
            return Err(self.wrong_length());
        }
        let found = self.hasher.finalize().to_hex();
        if found.as_str() != self.blake3 {
            let found = found.to_string();
            self.take_back().await;
            return Err(UploadError::Differs { found });
        }
        if !self.part.is_empty() {
            self.keep_part().await?;
        }
        let Some(number) = self.number else {
            return Ok(Uploaded::KnownBefore);
        };
        if self.store.finish_upload(number).await? {
            self.number = None;
            metrics::counter!("probity_attachments_uploaded_total").increment(1);
            metrics::counter!("probity_attachment_bytes_uploaded_total").increment(self.bytes);
            return Ok(Uploaded::Kept);
        }
        let found = self
            .store
            .attachments(self.log, std::slice::from_ref(&self.blake3))
            .await?;
        match found.first() {
            Some(Some(_)) => Ok(Uploaded::KnownBefore),
            _ => Err(UploadError::Gone),
        }
    }

    /// Deletes what came, before the caller is told; what fails here is tried again when the upload is dropped.
    async fn take_back(&mut self) {
        let Some(number) = self.number else { return };
        if self.store.drop_upload(number).await.is_ok() {
            self.number = None;
        }
    }

    const fn wrong_length(&self) -> UploadError {
        UploadError::Length {
            expected: self.bytes,
        }
    }

    async fn keep_part(&mut self) -> Result<(), UploadError> {
        let Some(number) = self.number else {
            return Ok(());
        };
        let kept = self
            .store
            .put_part(number, self.next_part, &self.part)
            .await?;
        if !kept {
            return Err(UploadError::Gone);
        }
        self.next_part += 1;
        self.part.clear();
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(number) = self.number.take() else {
            return;
        };
        // Outside a runtime the next start deletes it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let store = Arc::clone(&self.store);
        runtime.spawn(async move {
            if let Err(error) = store.drop_upload(number).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "an upload was not deleted at once"
                );
            }
        });
    }
}

/// Deletes what nobody needs; all that this node did not finish where it has just started.
pub(crate) async fn sweep(inner: &Inner, node: Option<&str>) {
    let now = inner.clock.now();
    let hours_ago = |hours: i64| now.plus_seconds(-hours * 3600).micros();
    let leftovers = Leftovers {
        node,
        unfinished_before_micros: hours_ago(UPLOAD_HOURS_MAX),
        unnamed_before_micros: hours_ago(ATTACHMENT_ORPHAN_HOURS),
    };
    match inner.store.sweep_uploads(&leftovers).await {
        Ok(0) => {}
        Ok(uploads) => {
            metrics::counter!("probity_attachments_swept_total").increment(uploads);
            tracing::info!(uploads, "uploads that nobody needs were deleted");
        }
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "uploads that nobody needs were not deleted"
        ),
    }
}
