//! Which key signs a log: the one that its records name last. Key files are only looked up by what is named here.
//!
//! The records are read before they are checked, so what they name is believed only once the state that they come to says the
//! same ([`load_signed`]).

use crate::cosigned::origin_of;
use crate::error::SubmitError;
use crate::limits::{REPLAY_BYTES, REPLAY_RECORDS};
use crate::load::{self, Loaded};
use crate::reader::{Reader, opening};
use crate::signer::{FileSigner, KeyError, Signer};
use crate::store::{Head, Span, Store, StoreError};
use probity_governance::state::SignerTerm;
use probity_schemas::event::Event;
use probity_schemas::record::Record;
use probity_schemas::subject::Tenant;
use std::path::Path;
use std::sync::Arc;

impl Reader {
    /// The signer's keys of a tenant's log, the one in force last, as the store has them; none without a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signers(&self, tenant: &Tenant) -> Result<Vec<SignerTerm>, StoreError> {
        let head = self.store().head(tenant).await?;
        match head.filter(|head| head.range.size() > 0) {
            Some(head) => history(self.store(), &head).await,
            None => Ok(Vec::new()),
        }
    }
}

/// The signer's keys as the records of a log name them, the one in force last. The log has records.
pub(crate) async fn history(store: &dyn Store, head: &Head) -> Result<Vec<SignerTerm>, StoreError> {
    let opened = opening(store, head.log).await?;
    let mut events = vec![(0, Event::from(opened.clone()))];
    events.extend(stream(store, head, &format!("signer/{}", opened.log_id)).await?);
    // A restoration changes the origin; where there was none, the long stream of the log's own is not read.
    if origin_of(&head.checkpoint)? != opened.origin {
        events.extend(stream(store, head, &format!("log/{}", opened.log_id)).await?);
        events.sort_by_key(|(sequence, _)| *sequence);
        events.dedup_by_key(|(sequence, _)| *sequence);
    }
    let mut terms: Vec<SignerTerm> = Vec::new();
    for (sequence, event) in events {
        let key = match event {
            Event::LogOpened(opened) => opened.signer,
            Event::LogRestored(restored) => restored.signer,
            Event::SignerRotated(rotated) => rotated.signer,
            Event::SignerCompromised(compromised) => {
                let term = terms.iter_mut().find(|term| term.key == compromised.key);
                if let Some(term) = term {
                    term.last_trusted_size = Some(compromised.last_trusted_size);
                }
                continue;
            }
            _ => continue,
        };
        terms.push(SignerTerm {
            key,
            last_trusted_size: None,
            sequence,
        });
    }
    Ok(terms)
}

/// The events of a subject.
async fn stream(
    store: &dyn Store,
    head: &Head,
    subject: &str,
) -> Result<Vec<(u64, Event)>, StoreError> {
    let (mut events, mut revision) = (Vec::new(), 0);
    loop {
        let span = Span::Subject(subject, revision);
        let page = store
            .read(head.log, span, REPLAY_RECORDS, REPLAY_BYTES)
            .await?;
        if page.is_empty() {
            return Ok(events);
        }
        revision += page.len() as u64;
        let known = page
            .iter()
            .filter(|stored| stored.sequence < head.range.size());
        for stored in known {
            let event = Record::parse_canonical(&stored.line).and_then(|record| record.event());
            let event = event.map_err(|error| StoreError::Corrupt {
                what: format!("record {}: {error}", stored.sequence),
            })?;
            events.push((stored.sequence, event));
        }
    }
}

/// The key in force of a log that has records; `None` where this node does not hold it.
///
/// # Errors
/// [`SubmitError::ReadOnly`] for a key that cannot be used.
pub(crate) async fn signer_of(
    store: &dyn Store,
    keys: &Path,
    head: &Head,
) -> Result<Option<FileSigner>, SubmitError> {
    let terms = history(store, head).await?;
    let newest = terms.last().map_or("", |term| term.key.as_str());
    FileSigner::named(keys, &head.tenant, newest).map_err(unusable)
}

/// A log that has records, and the key that signs it.
///
/// # Errors
/// [`SubmitError::ReadOnly`] where this node does not hold the key, or the records come to another one.
pub(crate) async fn load_signed(
    store: &dyn Store,
    keys: &Path,
    head: &Head,
) -> Result<(Arc<dyn Signer>, Loaded), SubmitError> {
    let signer = signer_of(store, keys, head).await?;
    let signer = signer.ok_or_else(|| SubmitError::ReadOnly {
        why: format!(
            "this node does not hold the signing key of {} that the log names",
            head.tenant
        ),
    })?;
    let loaded = load::load(store, head, Some(&signer)).await?;
    let key = signer.verifier_key().to_string();
    if loaded.state.directory.signer() != Some(key.as_str())
        || loaded.tip.origin != signer.verifier_key().name()
    {
        return Err(SubmitError::ReadOnly {
            why: "the key in the key directory is another log's".to_owned(),
        });
    }
    Ok((Arc::new(signer), loaded))
}

/// A key that cannot be used makes a log read-only.
pub(crate) fn unusable(error: KeyError) -> SubmitError {
    SubmitError::ReadOnly {
        why: error.to_string(),
    }
}
