//! Uploads that fail on demand: a part or an end that is not done, or done and reported failed.

use async_trait::async_trait;

use super::{AppendFault, FaultyStore, failure, unpoisoned};
use crate::store::{
    AttachmentStore, KeptAttachment, Leftovers, LogNumber, NewUpload, StoreError, UploadNumber,
};

impl FaultyStore {
    /// What happens to the parts and ends of uploads from the next one on; those after the last one named reach the store.
    pub fn fail_uploads(&self, faults: impl IntoIterator<Item = AppendFault>) {
        *unpoisoned(&self.uploads) = faults.into_iter().collect();
    }

    async fn fail_upload(
        &self,
        call: impl Future<Output = Result<bool, StoreError>> + Send,
    ) -> Result<bool, StoreError> {
        let fault = unpoisoned(&self.uploads).pop_front();
        match fault.unwrap_or(AppendFault::None) {
            AppendFault::None => call.await,
            AppendFault::NotDone | AppendFault::NotDoneButUnknown => Err(failure()),
            AppendFault::DoneButUnknown => {
                call.await?;
                Err(failure())
            }
        }
    }
}

#[async_trait]
impl AttachmentStore for FaultyStore {
    async fn begin_upload(&self, new: &NewUpload<'_>) -> Result<Option<UploadNumber>, StoreError> {
        self.inner.begin_upload(new).await
    }

    async fn put_part(
        &self,
        upload: UploadNumber,
        part: u32,
        content: &[u8],
    ) -> Result<bool, StoreError> {
        self.fail_upload(self.inner.put_part(upload, part, content))
            .await
    }

    async fn finish_upload(&self, upload: UploadNumber) -> Result<bool, StoreError> {
        self.fail_upload(self.inner.finish_upload(upload)).await
    }

    async fn drop_upload(&self, upload: UploadNumber) -> Result<(), StoreError> {
        self.inner.drop_upload(upload).await
    }

    async fn renew_upload(
        &self,
        upload: UploadNumber,
        time_micros: i64,
    ) -> Result<bool, StoreError> {
        self.inner.renew_upload(upload, time_micros).await
    }

    async fn sweep_uploads(&self, leftovers: &Leftovers<'_>) -> Result<u64, StoreError> {
        self.inner.sweep_uploads(leftovers).await
    }

    async fn attachments(
        &self,
        log: LogNumber,
        names: &[String],
    ) -> Result<Vec<Option<KeptAttachment>>, StoreError> {
        self.inner.attachments(log, names).await
    }

    async fn attachment_erased(
        &self,
        log: LogNumber,
        blake3: &str,
    ) -> Result<Option<u64>, StoreError> {
        self.inner.attachment_erased(log, blake3).await
    }

    async fn overwrite_deleted(&self) -> Result<(), StoreError> {
        self.inner.overwrite_deleted().await
    }

    async fn attachment_part(
        &self,
        kept: &KeptAttachment,
        part: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.attachment_part(kept, part).await
    }

    async fn attachment_bytes(&self, kept: &KeptAttachment) -> Result<u64, StoreError> {
        self.inner.attachment_bytes(kept).await
    }

    async fn attachment_list(
        &self,
        log: LogNumber,
        records: u64,
        after: &str,
        limit: u32,
    ) -> Result<Vec<KeptAttachment>, StoreError> {
        self.inner.attachment_list(log, records, after, limit).await
    }
}
