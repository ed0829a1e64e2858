//! A case: one decision, from the moment it is made until nothing more can become of it.
//!
//! An open case is part of the register and holds what a later record is compared with. A closed one is a single word
//! and only cached: it can be folded again from the records of its subject.

use crate::command::Standing;
use probity_schemas::event::Event;
use probity_schemas::hash::Hash;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::{Role, Verdict};
use serde::Serialize;

/// A decision of which something may still become.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct OpenCase {
    /// The adapter that was named.
    pub adapter: Option<String>,
    /// SHA-256 of the salt followed by the canonical request.
    pub digest: Hash,
    /// The requester's id of the execution.
    pub execution: String,
    /// Seconds a grant will hold.
    pub grant_seconds: u32,
    /// Leaf hash of the decision's record.
    pub leaf: Hash,
    /// The actor who asked.
    pub requester: String,
    /// The role that resolves it.
    pub role: Role,
    /// The salt of the digest.
    pub salt: Hash,
    /// Where it stands.
    pub status: CaseStatus,
    /// The workspace of the decision's record.
    pub workspace: Option<String>,
}

/// Where an open case stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub enum CaseStatus {
    /// It waits for a person, until and with this time.
    Pending {
        /// The last moment.
        expires: Time,
    },
    /// A person granted it, and the grant is unused.
    Approved {
        /// The last moment of the grant.
        expires: Time,
    },
    /// A person refused it. Kept as long as the person could have answered, so that asking again gets the same answer;
    /// the first record after that time drops it.
    Denied {
        /// The last moment of that answer.
        until: Time,
    },
}

impl CaseStatus {
    /// The last moment at which it stands so.
    #[must_use]
    pub const fn deadline(self) -> Time {
        match self {
            Self::Pending { expires } | Self::Approved { expires } => expires,
            Self::Denied { until } => until,
        }
    }
}

/// A decision of which nothing more will become but reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Closed {
    /// Allowed, with or without a warning.
    Allowed,
    /// Approved by a person, and the grant is used.
    Consumed,
    /// Refused by the rules.
    Refused,
    /// Refused by a person.
    Denied,
    /// Time ran out: nobody answered, or the grant was not used.
    Expired,
}

impl Closed {
    /// What an event makes of its decision; none when the case is open after it, or the event says nothing of that.
    #[must_use]
    pub fn after(event: &Event) -> Option<Self> {
        match event {
            Event::DecisionMade(made) => match made.verdict {
                Verdict::Allow | Verdict::Warn => Some(Self::Allowed),
                Verdict::Deny => Some(Self::Refused),
                Verdict::RequireApproval => None,
            },
            Event::DecisionExpired(_) => Some(Self::Expired),
            Event::ApprovalDenied(_) => Some(Self::Denied),
            Event::GrantConsumed(_) => Some(Self::Consumed),
            _ => None,
        }
    }

    /// Whether the act may be reported as done.
    #[must_use]
    pub const fn was_allowed(self) -> bool {
        matches!(self, Self::Allowed | Self::Consumed)
    }
}

/// The fold of one decision's events, in order; none while the case is open, or when there is no decision.
pub fn closed_of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Closed> {
    events.into_iter().filter_map(Closed::after).last()
}

impl From<Closed> for Standing {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Allowed => Self::Allowed,
            Closed::Consumed => Self::Consumed,
            Closed::Refused => Self::Refused,
            Closed::Denied => Self::Denied,
            Closed::Expired => Self::Expired,
        }
    }
}

impl From<CaseStatus> for Standing {
    fn from(status: CaseStatus) -> Self {
        match status {
            CaseStatus::Pending { .. } => Self::Pending,
            CaseStatus::Approved { .. } => Self::Approved,
            CaseStatus::Denied { .. } => Self::Denied,
        }
    }
}
