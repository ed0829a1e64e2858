//! A log's signer gets another key: first the key is durable, then the record that names it, under a checkpoint that both sign.
//!
//! A crash between the two leaves a key that nothing names. The record is the last of its batch, so its checkpoint covers it and
//! nothing after it; from the next batch on the new key signs alone.

use crate::error::SubmitError;
use crate::history::unusable;
use crate::ledger::Ledger;
use crate::log::Log;
use crate::seal::SealedRecord;
use crate::signer::{FileSigner, Signer};
use probity_governance::state::SignerTerm;
use probity_schemas::event::Event;
use probity_schemas::subject::Tenant;
use std::sync::Arc;

impl Ledger {
    /// Makes a key for a log that this node writes, durably, and gives its verifier key. It signs nothing before
    /// `Operation::RotateSigner` was recorded with it.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn next_signer(&self, tenant: &Tenant) -> Result<String, SubmitError> {
        let state = Arc::clone(&self.handle(tenant).await?.published.borrow());
        let log = state.directory.log.as_ref().ok_or(SubmitError::NoLog)?;
        let next = FileSigner::create_next(&self.0.config.keys, tenant, &log.origin);
        Ok(next.map_err(unusable)?.verifier_key().to_string())
    }

    /// The keys of a log's signer, the one in force last; none when there is no such log.
    ///
    /// # Errors
    /// [`crate::store::StoreError`].
    pub async fn signers(
        &self,
        tenant: &Tenant,
    ) -> Result<Vec<SignerTerm>, crate::store::StoreError> {
        let directory = self.directory(tenant).await?;
        Ok(directory.map_or_else(Vec::new, |directory| directory.signers.clone()))
    }
}

impl Log {
    /// Gets the key ready that a rotation names; it must be here, durable, before anything is said of it.
    pub(crate) fn take_up(&mut self, key: &str) -> Result<(), SubmitError> {
        let next = FileSigner::named(&self.keys, &self.tenant, key).map_err(unusable)?;
        let next = next.ok_or_else(|| SubmitError::ReadOnly {
            why: format!("this node does not hold the key {key}"),
        })?;
        self.next_signer = Some(Arc::new(next));
        Ok(())
    }

    /// Who signs a batch: the key in force, and with a rotation the one after it.
    pub(crate) fn signers_of(
        &self,
        records: &[SealedRecord],
    ) -> Result<Vec<&dyn Signer>, SubmitError> {
        let mut signers: Vec<&dyn Signer> = vec![&*self.signer];
        let places = records.iter().zip(1..);
        for (record, place) in places {
            let Event::SignerRotated(rotated) = &record.told.event else {
                continue;
            };
            let named = |next: &&Arc<dyn Signer>| {
                place == records.len() && next.verifier_key().to_string() == rotated.signer
            };
            let next = self.next_signer.as_ref().filter(named);
            let next = next.ok_or_else(|| SubmitError::Broken {
                why: "a new key is not ready, or is not named by the last of a batch".to_owned(),
            })?;
            signers.push(&**next);
        }
        Ok(signers)
    }

    /// A batch is durable: after a rotation the new key signs, and a snapshot under the old one is not believed any more.
    pub(crate) fn change_signer(&mut self, records: &[SealedRecord]) {
        let rotated = records.last().map(|record| &record.told.event);
        if let (Some(Event::SignerRotated(_)), Some(next)) = (rotated, self.next_signer.take()) {
            tracing::info!(log.tenant = %self.tenant, key.id = %next.verifier_key().id(), "the signer's key was rotated");
            self.signer = next;
            self.snapshot_size = 0;
        }
    }
}
