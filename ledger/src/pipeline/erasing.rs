//! Erasures on their way through a batch: how much each one erases, what of its attachments is there, and what the rest of the batch
//! has to do with it. Whether one is allowed is decided elsewhere.

use super::Batch;
use crate::admit::Admitted;
use crate::error::SubmitError;
use crate::log::Log;
use crate::seal::SealedRecord;
use crate::store::ErasedAttachment;
use probity_governance::command::Operation;
use probity_schemas::event::Event;
use std::mem::take;

/// Before a command is decided.
pub(super) async fn prepare(
    log: &Log,
    batch: &Batch,
    admitted: &mut Admitted,
) -> Result<(), SubmitError> {
    count_disclosures(log, batch, admitted).await?;
    find_attachments(log, batch, admitted).await
}

impl Batch {
    /// Of what came before in the batch nothing of these is kept.
    pub(super) fn erase(&mut self, erased: Vec<ErasedAttachment>) {
        self.attachments
            .retain(|kept| !is_among(&erased, &kept.blake3));
        self.erased_attachments.extend(erased);
    }
}

/// Tells an erasure how much it erases: what is kept, and what this batch brings.
async fn count_disclosures(
    log: &Log,
    batch: &Batch,
    admitted: &mut Admitted,
) -> Result<(), SubmitError> {
    let Some(person) = admitted.beside.erases else {
        return Ok(());
    };
    let Operation::Erase(erasure) = &mut admitted.command.operation else {
        return Ok(());
    };
    let kept = if batch.erased.contains(&person) {
        0
    } else {
        log.store.disclosures_of(log.head.log, person).await?
    };
    let brought = batch.disclosures.iter().filter(|one| one.person == person);
    erasure.disclosures = kept + brought.count() as u64;
    Ok(())
}

/// Leaves an erasure those attachments whose content is there, and holds up what names one that this batch erases.
async fn find_attachments(
    log: &Log,
    batch: &Batch,
    admitted: &mut Admitted,
) -> Result<(), SubmitError> {
    let gone = |name: &str| is_among(&batch.erased_attachments, name);
    if let Some(named) = admitted.named.iter().find(|named| gone(&named.blake3)) {
        let blake3 = named.blake3.clone();
        return Err(SubmitError::AttachmentMissing { blake3 });
    }
    let Operation::Erase(erasure) = &mut admitted.command.operation else {
        return Ok(());
    };
    let names: Vec<String> = take(&mut erasure.attachments).into_iter().collect();
    let kept = log.store.attachments(log.head.log, &names).await?;
    for (name, kept) in names.into_iter().zip(kept) {
        let brought = batch.attachments.iter().any(|one| one.blake3 == name);
        if kept.is_some() && !gone(&name) || brought {
            erasure.attachments.insert(name);
        } else if !gone(&name) {
            let erased = log.store.attachment_erased(log.head.log, &name);
            if erased.await?.is_none() {
                return Err(SubmitError::AttachmentMissing { blake3: name });
            }
        }
    }
    Ok(())
}

/// The attachments that these records say are erased.
pub(super) fn attachments_of(records: &[SealedRecord]) -> Vec<ErasedAttachment> {
    let mut erased = Vec::new();
    for record in records {
        if let Event::PersonalErased(event) = &record.told.event {
            erased.extend(event.attachments.iter().map(|blake3| ErasedAttachment {
                blake3: blake3.clone(),
                sequence: record.sequence,
            }));
        }
    }
    erased
}

fn is_among(erased: &[ErasedAttachment], name: &str) -> bool {
    erased.iter().any(|one| one.blake3 == name)
}
