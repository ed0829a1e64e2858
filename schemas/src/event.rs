//! The events: one family a file, one struct a type, and the closed list of them all.
//!
//! A type's name is `<thing>.<past participle>.v<N>`. A type that is not in the list is not guessed at: the reader is
//! older than the log.

pub mod decision;
pub mod key;
pub mod log;
pub mod personal;
pub mod registry;
pub mod seal;
pub mod signer;
pub mod telemetry;

use crate::error::FormatError;
use serde::{Serialize, Serializer};

/// Declares the closed list: variant, type name, body.
macro_rules! events {
    ($($variant:ident($family:ident) = $name:literal),+ $(,)?) => {
        /// A record's body, by its type.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each variant is the documented struct of the same name")]
        pub enum Event {
            $($variant(Box<$family::$variant>),)+
        }

        impl Event {
            /// Every type's name, in the order of the families.
            pub const TYPES: &'static [&'static str] = &[$($name),+];

            /// The type's name, as in the record's `type`.
            #[must_use]
            pub const fn type_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),+ }
            }

            /// Reads a body by the struct of its type.
            ///
            /// # Errors
            /// [`FormatError::BadType`] for a type that is not in the list, [`FormatError::BadData`] for a body
            /// that its struct refuses.
            pub fn parse(type_name: &str, json: &str) -> Result<Self, FormatError> {
                match type_name {
                    $($name => serde_json::from_str(json).map(|body| Self::$variant(Box::new(body))).map_err(|error| FormatError::BadData { event: $name.to_owned(), reason: error.to_string() }),)+
                    _ => Err(FormatError::BadType { found: type_name.to_owned() }),
                }
            }

            /// The JSON Schema of every body, by type name.
            #[must_use]
            pub fn schemas() -> Vec<(&'static str, schemars::Schema)> {
                vec![$(($name, schemars::schema_for!($family::$variant))),+]
            }
        }

        impl Serialize for Event {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(body) => body.serialize(serializer)),+ }
            }
        }

        $(impl From<$family::$variant> for Event {
            fn from(body: $family::$variant) -> Self {
                Self::$variant(Box::new(body))
            }
        })+
    };
}

events! {
    LogOpened(log) = "log.opened.v1",
    LogRestored(log) = "log.restored.v1",
    SettingChanged(log) = "setting.changed.v1",
    BundleExported(log) = "bundle.exported.v1",
    SubjectsSealed(seal) = "subjects.sealed.v1",
    StateSealed(seal) = "state.sealed.v1",
    SignerRotated(signer) = "signer.rotated.v1",
    SignerCompromised(signer) = "signer.compromised.v1",
    DecisionMade(decision) = "decision.made.v1",
    DecisionExpired(decision) = "decision.expired.v1",
    ApprovalGranted(decision) = "approval.granted.v1",
    ApprovalDenied(decision) = "approval.denied.v1",
    GrantConsumed(decision) = "grant.consumed.v1",
    OutcomeRecorded(decision) = "outcome.recorded.v1",
    TraceIngested(telemetry) = "trace.ingested.v1",
    AuditIngested(telemetry) = "audit.ingested.v1",
    CostIngested(telemetry) = "cost.ingested.v1",
    MetricIngested(telemetry) = "metric.ingested.v1",
    ViolationIngested(telemetry) = "violation.ingested.v1",
    ObservationRecorded(telemetry) = "observation.recorded.v1",
    PolicyPublished(registry) = "policy.published.v1",
    PolicyRetired(registry) = "policy.retired.v1",
    AdapterRegistered(registry) = "adapter.registered.v1",
    CredentialIssued(registry) = "credential.issued.v1",
    CredentialRevoked(registry) = "credential.revoked.v1",
    KeyRegistered(key) = "key.registered.v1",
    KeyRevoked(key) = "key.revoked.v1",
    BudgetSet(registry) = "budget.set.v1",
    BudgetCrossed(registry) = "budget.crossed.v1",
    PersonalErased(personal) = "personal.erased.v1",
    ErasureRefused(personal) = "erasure.refused.v1",
    HoldSet(personal) = "hold.set.v1",
    HoldLifted(personal) = "hold.lifted.v1",
}
