//! The trait that SQLite and PostgreSQL stand behind, over a node's link. Each call is one line; what it does is `database.rs`'s, what goes
//! wrong with it `link.rs`'s.

use crate::link::Link;
use async_trait::async_trait;
use probity_ledger::store::{
    Append, AppendError, AttachmentStore, Head, IdempotencyRow, KeptAttachment, KeptCosignature,
    KeptTimestamp, Leftovers, LogNumber, NewUpload, Owner, PersonToken, SealedDisclosure, Span,
    Store, StoreError, StoredRecord, SubjectEntry, UploadNumber,
};
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use std::ops::Range;

#[async_trait]
impl Store for Link {
    fn durability(&self) -> String {
        "simulated".to_owned()
    }

    async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.ask("heads", |all| all.heads()).await
    }

    async fn head(&self, tenant: &Tenant) -> Result<Option<Head>, StoreError> {
        self.ask("head", |all| all.head(tenant)).await
    }

    async fn create(&self, tenant: &Tenant) -> Result<Head, StoreError> {
        let tenant = tenant.clone();
        let made = self.tell("create", move |all| all.create(&tenant)).await;
        Ok(made?)
    }

    async fn append(&self, append: Append) -> Result<(), AppendError> {
        self.send(append).await
    }

    async fn read(
        &self,
        log: LogNumber,
        span: Span<'_>,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let read = self.ask_log("read", log, |log| log.read(span, limit, bytes_max));
        read.await
    }

    async fn leaves(
        &self,
        log: LogNumber,
        first: u64,
        count: u32,
    ) -> Result<Vec<Hash>, StoreError> {
        let leaves = self.ask_log("leaves", log, |log| log.leaves(first, count));
        leaves.await
    }

    async fn subject_heads(
        &self,
        log: LogNumber,
        subjects: &[String],
    ) -> Result<Vec<Option<(u64, Hash)>>, StoreError> {
        let heads = self.ask_log("subject_heads", log, |log| {
            subjects
                .iter()
                .map(|subject| log.subject_head(subject))
                .collect()
        });
        heads.await
    }

    async fn subjects(
        &self,
        log: LogNumber,
        records: Range<u64>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<SubjectEntry>, StoreError> {
        let subjects = self.ask_log("subjects", log, |log| log.subjects(&records, after, limit));
        subjects.await
    }

    async fn aliases(
        &self,
        log: LogNumber,
        aliases: &[String],
    ) -> Result<Vec<Option<String>>, StoreError> {
        let found = self.ask_log("aliases", log, |log| {
            aliases.iter().map(|alias| log.alias(alias)).collect()
        });
        found.await
    }

    async fn idempotency(
        &self,
        log: LogNumber,
        keys: &[String],
    ) -> Result<Vec<Option<IdempotencyRow>>, StoreError> {
        let found = self.ask_log("idempotency", log, |log| {
            keys.iter().map(|key| log.key(key)).collect()
        });
        found.await
    }

    async fn forget_idempotency(&self, _: i64) -> Result<u64, StoreError> {
        // No run lasts for days.
        self.ask("forget_idempotency", |_| 0).await
    }

    async fn disclosures(
        &self,
        _: LogNumber,
        _: Option<(u64, u32)>,
        _: u64,
        _: u32,
    ) -> Result<Vec<SealedDisclosure>, StoreError> {
        self.ask("disclosures", |_| Vec::new()).await
    }

    async fn disclosures_of(&self, _: LogNumber, _: PersonToken) -> Result<u64, StoreError> {
        self.ask("disclosures_of", |_| 0).await
    }

    async fn erased(&self, _: PersonToken, _: u32) -> Result<Vec<PersonToken>, StoreError> {
        self.ask("erased", |_| Vec::new()).await
    }

    async fn put_cosignature(&self, _: LogNumber, _: &KeptCosignature) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly)
    }

    async fn newest_cosignatures(
        &self,
        _: LogNumber,
        _: &str,
        _: u32,
    ) -> Result<Vec<KeptCosignature>, StoreError> {
        self.ask("newest_cosignatures", |_| Vec::new()).await
    }

    async fn put_timestamp(&self, _: LogNumber, _: &KeptTimestamp) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly)
    }

    async fn timestamps_before(
        &self,
        _: LogNumber,
        _: &str,
        _: u64,
        _: u32,
    ) -> Result<Vec<KeptTimestamp>, StoreError> {
        self.ask("timestamps_before", |_| Vec::new()).await
    }

    async fn kept_checkpoints(
        &self,
        log: LogNumber,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        let kept = self.ask_log("kept_checkpoints", log, |log| {
            let later = log.checkpoints.range(after + 1..);
            let later = later.map(|(size, note)| (*size, note.clone()));
            later.take(limit as usize).collect()
        });
        kept.await
    }

    async fn put_snapshot(&self, log: LogNumber, _: u64, content: &[u8]) -> Result<(), StoreError> {
        let content = content.to_vec();
        let put = self.tell("put_snapshot", move |all| {
            all.log_mut(log).snapshot = Some(content);
        });
        Ok(put.await?)
    }

    async fn snapshot(&self, log: LogNumber) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask_log("snapshot", log, |log| log.snapshot.clone())
            .await
    }

    async fn put_tiles(
        &self,
        log: LogNumber,
        tiles: &[(u8, u64, Vec<u8>)],
    ) -> Result<(), StoreError> {
        let tiles = tiles.to_vec();
        let put = self.tell("put_tiles", move |all| {
            for (level, index, hashes) in tiles {
                let place = all.log_mut(log).tiles.entry((level, index));
                place.or_insert(hashes);
            }
        });
        Ok(put.await?)
    }

    async fn tiles(
        &self,
        log: LogNumber,
        wanted: &[(u8, u64)],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let found = self.ask_log("tiles", log, |log| {
            wanted
                .iter()
                .map(|place| log.tiles.get(place).cloned())
                .collect()
        });
        found.await
    }

    async fn tile_count(&self, log: LogNumber, level: u8) -> Result<u64, StoreError> {
        let count = self.ask_log("tile_count", log, |log| log.tile_count(level));
        count.await
    }

    async fn renew(&self, node: &str, address: &str, seconds: u32) -> Result<bool, StoreError> {
        let (node, address) = (node.to_owned(), address.to_owned());
        let renewed = self.tell("renew", move |all| all.renew(&node, &address, seconds));
        Ok(renewed.await?)
    }

    async fn rejoin(&self, node: &str, address: &str, seconds: u32) -> Result<(), StoreError> {
        let (node, address) = (node.to_owned(), address.to_owned());
        let begun = self.tell("rejoin", move |all| all.rejoin(&node, &address, seconds));
        Ok(begun.await?)
    }

    async fn claim(&self, tenant: &Tenant, node: &str) -> Result<Option<Head>, StoreError> {
        let (tenant, node) = (tenant.clone(), node.to_owned());
        let claimed = self.tell("claim", move |all| all.claim(&tenant, &node));
        Ok(claimed.await?)
    }

    async fn release(&self, node: &str) -> Result<(), StoreError> {
        let node = node.to_owned();
        Ok(self.tell("release", move |all| all.release(&node)).await?)
    }

    async fn owner(&self, tenant: &Tenant) -> Result<Option<Owner>, StoreError> {
        self.ask("owner", |all| all.owner(tenant)).await
    }

    async fn close(&self) {}
}

