//! What others read of a log's tree: tiles, entry bundles, consistency proofs. Tiles that are not kept are made from the records, so a
//! reader sees no difference. Nothing here needs the log's writer, and nobody is asked for a right: the edge does that.

use crate::ledger::Ledger;
use crate::proof;
use crate::reader::checked;
use crate::store::{Head, Span, StoreError};
use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use probity_schemas::tile::{TileContent, TilePath, push_entry};

impl Ledger {
    /// The bytes of a tile of hashes or of an entry bundle; `None` when the log does not reach that far.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tile(
        &self,
        tenant: &Tenant,
        path: &TilePath,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(head) = self.0.store.head(tenant).await? else {
            return Ok(None);
        };
        let (Some(first), true) = (path.first(), path.is_within(head.range.size())) else {
            return Ok(None);
        };
        match path.content {
            TileContent::Hashes { level } => {
                let hashes =
                    proof::level_hashes(&*self.0.store, head.log, level, first, path.width.into());
                let hashes = hashes.await?;
                Ok(Some(hashes.iter().flat_map(|hash| hash.0).collect()))
            }
            TileContent::Entries => self.entries(&head, first, path.width).await.map(Some),
        }
    }

    /// The consistency proof between two sizes of a log; `None` when it does not have that many records, or the older size is the larger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consistency(
        &self,
        tenant: &Tenant,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<Hash>>, StoreError> {
        match self.0.store.head(tenant).await? {
            Some(head) => proof::consistency(&*self.0.store, &head, from, to).await,
            None => Ok(None),
        }
    }

    /// The lines from `first` on, each behind its length.
    async fn entries(&self, head: &Head, first: u64, count: u16) -> Result<Vec<u8>, StoreError> {
        let span = Span::From(first);
        let store = &*self.0.store;
        let records = checked(store, head.log, span, count.into(), usize::MAX).await?;
        let mut bundle = Vec::new();
        let whole = records
            .iter()
            .all(|record| push_entry(&mut bundle, &record.line));
        if whole && records.len() == usize::from(count) {
            Ok(bundle)
        } else {
            Err(StoreError::Corrupt {
                what: format!("of {count} records from {first} on some are missing or too long"),
            })
        }
    }
}
