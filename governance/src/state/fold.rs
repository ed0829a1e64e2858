//! The fold: what each record does to the state. It looks at nothing but the record and the state before it.

use super::{
    Adapter, Applied, Budget, CaseStatus, Closed, InForce, LogIdentity, OpenCase, Sealed, State,
    StateError, decision_id,
};
use crate::{engine, signer, signing};
use probity_schemas::event::Event;
use probity_schemas::event::decision::{ApprovalGranted, DecisionMade};
use probity_schemas::event::log::{LogOpened, LogRestored};
use probity_schemas::time::Time;
use std::sync::Arc;
use uuid::Uuid;

impl State {
    /// Folds one more record in.
    ///
    /// # Errors
    /// [`StateError`] for a record that cannot follow the ones before; the state is then not to be used any more.
    pub fn apply(&mut self, record: &Applied<'_>) -> Result<(), StateError> {
        self.drop_stale_denials(record.time);
        self.size = record.sequence + 1;
        match record.event {
            Event::LogOpened(opened) => self.open_log(record, opened),
            Event::LogRestored(restored) => self.restore_log(record, restored),
            Event::SignerRotated(_) | Event::SignerCompromised(_) => self.apply_signer(record),
            Event::SettingChanged(changed) => {
                let settings = &mut Arc::make_mut(&mut self.directory).settings;
                match &changed.value {
                    Some(value) => settings.insert(changed.name.clone(), value.clone()),
                    None => settings.remove(&changed.name),
                };
                Ok(())
            }
            Event::PolicyPublished(_)
            | Event::PolicyRetired(_)
            | Event::AdapterRegistered(_)
            | Event::CredentialIssued(_)
            | Event::CredentialRevoked(_)
            | Event::KeyRegistered(_)
            | Event::KeyRevoked(_) => self.apply_registry(record),
            Event::BudgetSet(_) | Event::BudgetCrossed(_) | Event::CostIngested(_) => {
                self.apply_budget(record)
            }
            Event::DecisionMade(made) => self.begin_case(record, made),
            Event::ApprovalGranted(granted) => self.grant(record, granted),
            Event::ApprovalDenied(_) => self.deny(record),
            Event::DecisionExpired(_) | Event::GrantConsumed(_) => self.end_case(record),
            Event::SubjectsSealed(sealed) => {
                self.sealed = Some(Sealed {
                    runs: sealed.runs.clone(),
                    sequence: record.sequence,
                    size: sealed.size,
                    time: record.time,
                });
                Ok(())
            }
            Event::HoldSet(set) => {
                let holds = &mut Arc::make_mut(&mut self.directory).holds;
                holds.insert(set.id.clone(), set.person.clone());
                Ok(())
            }
            Event::HoldLifted(lifted) => {
                let holds = &mut Arc::make_mut(&mut self.directory).holds;
                holds.remove(&lifted.id);
                Ok(())
            }
            Event::StateSealed(_)
            | Event::BundleExported(_)
            | Event::PersonalErased(_)
            | Event::ErasureRefused(_)
            | Event::OutcomeRecorded(_)
            | Event::TraceIngested(_)
            | Event::AuditIngested(_)
            | Event::MetricIngested(_)
            | Event::ViolationIngested(_)
            | Event::ObservationRecorded(_) => Ok(()),
        }
    }

    fn open_log(&mut self, record: &Applied<'_>, opened: &LogOpened) -> Result<(), StateError> {
        if self.directory.log.is_some() {
            return Err(StateError::OpenedTwice);
        }
        if opened.engine > engine::ENGINE {
            return Err(StateError::NewerEngine {
                engine: opened.engine,
            });
        }
        let directory = Arc::make_mut(&mut self.directory);
        directory.log = Some(LogIdentity::from(opened));
        directory.sign_with(&opened.signer, record.sequence);
        Ok(())
    }

    fn restore_log(
        &mut self,
        record: &Applied<'_>,
        restored: &LogRestored,
    ) -> Result<(), StateError> {
        let directory = Arc::make_mut(&mut self.directory);
        let log = directory.log.as_mut().ok_or(StateError::NotOpened)?;
        log.origin.clone_from(&restored.origin);
        directory.sign_with(&restored.signer, record.sequence);
        Ok(())
    }

