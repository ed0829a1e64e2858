//! Personal values on their way in, disclosures on their way out, and erasing a person.
//!
//! Values are taken out before a command is admitted, so that nothing behind the door ever holds one in clear: no record, index,
//! view or snapshot. An erasure is first recorded, in the append that deletes the disclosures and notes whom it erased, and then
//! the key is destroyed; where that broke off, a repeated call ends it, or housekeeping does at the next start.

mod take;

use self::take::{Taking, Waiting, check_person};
use crate::error::SubmitError;
use crate::ledger::{Inner, Ledger};
use crate::limits::ERASED_A_PAGE;
use crate::persons::{OpenedDisclosure, PersonError, Persons};
use crate::receipt::{Committed, Receipt, Submission};
use crate::seal::SealedRecord;
use crate::store::{PersonToken, SealedDisclosure};
use probity_governance::command::{Command, Operation};
use probity_schemas::disclosure::{Digest, event_digests};
use probity_schemas::event::Event;
use probity_schemas::limits::POINTERS_MAX;
use probity_schemas::subject::Tenant;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Disclosures of one record at most, and so of one page.
const DISCLOSURES_A_PAGE: u32 = POINTERS_MAX as u32;

/// What goes with a command beside its records.
#[derive(Default)]
pub(crate) struct Beside {
    /// What opens the digests in its bodies.
    disclosures: Vec<Waiting>,
    /// Whom it erases.
    pub(crate) erases: Option<PersonToken>,
    /// Under what its fingerprint is hashed once more, so that nothing can be tested against it when a person is erased.
    pub(crate) fingerprint_key: Option<Zeroizing<[u8; 32]>>,
}

impl Ledger {
    /// Takes personal values out of a command, and looks up whom it is about.
    pub(crate) async fn prepare(
        &self,
        tenant: &Tenant,
        settings: &BTreeMap<String, String>,
        submission: &mut Submission,
    ) -> Result<Beside, SubmitError> {
        let persons = &self.0.persons;
        let mut beside = Beside::default();
        let Command {
            actor,
            workspace,
            operation,
            ..
        } = &mut submission.command;
        match operation {
            Operation::Erase(erasure) => {
                beside.erases = persons.token(tenant, &erasure.person).await?;
                erasure.token = beside.erases.map(text);
            }
            Operation::SetHold(hold) => {
                if let Some(person) = &hold.person {
                    check_person(None, person)?;
                    hold.token = Some(text(persons.key(tenant, person).await?.token));
                }
            }
            operation => {
                let mut taking = Taking::new(persons, tenant, settings);
                match operation {
                    Operation::Observe(all) => taking.observations(all).await?,
                    Operation::Report(report) => taking.report(report).await?,
                    Operation::RequestDecision(asked) => {
                        taking.request(actor, workspace.as_deref(), asked).await?;
                    }
                    _ => {}
                }
                (beside.disclosures, beside.fingerprint_key) = taking.end();
            }
        }
        Ok(beside)
    }

    /// Destroys the key of a person whose erasure is recorded.
    pub(crate) async fn finish_erasure(&self, receipt: &Receipt) -> Result<(), SubmitError> {
        for event in receipt.records.iter().map(Committed::event) {
            let Ok(Event::PersonalErased(erased)) = event else {
                continue;
            };
            if !erased.attachments.is_empty() {
                self.0.store.overwrite_deleted().await?;
            }
            let token = erased.person.and_then(|text| Uuid::try_parse(&text).ok());
            let gone = token.map(Uuid::into_bytes).into_iter().collect();
            self.0.persons.destroy(&gone).await?;
        }
        Ok(())
    }

    /// The keys of persons, for exporting disclosures.
    #[must_use]
    pub fn persons(&self) -> std::sync::Arc<Persons> {
        std::sync::Arc::clone(&self.0.persons)
    }

    /// What opens the digests of a record; nothing for a record without, or whose persons were erased, or that is not there.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn disclosures(
        &self,
        tenant: &Tenant,
        sequence: u64,
    ) -> Result<Vec<OpenedDisclosure>, PersonError> {
        let store = &self.0.store;
        let Some(head) = store.head(tenant).await? else {
            return Ok(Vec::new());
        };
        if sequence >= head.range.size() {
            return Ok(Vec::new());
        }
        let after = sequence.checked_sub(1).map(|before| (before, u32::MAX));
        let end = sequence.saturating_add(1);
        let page = store.disclosures(head.log, after, end, DISCLOSURES_A_PAGE);
        self.0.persons.open(&page.await?).await
    }
}

/// Destroys what keys there are of persons whose erasure is recorded: after a crash, or where keys came back from a copy.
pub(crate) async fn finish_erasures(inner: &Inner) -> Result<(), PersonError> {
    let mut after = PersonToken::default();
    let mut page = inner.store.erased(after, ERASED_A_PAGE).await?;
    if page.is_empty() {
        return Ok(());
    }
    let held = inner.persons.tokens().await?;
    let mut gone = HashSet::new();
    while let Some(last) = page.last() {
        after = *last;
        gone.extend(page.iter().filter(|token| held.contains(*token)).copied());
        page = inner.store.erased(after, ERASED_A_PAGE).await?;
    }
    inner.persons.destroy(&gone).await
}

/// What stands for a person, as the records spell it.
fn text(token: PersonToken) -> String {
    Uuid::from_bytes(token).simple().to_string()
}

impl Beside {
    /// The disclosures of these records, and whether they erase a person. What became no record is dropped.
    pub(crate) fn settle(
        self,
        records: &[SealedRecord],
        disclosures: &mut Vec<SealedDisclosure>,
        erased: &mut Vec<PersonToken>,
    ) {
        if let Some(person) = self.erases
            && records
                .iter()
                .any(|record| matches!(record.told.event, Event::PersonalErased(_)))
        {
            disclosures.retain(|one| one.person != person);
            erased.push(person);
        }
        if self.disclosures.is_empty() {
            return;
        }
        let mut waiting: HashMap<Digest, Waiting> = self
            .disclosures
            .into_iter()
            .map(|one| (one.digest, one))
            .collect();
        for record in records {
            let found = event_digests(&record.told.event);
            for (place, (digest, _)) in (0..).zip(found) {
                disclosures.extend(waiting.remove(&digest).map(|one| SealedDisclosure {
                    sequence: record.sequence,
                    place,
                    person: one.person,
                    sealed: one.sealed,
                }));
            }
        }
    }
}
