//! The walk of one batch: admitted → decided → sealed → durable → answered. One function, a screen long; its lines are the stages.
//!
//! The writer owns the state it decides on, and appends what it decided: a decision saw exactly the records before it.

mod erasing;

use crate::admit::{Admitted, Answer, Lookups, look_up};
use crate::error::SubmitError;
use crate::idempotency;
use crate::log::Log;
use crate::lookup::Lookup;
use crate::receipt::{Committed, Receipt};
use crate::seal::{SealError, SealedRecord, next_head, seal};
use crate::store::{
    Append, AppendError, Attachment, ErasedAttachment, IdempotencyRow, NamedAttachment,
    PersonToken, SealedDisclosure, StoreError,
};
use probity_governance::command::{Draft, Moment, Operation, Reply};
use probity_governance::execute::{Decided, Rejected, execute};
use probity_governance::permission::permit;
use probity_governance::state::Applied;
use probity_schemas::error::FormatError;
use std::collections::BTreeSet;
use std::mem::take;
use std::sync::Arc;

/// What a command is answered once its batch is durable.
enum Outcome {
    /// Its records, by their place in the batch.
    Fresh {
        first: usize,
        count: usize,
        reply: Reply,
    },
    /// The answer it got before.
    Replay(IdempotencyRow),
    /// No.
    Refused(SubmitError),
}

/// A batch on its way.
#[derive(Default)]
pub(crate) struct Batch {
    records: Vec<SealedRecord>,
    idempotency: Vec<IdempotencyRow>,
    attachments: Vec<Attachment>,
    disclosures: Vec<SealedDisclosure>,
    erased: Vec<PersonToken>,
    erased_attachments: Vec<ErasedAttachment>,
    named: BTreeSet<NamedAttachment>,
    answers: Vec<(Answer, Outcome)>,
}

/// Takes a batch of commands from the door to the receipt.
///
/// # Errors
/// A broken invariant, after every caller was answered; the writer must stop.
pub(crate) async fn walk(log: &mut Log, commands: Vec<Admitted>) -> Result<(), SubmitError> {
    let mut batch = Batch::default();
    for mut admitted in commands {
        let outcome = match decide_and_seal(log, &mut batch, &mut admitted).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Refused(error),
        };
        let broken = matches!(&outcome, Outcome::Refused(SubmitError::Broken { .. }));
        batch.answers.push((admitted.answer, outcome));
        if broken {
            let why = "a record that was made could not be folded into the state".to_owned();
            return fail_all(log, batch.answers, SubmitError::Broken { why });
        }
    }
    let append = match log.append_of(&mut batch) {
        Ok(append) => append,
        Err(error) => return fail_all(log, batch.answers, error),
    };
    let written = match &append {
        Some(append) if log.lease.holds() => log.store.append(append.clone()).await,
        Some(_) => Err(AppendError::Conflict),
        None => Ok(()),
    };
    let kept = match (written, append) {
        (Ok(()), append) => log.keep(append, &batch.records),
        (Err(error), Some(append)) => log.recover(error, &append).await,
        (Err(_), None) => false,
    };
    answer_all(log, &batch.records, batch.answers, kept).await;
    Ok(())
}

