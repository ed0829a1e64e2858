//! What the ledger asks of a database for content beside the records: uploads in parts, and reads part by part.
//!
//! A store does not know whether content has the hash that it is named by: who writes it has compared, and who reads it
//! compares again. Nothing is held whole in memory, but for a part.

use super::{LogNumber, StoreError};
use async_trait::async_trait;
use std::sync::Arc;

/// An upload's number inside one store; never given twice.
pub type UploadNumber = i64;

/// Content that came with the command whose record names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// BLAKE3, lower-case hexadecimal.
    pub blake3: String,
    /// The content.
    pub content: Arc<[u8]>,
}

/// What a record names and an append therefore needs to be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedAttachment {
    /// BLAKE3, lower-case hexadecimal.
    pub blake3: String,
    /// Its length.
    pub bytes: u64,
}

/// An attachment that is there, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAttachment {
    /// The log it belongs to.
    pub log: LogNumber,
    /// BLAKE3, lower-case hexadecimal.
    pub blake3: String,
    /// Its length, as it was said.
    pub bytes: u64,
    /// The upload that brought it; none when it came with a command.
    pub upload: Option<UploadNumber>,
}

/// An attachment that was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedAttachment {
    /// BLAKE3, lower-case hexadecimal.
    pub blake3: String,
    /// The record that says so.
    pub sequence: u64,
}

/// An upload that begins.
#[derive(Clone, Copy, Debug)]
pub struct NewUpload<'a> {
    /// The log it is for.
    pub log: LogNumber,
    /// BLAKE3, lower-case hexadecimal.
    pub blake3: &'a str,
    /// How many bytes it will have.
    pub bytes: u64,
    /// The node that takes it in.
    pub node: &'a str,
    /// Now, microseconds since the epoch.
    pub time_micros: i64,
    /// Bytes that all uploads of the log may have together.
    pub quota_bytes: u64,
}

/// Which uploads nobody needs any more.
#[derive(Clone, Copy, Debug)]
pub struct Leftovers<'a> {
    /// Those that are not whole and were taken in by this node: it has just started.
    pub node: Option<&'a str>,
    /// Those that are not whole and began before this time (microseconds since the epoch).
    pub unfinished_before_micros: i64,
    /// Those that are whole, and that no record has named since this time.
    pub unnamed_before_micros: i64,
}

/// Keeps content beside the records, each log's for itself.
///
/// Promises. After `put_part` and `finish_upload` answered, what they kept survives the loss of power. An upload is named by the
/// append that needs it, in the append's own transaction ([`super::Append::named`]); one that was named is
/// deleted by an append that erases it ([`super::Append::erased_attachments`]), and by nothing else. Dropping a call does not take back what it asked for.
#[async_trait]
pub trait AttachmentStore: Send + Sync + 'static {
    /// Begins an upload and counts its bytes; `None` when the log's uploads would then have more than the quota.
    async fn begin_upload(&self, new: &NewUpload<'_>) -> Result<Option<UploadNumber>, StoreError>;

    /// Keeps a part, durably; `false` when the upload is no more, or is whole.
    async fn put_part(
        &self,
        upload: UploadNumber,
        part: u32,
        content: &[u8],
    ) -> Result<bool, StoreError>;

    /// Makes the upload an attachment, durably; `false` when the upload is no more, lacks bytes, or the log has this content from
    /// another upload.
    async fn finish_upload(&self, upload: UploadNumber) -> Result<bool, StoreError>;

    /// Deletes an upload with its parts, unless it is whole.
    async fn drop_upload(&self, upload: UploadNumber) -> Result<(), StoreError>;

    /// Somebody means to name it: its time begins anew. `false` when it is no more.
    async fn renew_upload(
        &self,
        upload: UploadNumber,
        time_micros: i64,
    ) -> Result<bool, StoreError>;

    /// Deletes what nobody needs, at most 100 uploads; how many went.
    async fn sweep_uploads(&self, leftovers: &Leftovers<'_>) -> Result<u64, StoreError>;

    /// The attachment of each name, where it is there whole.
    async fn attachments(
        &self,
        log: LogNumber,
        names: &[String],
    ) -> Result<Vec<Option<KeptAttachment>>, StoreError>;

    /// The newest record that says that an attachment of this name was erased.
    async fn attachment_erased(
        &self,
        log: LogNumber,
        blake3: &str,
    ) -> Result<Option<u64>, StoreError>;

    /// Sees to it that nothing of erased attachments is in files of this store itself; nothing is done where nothing was erased since.
    /// What a database server keeps of deleted rows is its operator's to clear.
    async fn overwrite_deleted(&self) -> Result<(), StoreError>;

    /// A part of an attachment, from 0; `None` after the last one.
    async fn attachment_part(
        &self,
        kept: &KeptAttachment,
        part: u32,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// How many bytes of an attachment are there.
    async fn attachment_bytes(&self, kept: &KeptAttachment) -> Result<u64, StoreError>;

    /// The attachments that the first `records` records of a log name, in order of name, after a name, at most `limit`.
    async fn attachment_list(
        &self,
        log: LogNumber,
        records: u64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<KeptAttachment>, StoreError>;
}
