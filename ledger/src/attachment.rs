//! Reading an attachment: part by part, compared with its name on the way.
//!
//! The last part is held back until the whole has the hash it is named by: whoever gets all the bytes got the right ones.

use crate::reader::Reader;
use crate::store::{KeptAttachment, LogNumber, Store, StoreError};
use bytes::Bytes;
use std::sync::Arc;

/// An attachment that is being read.
pub struct AttachmentReader {
    store: Arc<dyn Store>,
    kept: KeptAttachment,
    hasher: blake3::Hasher,
    read: u64,
    next_part: u32,
    held: Option<Bytes>,
    is_over: bool,
}

impl Reader {
    /// An attachment by its BLAKE3 name; `None` when the log has none of that name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attachment(
        &self,
        log: LogNumber,
        blake3: &str,
    ) -> Result<Option<AttachmentReader>, StoreError> {
        let found = self.store().attachments(log, &[blake3.to_owned()]).await?;
        let kept = found.into_iter().flatten().next();
        Ok(kept.map(|kept| AttachmentReader {
            store: self.shared_store(),
            kept,
            hasher: blake3::Hasher::new(),
            read: 0,
            next_part: 0,
            held: None,
            is_over: false,
        }))
    }
}

impl Reader {
    /// The record that says that an attachment of this name was erased; for one that is not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attachment_erased(
        &self,
        log: LogNumber,
        blake3: &str,
    ) -> Result<Option<u64>, StoreError> {
        self.store().attachment_erased(log, blake3).await
    }
}

impl AttachmentReader {
    /// How many bytes it has.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.kept.bytes
    }

    /// The next bytes; `None` when all were given.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where the store holds other bytes than the name says; the last of them are not given then.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while !self.is_over {
            let part = self.next_part;
            let content = self.store.attachment_part(&self.kept, part).await?;
            let Some(content) = content else {
                self.is_over = true;
                self.check()?;
                break;
            };
            self.hasher.update(&content);
            self.read += content.len() as u64;
            self.next_part += 1;
            if let Some(before) = self.held.replace(content.into()) {
                return Ok(Some(before));
            }
        }
        Ok(self.held.take())
    }

    fn check(&mut self) -> Result<(), StoreError> {
        let found = self.hasher.finalize().to_hex();
        if self.read == self.kept.bytes && found.as_str() == self.kept.blake3 {
            return Ok(());
        }
        self.held = None;
        metrics::counter!("probity_attachments_corrupt_total").increment(1);
        Err(StoreError::Corrupt {
            what: format!("attachment {} has other content", self.kept.blake3),
        })
    }
}
