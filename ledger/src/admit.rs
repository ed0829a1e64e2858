//! Before the queue: limits, idempotency, and the lookups a decision will need, made in parallel with the writer.
//!
//! Nothing is decided here. A lookup is stamped with the size of the log it saw; the writer adds what it touched since.

mod names;

pub(crate) use names::decision_id;

use self::names::{aliases_of, subjects_of};
use crate::aliases::Aliases;
use crate::error::SubmitError;
use crate::ledger::Handle;
use crate::limits::{
    CASE_RECORDS_MAX, COMMAND_ATTACHMENTS_MAX, COMMAND_NAMED_ATTACHMENTS_MAX,
    IDEMPOTENCY_KEY_BYTES_MAX, REPLAY_BYTES,
};
use crate::personal::Beside;
use crate::reader::checked;
use crate::receipt::{Receipt, Submission};
use crate::store::{
    Attachment, IdempotencyRow, LogNumber, NamedAttachment, Span, Store, StoreError,
};
use probity_governance::command::{Command, Operation};
use probity_governance::state::{Closed, closed_of};
use probity_schemas::event::Event;
use probity_schemas::hash::Hash;
use probity_schemas::limits::ATTACHMENT_INLINE_BYTES_MAX;
use probity_schemas::record::Record;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Where the answer to a command goes.
pub(crate) type Answer = oneshot::Sender<Result<Receipt, SubmitError>>;

/// A command that passed the door, with its lookups.
pub(crate) struct Admitted {
    pub(crate) command: Command,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) beside: Beside,
    /// Attachments that were uploaded before, and that its records name.
    pub(crate) named: Vec<NamedAttachment>,
    pub(crate) idempotency: Option<IdempotencyScope>,
    pub(crate) seen: Lookups,
    pub(crate) answer: Answer,
    _in_flight: Option<InFlight>,
}

impl Admitted {
    /// A command of the ledger's own, which comes through no door.
    pub(crate) fn internal(command: Command, seen: Lookups, answer: Answer) -> Self {
        Self {
            command,
            attachments: Vec::new(),
            beside: Beside::default(),
            named: Vec::new(),
            idempotency: None,
            seen,
            answer,
            _in_flight: None,
        }
    }
}

/// An idempotency key in its scope, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdempotencyScope {
    /// Actor, operation and key.
    pub row_key: String,
    /// Keyed BLAKE3 of the request's body.
    pub fingerprint: [u8; 32],
}

/// What the store said when a log had a certain size.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    /// The size of the log before the store was asked.
    pub size: u64,
    /// What each alias leads to.
    pub aliases: HashMap<String, Option<String>>,
    /// The newest record of each subject.
    pub subjects: HashMap<String, Option<(u64, Hash)>>,
    /// Decisions that are closed, and how.
    pub closed: HashMap<Uuid, Closed>,
    /// The idempotency row.
    pub idempotency: Option<IdempotencyRow>,
}

/// Keys of requests that are on their way, by log.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlightKeys(Arc<Mutex<HashSet<String>>>);

/// Takes its key away again when the request is answered.
struct InFlight {
    keys: InFlightKeys,
    key: String,
}

impl InFlightKeys {
    fn enter(&self, key: &str) -> Option<InFlight> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.to_owned()).then(|| InFlight {
            keys: self.clone(),
            key: key.to_owned(),
        })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.keys
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

/// What admission needs to know of a log.
pub(crate) struct Door<'a> {
    pub store: &'a dyn Store,
    pub log: LogNumber,
    pub size: u64,
    pub fingerprint_key: &'a [u8; 32],
    pub in_flight: &'a InFlightKeys,
    pub aliases: &'a Aliases,
}

impl Handle {
    /// The door of this log.
    pub(crate) fn door<'a>(&'a self, store: &'a dyn Store) -> Door<'a> {
        Door {
            store,
            log: self.log,
            size: self.published.borrow().size,
            fingerprint_key: &self.fingerprint_key,
            in_flight: &self.in_flight,
            aliases: &self.aliases,
        }
    }
}