/// One command: replayed from its idempotency row, or decided, sealed and folded into the state.
async fn decide_and_seal(
    log: &mut Log,
    batch: &mut Batch,
    admitted: &mut Admitted,
) -> Result<Outcome, SubmitError> {
    if admitted.seen.size < log.recent.floor() {
        admitted.seen = log.look_up(admitted).await?;
    }
    permit(
        &log.state.directory,
        &admitted.command.actor,
        &admitted.command.operation,
    )?;
    if let Some(scope) = &admitted.idempotency {
        let row = log
            .recent
            .idempotency(&scope.row_key)
            .or(admitted.seen.idempotency.as_ref());
        if let Some(row) = row {
            let same = row.fingerprint == scope.fingerprint;
            return if same {
                Ok(Outcome::Replay(row.clone()))
            } else {
                Err(SubmitError::IdempotencyMismatch)
            };
        }
    }
    let time = log.time.next(&*log.clock)?;
    let id = log
        .tip
        .ids
        .next(time)
        .map_err(|error| SubmitError::Unsealable(SealError::Entropy(error)))?;
    let salt =
        crate::ids::salt().map_err(|error| SubmitError::Unsealable(SealError::Entropy(error)))?;
    erasing::prepare(log, batch, admitted).await?;
    if let Operation::RotateSigner { signer, .. } = &admitted.command.operation {
        log.take_up(signer)?;
    }
    let moment = Moment { time, id, salt };
    let decided = decide(log, admitted, &moment).await?;
    let (drafts, reply) = decided.into_parts();
    let first = batch.records.len();
    let count = drafts.len();
    seal_all(log, batch, admitted, drafts, &moment).await?;
    batch.attachments.append(&mut admitted.attachments);
    let records = batch.records.get(first..).unwrap_or_default();
    take(&mut admitted.beside).settle(records, &mut batch.disclosures, &mut batch.erased);
    let erased = erasing::attachments_of(records);
    batch.erase(erased);
    batch.named.extend(admitted.named.drain(..));
    if let (Some(scope), true) = (&admitted.idempotency, count > 0) {
        let row = IdempotencyRow {
            key: scope.row_key.clone(),
            fingerprint: scope.fingerprint,
            first: batch.records.get(first).map_or(0, |record| record.sequence),
            count: count as u64,
            time_micros: time.micros(),
            reply: idempotency::encode(&reply),
        };
        log.recent.add_idempotency(&row);
        batch.idempotency.push(row);
    }
    Ok(Outcome::Fresh {
        first,
        count,
        reply,
    })
}

/// Decides; looks once more when a case turns out to be needed that was not looked up. What is there then, and is neither open in the state
/// nor closed, another writer made.
async fn decide(
    log: &Log,
    admitted: &mut Admitted,
    moment: &Moment,
) -> Result<Decided, SubmitError> {
    let lookup = Lookup {
        state: &log.state,
        recent: &log.recent,
        seen: &admitted.seen,
    };
    match execute(&log.state, &lookup, &admitted.command, moment) {
        Err(Rejected::NotHydrated { .. }) => {}
        decided => return Ok(decided?),
    }
    admitted.seen = log.look_up(admitted).await?;
    let lookup = Lookup {
        state: &log.state,
        recent: &log.recent,
        seen: &admitted.seen,
    };
    match execute(&log.state, &lookup, &admitted.command, moment) {
        Err(Rejected::NotHydrated { decision }) => {
            tracing::warn!(log.tenant = %log.tenant, decision = %decision, "a case is newer than what this writer knows: another one writes the log");
            Err(SubmitError::NotRecorded)
        }
        decided => Ok(decided?),
    }
}

/// Seals a command's drafts, all or none, and folds them into the state.
async fn seal_all(
    log: &mut Log,
    batch: &mut Batch,
    admitted: &Admitted,
    drafts: Vec<Draft>,
    moment: &Moment,
) -> Result<(), SubmitError> {
    let mark = log.tip.mark();
    let sealed = match seal_each(log, admitted, drafts, moment).await {
        Ok(sealed) => sealed,
        Err(error) => {
            log.tip.back_to(mark);
            return Err(error);
        }
    };
    let time = moment.time;
    for record in sealed {
        log.state
            .apply(&Applied {
                leaf: record.row.leaf,
                sequence: record.sequence,
                subject: &record.row.subject,
                actor: &admitted.command.actor,
                time,
                workspace: admitted.command.workspace.as_deref(),
                event: &record.told.event,
            })
            .map_err(|error| SubmitError::Broken {
                why: error.to_string(),
            })?;
        log.recent.add(&record);
        batch.records.push(record);
    }
    Ok(())
}

/// Seals drafts one after the other; where one cannot be, the tip is left behind those before it.
async fn seal_each(
    log: &mut Log,
    admitted: &Admitted,
    drafts: Vec<Draft>,
    moment: &Moment,
) -> Result<Vec<SealedRecord>, SubmitError> {
    let fresh = moment.id.to_string();
    let mut sealed = Vec::with_capacity(drafts.len());
    let mut heads = std::collections::HashMap::new();
    for draft in drafts {
        let subject = draft.subject.as_str().to_owned();
        let head = match heads.get(&subject) {
            Some(head) => *head,
            // An id of this moment is nobody else's: nothing was written under it yet.
            None if draft.subject.id() == fresh => None,
            None => log.subject_head(&subject, &admitted.seen).await?,
        };
        let record = seal(&mut log.tip, &admitted.command, draft, moment.time, head);
        let record = record.map_err(|error| match error {
            SealError::Format(FormatError::TooLong { bytes }) => {
                SubmitError::RecordTooLong { bytes }
            }
            error => SubmitError::Unsealable(error),
        })?;
        heads.insert(subject, Some((record.row.revision, record.row.leaf)));
        sealed.push(record);
    }
    Ok(sealed)
}

