//! The state of logs that another node writes, folded from the store: for authentication and for reading.
//!
//! Brought up to date at every look; never used to append.

use crate::history::signer_of;
use crate::ledger::{Inner, Published};
use crate::load::{self, Loaded};
use crate::signer::Signer;
use crate::store::StoreError;
use probity_schemas::subject::Tenant;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// States of logs that are read here and written elsewhere.
#[derive(Default)]
pub(crate) struct Replicas(Mutex<HashMap<Tenant, Loaded>>);

impl Replicas {
    /// The log's state as of now; `None` when there is no such log.
    pub(crate) async fn get(
        &self,
        inner: &Inner,
        tenant: &Tenant,
    ) -> Result<Option<Arc<Published>>, StoreError> {
        let Some(head) = inner
            .store
            .head(tenant)
            .await?
            .filter(|head| head.range.size() > 0)
        else {
            return Ok(None);
        };
        let mut states = self.0.lock().await;
        let loaded = match states.remove(tenant) {
            Some(mut loaded) if loaded.tip.range.size() <= head.range.size() => {
                load::catch_up(&*inner.store, &head, &mut loaded).await?;
                loaded
            }
            _ => {
                let signer = signer_of(&*inner.store, &inner.config.keys, &head).await;
                let signer = signer.ok().flatten();
                let signer = signer.as_ref().map(|signer| signer as &dyn Signer);
                load::load(&*inner.store, &head, signer).await?
            }
        };
        let published = Published::of(&head, &loaded.state);
        states.insert(tenant.clone(), loaded);
        Ok(Some(Arc::new(published)))
    }
}