/// Admits a command.
///
/// # Errors
/// [`SubmitError`] for what is over a limit, a key that is in flight, or a store that does not answer.
pub(crate) async fn admit(
    door: &Door<'_>,
    submission: Submission,
    beside: Beside,
    answer: Answer,
) -> Result<Admitted, (Answer, SubmitError)> {
    let Submission {
        command,
        idempotency,
        attachments,
    } = submission;
    if let Err(error) = check_attachments(&attachments) {
        return Err((answer, error));
    }
    let named = match named_by(door, &command).await {
        Ok(named) => named,
        Err(error) => return Err((answer, error)),
    };
    // No database keeps U+0000 in a name, and one such name would fail its neighbours' batch.
    if aliases_of(&command).iter().any(|name| name.contains('\0')) {
        return Err((answer, SubmitError::NulInName));
    }
    let mut in_flight = None;
    let mut scope = None;
    if let Some(given) = idempotency {
        if given.key.is_empty() || given.key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
            return Err((answer, SubmitError::IdempotencyKeyLength));
        }
        let row_key = format!(
            "{}\n{}\n{}",
            command.actor,
            operation_name(&command.operation),
            given.key
        );
        let fingerprint = fingerprint(door.fingerprint_key, &given.body, &beside);
        in_flight = door.in_flight.enter(&row_key);
        if in_flight.is_none() {
            return Err((answer, SubmitError::IdempotencyInFlight));
        }
        scope = Some(IdempotencyScope {
            row_key,
            fingerprint,
        });
    }
    let (store, aliases) = (door.store, Some(door.aliases));
    match look_up(
        store,
        aliases,
        door.log,
        door.size,
        &command,
        scope.as_ref(),
    )
    .await
    {
        Ok(seen) => Ok(Admitted {
            command,
            attachments,
            beside,
            named,
            idempotency: scope,
            seen,
            answer,
            _in_flight: in_flight,
        }),
        Err(error) => Err((answer, SubmitError::Store(error))),
    }
}

/// What a request's body is known by. Where it has personal values it can be made again only as long as none of their persons
/// was erased: nobody can try values against it afterwards.
fn fingerprint(key: &[u8; 32], body: &[u8], beside: &Beside) -> [u8; 32] {
    let plain = blake3::keyed_hash(key, body);
    match &beside.fingerprint_key {
        Some(persons) => *blake3::keyed_hash(persons, plain.as_bytes()).as_bytes(),
        None => *plain.as_bytes(),
    }
}

fn check_attachments(attachments: &[Attachment]) -> Result<(), SubmitError> {
    if attachments.len() > COMMAND_ATTACHMENTS_MAX {
        return Err(SubmitError::TooManyAttachments);
    }
    match attachments
        .iter()
        .find(|attachment| attachment.content.len() > ATTACHMENT_INLINE_BYTES_MAX)
    {
        Some(attachment) => Err(SubmitError::AttachmentTooLong {
            bytes: attachment.content.len(),
        }),
        None => Ok(()),
    }
}

/// What the command's records name of what was uploaded before: each must be there, with the length that is stated.
async fn named_by(door: &Door<'_>, command: &Command) -> Result<Vec<NamedAttachment>, SubmitError> {
    let Operation::Observe(observations) = &command.operation else {
        return Ok(Vec::new());
    };
    let references = observations.iter().flat_map(|one| &one.attachments);
    let named: BTreeSet<NamedAttachment> = references
        .map(|reference| NamedAttachment {
            blake3: reference.blake3.clone(),
            bytes: reference.bytes,
        })
        .collect();
    if named.len() > COMMAND_NAMED_ATTACHMENTS_MAX {
        return Err(SubmitError::TooManyAttachments);
    }
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = named.iter().map(|one| one.blake3.clone()).collect();
    let found = door.store.attachments(door.log, &names).await?;
    for (named, kept) in named.iter().zip(found) {
        let blake3 = named.blake3.clone();
        match kept {
            None => return Err(SubmitError::AttachmentMissing { blake3 }),
            Some(kept) if kept.bytes != named.bytes => {
                return Err(SubmitError::AttachmentLength {
                    blake3,
                    kept: kept.bytes,
                    named: named.bytes,
                });
            }
            Some(_) => {}
        }
    }
    Ok(named.into_iter().collect())
}