/// The batch could not even be signed: nothing of it exists.
fn fail_all(
    log: &mut Log,
    answers: Vec<(Answer, Outcome)>,
    error: SubmitError,
) -> Result<(), SubmitError> {
    for (answer, _) in answers {
        let _ = answer.send(Err(SubmitError::NotRecorded));
    }
    log.poison();
    Err(error)
}

/// Answers every caller of the batch.
async fn answer_all(
    log: &Log,
    records: &[SealedRecord],
    answers: Vec<(Answer, Outcome)>,
    kept: bool,
) {
    for (answer, outcome) in answers {
        let result = match outcome {
            // What was refused because of a neighbour in a batch that is not there may be right the next time.
            Outcome::Refused(SubmitError::Rejected(_)) if !kept && !records.is_empty() => {
                Err(SubmitError::NotRecorded)
            }
            Outcome::Refused(error) => Err(error),
            Outcome::Replay(row) => log.replay(&row).await,
            Outcome::Fresh { .. } if log.poisoned => Err(SubmitError::OutcomeUnknown),
            Outcome::Fresh { count, .. } if !kept && count > 0 => Err(SubmitError::NotRecorded),
            Outcome::Fresh { .. } if !kept && !records.is_empty() => Err(SubmitError::NotRecorded),
            Outcome::Fresh {
                first,
                count,
                reply,
            } => Ok(log.receipt(
                records
                    .iter()
                    .skip(first)
                    .take(count)
                    .map(Committed::of)
                    .collect(),
                reply,
            )),
        };
        // A caller that went away has its answer in the log.
        let _ = answer.send(result);
    }
}

impl Log {
    /// What the store is asked to keep; nothing when nothing happened.
    fn append_of(&self, batch: &mut Batch) -> Result<Option<Append>, SubmitError> {
        let records = &batch.records;
        if records.is_empty() {
            return Ok(None);
        }
        let signers = self.signers_of(records)?;
        let next =
            next_head(&self.tip, &self.head, &signers).map_err(|error| SubmitError::Broken {
                why: error.to_string(),
            })?;
        Ok(Some(Append {
            expected: self.head.clone(),
            next,
            records: records.iter().map(|record| record.row.clone()).collect(),
            aliases: records
                .iter()
                .flat_map(|record| record.aliases.clone())
                .collect(),
            idempotency: take(&mut batch.idempotency),
            attachments: take(&mut batch.attachments),
            disclosures: take(&mut batch.disclosures),
            erased: take(&mut batch.erased),
            erased_attachments: take(&mut batch.erased_attachments),
            keep_checkpoint: signers.len() > 1,
            named: take(&mut batch.named).into_iter().collect(),
        }))
    }

    async fn look_up(&self, admitted: &Admitted) -> Result<Lookups, StoreError> {
        let size = self.head.range.size();
        look_up(
            &*self.store,
            None,
            self.head.log,
            size,
            &admitted.command,
            admitted.idempotency.as_ref(),
        )
        .await
    }

    fn receipt(&self, records: Vec<Committed>, reply: Reply) -> Receipt {
        Receipt {
            tenant: self.tenant.clone(),
            records,
            reply,
            replayed: false,
            size: self.head.range.size(),
            checkpoint: Arc::from(self.head.checkpoint.as_str()),
        }
    }

    /// The first answer again, from the records it made. Where another writer made them since, this one's head does not cover
    /// them, and the row that does is asked of the store.
    async fn replay(&self, row: &IdempotencyRow) -> Result<Receipt, SubmitError> {
        let records = self.read_exactly(row.first, row.count).await?;
        let broken = |why: &str| SubmitError::Broken {
            why: why.to_owned(),
        };
        let reply = idempotency::decode(&row.reply)
            .ok_or_else(|| broken("an idempotency row holds no reply"))?;
        let mut receipt = self.receipt(records, reply);
        receipt.replayed = true;
        if receipt.last().is_some_and(|last| last >= receipt.size) {
            let head = self.store.head(&self.tenant).await?;
            let head = head.ok_or_else(|| broken("a log with records has no row"))?;
            receipt.size = head.range.size();
            receipt.checkpoint = Arc::from(head.checkpoint);
        }
        Ok(receipt)
    }
}
