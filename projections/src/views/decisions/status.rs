//! How a decision stands: the verdict at first, and then what became of it.

use crate::value::word_cells;
use probity_schemas::vocabulary::Verdict;
use serde::{Deserialize, Serialize};

/// How a decision stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionStatus {
    /// Allowed at once.
    Allow,
    /// Allowed at once, with a warning.
    Warn,
    /// Refused at once.
    Deny,
    /// Waits for a person.
    Pending,
    /// A person allowed it; its grant is not used yet.
    Approved,
    /// A person refused it.
    Denied,
    /// Nobody resolved it in time, or its grant was not used in time.
    Expired,
    /// A person allowed it, and its grant is used.
    Consumed,
}

impl DecisionStatus {
    /// The word as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Consumed => "consumed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Allow,
            Self::Warn,
            Self::Deny,
            Self::Pending,
            Self::Approved,
            Self::Denied,
            Self::Expired,
            Self::Consumed,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
    }
}

impl From<Verdict> for DecisionStatus {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allow => Self::Allow,
            Verdict::Warn => Self::Warn,
            Verdict::RequireApproval => Self::Pending,
            Verdict::Deny => Self::Deny,
        }
    }
}

word_cells!(DecisionStatus);