/// Asks the store what deciding the command will need; together with others, where there are any.
pub(crate) async fn look_up(
    store: &dyn Store,
    together: Option<&Aliases>,
    log: LogNumber,
    size: u64,
    command: &Command,
    scope: Option<&IdempotencyScope>,
) -> Result<Lookups, StoreError> {
    let mut seen = Lookups {
        size,
        ..Lookups::default()
    };
    if let Some(scope) = scope {
        let rows = store
            .idempotency(log, std::slice::from_ref(&scope.row_key))
            .await?;
        seen.idempotency = rows.into_iter().flatten().next();
    }
    let names = aliases_of(command);
    let mut subjects = subjects_of(&command.operation);
    if !names.is_empty() {
        let found = match together {
            Some(aliases) => aliases.find(store, log, &names).await?,
            None => store.aliases(log, &names).await?,
        };
        subjects.extend(found.iter().flatten().cloned());
        seen.aliases = names.into_iter().zip(found).collect();
    }
    let (cases, others): (Vec<_>, Vec<_>) = subjects
        .into_iter()
        .partition(|subject| decision_id(subject).is_some());
    if !others.is_empty() {
        let heads = store.subject_heads(log, &others).await?;
        seen.subjects.extend(others.into_iter().zip(heads));
    }
    for case in cases {
        look_up_case(store, log, case, &mut seen).await?;
    }
    Ok(seen)
}

/// Folds one decision's records.
async fn look_up_case(
    store: &dyn Store,
    log: LogNumber,
    subject: String,
    seen: &mut Lookups,
) -> Result<(), StoreError> {
    let span = Span::Subject(&subject, 0);
    let records = checked(store, log, span, CASE_RECORDS_MAX, REPLAY_BYTES).await?;
    let corrupt = |_| StoreError::Corrupt {
        what: format!("a record of {subject} is none"),
    };
    let mut events: Vec<Event> = Vec::with_capacity(records.len());
    let mut head = None;
    for stored in &records {
        let record = Record::parse_canonical(&stored.line).map_err(corrupt)?;
        events.push(record.event().map_err(corrupt)?);
        head = Some((record.revision, stored.leaf));
    }
    if let (Some(id), Some(closed)) = (decision_id(&subject), closed_of(&events)) {
        seen.closed.insert(id, closed);
    }
    seen.subjects.insert(subject, head);
    Ok(())
}

/// The operation's name in the scope of an idempotency key.
const fn operation_name(operation: &Operation) -> &'static str {
    match operation {
        Operation::OpenLog(_) => "open_log",
        Operation::RestoreLog(_) => "restore_log",
        Operation::ChangeSetting(_) => "change_setting",
        Operation::RegisterAdapter(_) => "register_adapter",
        Operation::RequestDecision(_) => "request_decision",
        Operation::ResolveApproval(_) => "resolve_approval",
        Operation::Report(_) => "report",
        Operation::Observe(_) => "observe",
        Operation::PublishPolicy(_) => "publish_policy",
        Operation::RetirePolicy(_) => "retire_policy",
        Operation::SetBudget(_) => "set_budget",
        Operation::IssueCredential(..) => "issue_credential",
        Operation::RevokeCredential(..) => "revoke_credential",
        Operation::RegisterKey(_) => "register_key",
        Operation::RevokeKey(..) => "revoke_key",
        Operation::RotateSigner { .. } => "rotate_signer",
        Operation::ReportCompromise(_) => "report_compromise",
        Operation::ExpireDue => "expire_due",
        Operation::RecordExport(_) => "record_export",
        Operation::Erase(_) => "erase",
        Operation::SetHold(_) => "set_hold",
        Operation::LiftHold(_) => "lift_hold",
        Operation::Seal(_) => "seal",
    }
}