/// Nobody brings an attachment here: what would keep one is refused.
#[async_trait]
impl AttachmentStore for Link {
    async fn begin_upload(&self, _: &NewUpload<'_>) -> Result<Option<UploadNumber>, StoreError> {
        Err(StoreError::ReadOnly)
    }

    async fn put_part(&self, _: UploadNumber, _: u32, _: &[u8]) -> Result<bool, StoreError> {
        Err(StoreError::ReadOnly)
    }

    async fn finish_upload(&self, _: UploadNumber) -> Result<bool, StoreError> {
        Err(StoreError::ReadOnly)
    }

    async fn drop_upload(&self, _: UploadNumber) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly)
    }

    async fn renew_upload(&self, _: UploadNumber, _: i64) -> Result<bool, StoreError> {
        Err(StoreError::ReadOnly)
    }

    async fn sweep_uploads(&self, _: &Leftovers<'_>) -> Result<u64, StoreError> {
        self.ask("sweep_uploads", |_| 0).await
    }

    async fn attachments(
        &self,
        _: LogNumber,
        names: &[String],
    ) -> Result<Vec<Option<KeptAttachment>>, StoreError> {
        self.ask("attachments", |_| vec![None; names.len()]).await
    }

    async fn attachment_erased(&self, _: LogNumber, _: &str) -> Result<Option<u64>, StoreError> {
        self.ask("attachment_erased", |_| None).await
    }

    async fn overwrite_deleted(&self) -> Result<(), StoreError> {
        self.ask("overwrite_deleted", |_| ()).await
    }

    async fn attachment_part(
        &self,
        _: &KeptAttachment,
        _: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask("attachment_part", |_| None).await
    }

    async fn attachment_bytes(&self, _: &KeptAttachment) -> Result<u64, StoreError> {
        self.ask("attachment_bytes", |_| 0).await
    }

    async fn attachment_list(
        &self,
        _: LogNumber,
        _: u64,
        _: &str,
        _: u32,
    ) -> Result<Vec<KeptAttachment>, StoreError> {
        self.ask("attachment_list", |_| Vec::new()).await
    }
}
