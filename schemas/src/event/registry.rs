//! What decisions look up: policies, adapters, credentials, budgets.

use crate::policy::Policy;
use crate::time::Time;
use crate::vocabulary::{BudgetLevel, CredentialMethod, RiskClass, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `policy.published.v1`: a policy, new or changed, is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyPublished {
    /// The policy, whole.
    pub policy: Policy,
}

/// `policy.retired.v1`: a policy is no longer in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRetired {
    /// Its name.
    pub id: String,
}

/// `adapter.registered.v1`: what an adapter says of itself, and whether it is switched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdapterRegistered {
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Its certification tier.
    pub certification: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether it may ask at all.
    pub enabled: bool,
    /// Its own id.
    pub id: String,
    /// Its class.
    pub risk_class: RiskClass,
    /// The tools it brings.
    pub tool_capabilities: Vec<String>,
    /// Its version.
    pub version: String,
}

/// `credential.issued.v1`: somebody may act. The secret is not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialIssued {
    /// Who acts with it; ends in `:*` where the credential names its bearer, as a token of an adapter does.
    pub actor: String,
    /// BLAKE3 of a minted key, hexadecimal; keyed BLAKE3 of a secret that people chose. It changes with the secret.
    pub digest: String,
    /// How it is presented.
    pub method: CredentialMethod,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// `credential.revoked.v1`: it is void from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialRevoked {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `budget.set.v1`: what the tenant may spend in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetSet {
    /// The share, in thousandths, at which a warning is recorded.
    pub alert_milli: u32,
    /// Whether it refuses or only warns.
    pub hard: bool,
    /// Micro-USD.
    pub micros: u64,
    /// The first moment after the period.
    pub period_end: Time,
    /// The first moment of the period.
    pub period_start: Time,
}

/// `budget.crossed.v1`: a report of cost took the spending past a mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetCrossed {
    /// The mark.
    pub level: BudgetLevel,
    /// The budget, micro-USD.
    pub micros: u64,
    /// Spent in the period, micro-USD.
    pub spent_micros: u64,
}