    fn apply_signer(&mut self, record: &Applied<'_>) -> Result<(), StateError> {
        let refused = |_| StateError::Signer {
            subject: record.subject.to_owned(),
        };
        let directory = Arc::make_mut(&mut self.directory);
        match record.event {
            Event::SignerRotated(rotated) => {
                signer::rotate(directory, rotated).map_err(refused)?;
                directory.sign_with(&rotated.signer, record.sequence);
            }
            Event::SignerCompromised(compromised) => {
                signer::compromise(directory, compromised).map_err(refused)?;
                let place = signer::place(&directory.signers, &compromised.key);
                if let Some(term) = place.and_then(|place| directory.signers.get_mut(place)) {
                    term.last_trusted_size = Some(compromised.last_trusted_size);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn apply_registry(&mut self, record: &Applied<'_>) -> Result<(), StateError> {
        let subject = || record.subject.to_owned();
        let directory = Arc::make_mut(&mut self.directory);
        match record.event {
            Event::PolicyPublished(published) => {
                directory.publish(
                    record.subject,
                    InForce {
                        policy: published.policy.clone(),
                        leaf: record.leaf,
                    },
                );
            }
            Event::PolicyRetired(_) if !directory.retire(record.subject) => {
                return Err(StateError::PolicyUnknown { subject: subject() });
            }
            Event::AdapterRegistered(registered) => {
                directory
                    .adapters
                    .insert(registered.id.clone(), Adapter::from(registered.as_ref()));
            }
            Event::CredentialIssued(issued) => {
                directory.issue(credential_id(record.subject)?, issued)
            }
            Event::CredentialRevoked(_) if !directory.revoke(credential_id(record.subject)?) => {
                return Err(StateError::CredentialUnknown { subject: subject() });
            }
            Event::KeyRegistered(registered) => {
                let key = signing::register(directory, registered)
                    .map_err(|_| StateError::Key { subject: subject() })?;
                directory
                    .keys
                    .insert(key_id(record.subject)?.to_owned(), key);
            }
            Event::KeyRevoked(_) if directory.keys.remove(key_id(record.subject)?).is_none() => {
                return Err(StateError::Key { subject: subject() });
            }
            _ => {}
        }
        Ok(())
    }

    fn apply_budget(&mut self, record: &Applied<'_>) -> Result<(), StateError> {
        match (record.event, &mut self.budget) {
            (Event::BudgetSet(set), budget) => *budget = Some(Budget::set(budget.as_ref(), set)),
            (Event::CostIngested(cost), Some(budget)) => {
                budget.spend(record.time, cost.cost_micros)
            }
            (Event::BudgetCrossed(crossed), Some(budget)) => budget.mark(crossed.level),
            (Event::BudgetCrossed(_), None) => return Err(StateError::NoBudget),
            _ => {}
        }
        Ok(())
    }

    fn begin_case(&mut self, record: &Applied<'_>, made: &DecisionMade) -> Result<(), StateError> {
        let id = decision_id(record.subject)?;
        if self.standing(&id).is_some() {
            return Err(StateError::DecidedTwice {
                subject: record.subject.to_owned(),
            });
        }
        if let Some(closed) = Closed::after(record.event) {
            self.closed.insert(id, closed);
            return Ok(());
        }
        let Some(approval) = &made.approval else {
            return Err(StateError::CaseElsewhere {
                subject: record.subject.to_owned(),
            });
        };
        let request = &made.facts.request;
        let case = OpenCase {
            requester: record.actor.to_owned(),
            adapter: request.adapter.clone(),
            workspace: record.workspace.map(str::to_owned),
            execution: request.execution.clone().unwrap_or_else(|| id.to_string()),
            digest: made.facts.request_digest,
            leaf: record.leaf,
            salt: made.facts.salt,
            role: approval.role,
            grant_seconds: made.facts.grant_seconds,
            status: CaseStatus::Pending {
                expires: approval.expires,
            },
        };
        self.due.insert((approval.expires, id));
        self.open.insert(id, case);
        Ok(())
    }

    fn grant(&mut self, record: &Applied<'_>, granted: &ApprovalGranted) -> Result<(), StateError> {
        let (id, case) = self.pending(record)?;
        let before = case.status.deadline();
        case.status = CaseStatus::Approved {
            expires: granted.expires,
        };
        self.due.remove(&(before, id));
        self.due.insert((granted.expires, id));
        Ok(())
    }

    fn deny(&mut self, record: &Applied<'_>) -> Result<(), StateError> {
        let (id, case) = self.pending(record)?;
        let until = case.status.deadline();
        case.status = CaseStatus::Denied { until };
        self.due.remove(&(until, id));
        self.denied.insert((until, id));
        Ok(())
    }

    fn end_case(&mut self, record: &Applied<'_>) -> Result<(), StateError> {
        let id = decision_id(record.subject)?;
        let elsewhere = || StateError::CaseElsewhere {
            subject: record.subject.to_owned(),
        };
        let case = self.open.get(&id).ok_or_else(elsewhere)?;
        let consumed = matches!(record.event, Event::GrantConsumed(_));
        let fits = match case.status {
            CaseStatus::Pending { .. } => !consumed,
            CaseStatus::Approved { .. } => true,
            CaseStatus::Denied { .. } => false,
        };
        if !fits {
            return Err(elsewhere());
        }
        self.due.remove(&(case.status.deadline(), id));
        self.open.remove(&id);
        self.closed
            .extend(Closed::after(record.event).map(|closed| (id, closed)));
        Ok(())
    }

    fn pending(&mut self, record: &Applied<'_>) -> Result<(Uuid, &mut OpenCase), StateError> {
        let id = decision_id(record.subject)?;
        match self.open.get_mut(&id) {
            Some(case) if matches!(case.status, CaseStatus::Pending { .. }) => Ok((id, case)),
            _ => Err(StateError::CaseElsewhere {
                subject: record.subject.to_owned(),
            }),
        }
    }

    /// A denial stands as long as the person could have answered; the first record after that drops it.
    fn drop_stale_denials(&mut self, time: Time) {
        while let Some((until, id)) = self
            .denied
            .first()
            .copied()
            .filter(|(until, _)| *until < time)
        {
            self.denied.remove(&(until, id));
            self.open.remove(&id);
            self.closed.insert(id, Closed::Denied);
        }
    }

    pub(super) fn collect_deadlines(&mut self) {
        for (id, case) in &self.open {
            let set = if matches!(case.status, CaseStatus::Denied { .. }) {
                &mut self.denied
            } else {
                &mut self.due
            };
            set.insert((case.status.deadline(), *id));
        }
    }
}

fn credential_id(subject: &str) -> Result<&str, StateError> {
    id_of("credential/", subject)
}

fn key_id(subject: &str) -> Result<&str, StateError> {
    id_of("key/", subject)
}

fn id_of<'s>(thing: &str, subject: &'s str) -> Result<&'s str, StateError> {
    subject
        .strip_prefix(thing)
        .ok_or_else(|| StateError::BadSubject {
            subject: subject.to_owned(),
        })
}
