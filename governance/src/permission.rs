//! Who may ask what: one table from rights to roles, for the writer and for the judge.
//!
//! The ledger itself acts as `system`. It may do everything but what needs somebody to answer for it: asking for a
//! decision, and approving one.

use crate::command::Operation;
use crate::execute::Rejected;
use crate::state::{Applied, Directory};
use probity_schemas::event::Event;
use probity_schemas::subject;
use probity_schemas::vocabulary::{KeyPurpose, Role};

/// The actor of the ledger itself.
pub const SYSTEM: &str = "system";

/// What a role gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// The ledger's own business.
    System,
    /// Ask for a decision.
    Ask,
    /// Report and observe.
    Report,
    /// Approve or deny.
    Resolve,
    /// Publish and retire policies.
    Policies,
    /// Register any adapter.
    Adapters,
    /// Register the adapter that one is.
    OwnAdapter,
    /// Settings, budgets, credentials, erasures, holds, people's keys and the signer's.
    Administer,
    /// Keys that producers sign their reports with.
    ProducerKeys,
    /// Make a bundle.
    Export,
}

impl Right {
    pub(crate) const fn roles(self) -> &'static [Role] {
        match self {
            Self::System => &[],
            Self::Ask | Self::Report | Self::OwnAdapter => {
                &[Role::Agent, Role::Operator, Role::Approver, Role::Admin]
            }
            Self::Adapters => &[Role::Operator, Role::Approver, Role::Admin],
            Self::Resolve | Self::Policies | Self::ProducerKeys => &[Role::Approver, Role::Admin],
            Self::Administer => &[Role::Admin],
            Self::Export => &[Role::Auditor, Role::Operator, Role::Approver, Role::Admin],
        }
    }

    /// Whether an actor has the right, by the credentials in force.
    pub(crate) fn is_held(self, directory: &Directory, actor: &str) -> bool {
        if actor == SYSTEM {
            return !matches!(self, Self::Ask | Self::Resolve);
        }
        let needs = self.roles();
        !needs.is_empty()
            && directory
                .roles_of(actor)
                .iter()
                .any(|role| needs.contains(role))
    }

    fn of(directory: &Directory, operation: &Operation, actor: &str) -> Self {
        match operation {
            Operation::OpenLog(_)
            | Operation::RestoreLog(_)
            | Operation::ExpireDue
            | Operation::Seal(_) => Self::System,
            Operation::RequestDecision(_) => Self::Ask,
            Operation::Report(_) | Operation::Observe(_) => Self::Report,
            Operation::ResolveApproval(_) => Self::Resolve,
            Operation::PublishPolicy(_) | Operation::RetirePolicy(_) => Self::Policies,
            Operation::RegisterAdapter(adapter) if is_adapter(actor, &adapter.id) => {
                Self::OwnAdapter
            }
            Operation::RegisterAdapter(_) => Self::Adapters,
            Operation::ChangeSetting(_)
            | Operation::SetBudget(_)
            | Operation::IssueCredential(..)
            | Operation::RevokeCredential(..)
            | Operation::Erase(_)
            | Operation::SetHold(_)
            | Operation::LiftHold(_)
            | Operation::RotateSigner { .. }
            | Operation::ReportCompromise(_) => Self::Administer,
            Operation::RegisterKey(registered) => Self::over_key(Some(registered.purpose)),
            Operation::RevokeKey(id, _) => Self::over_key_in_force(directory, id),
            Operation::RecordExport(_) => Self::Export,
        }
    }

    /// A person's key is an admin's business: an approver's stolen credential must not bring its own key.
    const fn over_key(purpose: Option<KeyPurpose>) -> Self {
        match purpose {
            Some(KeyPurpose::Telemetry) => Self::ProducerKeys,
            Some(KeyPurpose::Approval) | None => Self::Administer,
        }
    }

    fn over_key_in_force(directory: &Directory, id: &str) -> Self {
        Self::over_key(directory.keys.get(id).map(|key| key.purpose))
    }

    /// The right that an event rests on; none for what follows from another record by itself.
    pub(crate) fn behind(directory: &Directory, record: &Applied<'_>) -> Option<Self> {
        let actor = record.actor;
        Some(match record.event {
            Event::LogOpened(_)
            | Event::LogRestored(_)
            | Event::SubjectsSealed(_)
            | Event::StateSealed(_) => Self::System,
            Event::DecisionMade(_) => Self::Ask,
            Event::ApprovalGranted(_) | Event::ApprovalDenied(_) => Self::Resolve,
            Event::OutcomeRecorded(_)
            | Event::TraceIngested(_)
            | Event::AuditIngested(_)
            | Event::CostIngested(_)
            | Event::MetricIngested(_)
            | Event::ViolationIngested(_)
            | Event::ObservationRecorded(_) => Self::Report,
            Event::PolicyPublished(_) | Event::PolicyRetired(_) => Self::Policies,
            Event::AdapterRegistered(adapter) if is_adapter(actor, &adapter.id) => Self::OwnAdapter,
            Event::AdapterRegistered(_) => Self::Adapters,
            Event::SettingChanged(_)
            | Event::BudgetSet(_)
            | Event::CredentialIssued(_)
            | Event::CredentialRevoked(_)
            | Event::PersonalErased(_)
            | Event::ErasureRefused(_)
            | Event::HoldSet(_)
            | Event::HoldLifted(_)
            | Event::SignerRotated(_)
            | Event::SignerCompromised(_) => Self::Administer,
            Event::KeyRegistered(registered) => Self::over_key(Some(registered.purpose)),
            Event::KeyRevoked(_) => {
                let id = record.subject.strip_prefix("key/").unwrap_or_default();
                Self::over_key_in_force(directory, id)
            }
            Event::BundleExported(_) => Self::Export,
            Event::DecisionExpired(_) | Event::GrantConsumed(_) | Event::BudgetCrossed(_) => {
                return None;
            }
        })
    }
}

/// Whether an actor may ask this; to be called before anything is answered, a replay included.
///
/// # Errors
/// [`Rejected::NotEntitled`] with the roles of which one is needed (none: nobody but the ledger itself).
pub fn permit(directory: &Directory, actor: &str, operation: &Operation) -> Result<(), Rejected> {
    let right = Right::of(directory, operation, actor);
    if right.is_held(directory, actor) {
        Ok(())
    } else {
        Err(Rejected::NotEntitled {
            needs: right.roles(),
        })
    }
}

/// Whether an actor is this very adapter.
pub(crate) fn is_adapter(actor: &str, id: &str) -> bool {
    subject::actor("adapter", id).is_ok_and(|name| name == actor)
}
