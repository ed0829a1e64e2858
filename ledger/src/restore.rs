//! Going on after a loss: a database that is behind its guard becomes another log, by a person's word.
//!
//! Whoever held a checkpoint of the lost records keeps the proof that there were some. The record names it, and from it on origin,
//! source and key name end in a generation.

use crate::error::SubmitError;
use crate::history::{signer_of, unusable};
use crate::ledger::Ledger;
use crate::load;
use crate::open::{assemble, record_own};
use crate::signer::Signer as _;
use probity_governance::command::Operation;
use probity_schemas::event::log::LogRestored;
use probity_schemas::subject::Tenant;
use std::sync::Arc;

impl Ledger {
    /// Accepts that the records between the database's and the guard's are lost, and goes on under the next origin; gives
    /// the new verifier key.
    ///
    /// # Errors
    /// [`SubmitError::ReadOnly`] when there is nothing to accept.
    pub async fn accept_loss(&self, tenant: &Tenant) -> Result<String, SubmitError> {
        let inner = &self.0;
        let _one_at_a_time = inner.opening.lock().await;
        let nothing = |why: &str| SubmitError::ReadOnly {
            why: why.to_owned(),
        };
        let claimed = inner.store.claim(tenant, &inner.lease.node()).await?;
        let head = claimed.ok_or(SubmitError::NoOwner {
            retry_after_seconds: 1,
        })?;
        let keys = &inner.config.keys;
        let old = signer_of(&*inner.store, keys, &head).await?;
        let old = old.ok_or_else(|| nothing("this node does not hold the log's key"))?;
        if inner.guard.check(&*inner.store, &head).await.is_ok() {
            return Err(nothing(
                "the database holds all that was signed: there is nothing to accept",
            ));
        }
        let kept = inner.guard.newest(tenant);
        let (lost, _) = kept
            .ok()
            .flatten()
            .ok_or_else(|| nothing("the guard holds no checkpoint"))?;
        let mut loaded = load::load(&*inner.store, &head, Some(&old)).await?;
        let previous_origin = loaded.tip.origin.clone();
        let origin = next_origin(&previous_origin);
        let new = old.rename(keys, tenant, &origin).map_err(unusable)?;
        let restored = LogRestored {
            lost_checkpoint: lost,
            origin: origin.clone(),
            previous_origin,
            root: head.range.root(),
            signer: new.verifier_key().to_string(),
            size: head.range.size(),
        };
        loaded.tip.origin = origin;
        let key = new.verifier_key().clone();
        let mut log = assemble(inner, tenant, head, loaded, Arc::new(new));
        record_own(&mut log, Operation::RestoreLog(Box::new(restored))).await?;
        let written = inner.guard.write(tenant, &log.head.checkpoint);
        written.map_err(|error| SubmitError::ReadOnly {
            why: error.to_string(),
        })?;
        Ok(key.to_string())
    }
}

/// The origin of the next generation: `name/tenant` becomes `name/tenant/2`, then `/3`.
fn next_origin(origin: &str) -> String {
    let mut parts = origin.splitn(3, '/');
    let (name, tenant) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let generation: u64 = parts.next().and_then(|part| part.parse().ok()).unwrap_or(1);
    format!("{name}/{tenant}/{}", generation + 1)
}

#[cfg(test)]
mod tests {
    use super::next_origin;

    #[test]
    fn generations_count_up() {
        assert_eq!(next_origin("ledger.example/acme"), "ledger.example/acme/2");
        assert_eq!(
            next_origin("ledger.example/acme/2"),
            "ledger.example/acme/3"
        );
    }
}
