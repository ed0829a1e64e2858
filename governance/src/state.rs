//! The state: what the records come to, as far as deciding needs it.
//!
//! The *register* (directory, open cases, budget, newest seal) is bounded and whole in memory. `closed` is a cache beside it: a
//! closed case can be folded again from its records ([`closed_of`]), so it is in no snapshot and in no digest, and
//! whoever holds the state may drop entries at will ([`State::evict`]). Nothing else changes a state than
//! [`State::apply`], record by record in order.

mod budget;
mod case;
mod directory;
mod fold;
mod sealed;
mod snapshot;

pub use budget::Budget;
pub use case::{CaseStatus, Closed, OpenCase, closed_of};
pub use directory::{
    Adapter, Credential, Directory, InForce, LogIdentity, RegisteredKey, SignerTerm,
    policyset_digest,
};
pub use sealed::Sealed;
pub use snapshot::{STATE_VERSION, SnapshotError};

use crate::command::Standing;
use probity_schemas::event::Event;
use probity_schemas::hash::Hash;
use probity_schemas::time::Time;
use probity_schemas::vocabulary::Role;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// What the records come to.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What decisions look up and what changes seldom.
    pub directory: Arc<Directory>,
    /// Decisions of which something may still become.
    pub open: BTreeMap<Uuid, OpenCase>,
    /// The tenant's budget.
    pub budget: Option<Budget>,
    /// The newest seal over the log's subjects.
    pub sealed: Option<Sealed>,
    /// How many records are folded in.
    pub size: u64,
    /// Decisions that are closed, as far as they are remembered.
    pub closed: HashMap<Uuid, Closed>,
    /// Pending and approved cases by their last moment; follows from `open`.
    due: BTreeSet<(Time, Uuid)>,
    /// Denied cases by their last moment; follows from `open`.
    denied: BTreeSet<(Time, Uuid)>,
}

/// A record, as far as the rules look at it.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its position in the log.
    pub sequence: u64,
    /// Its stream.
    pub subject: &'a str,
    /// Who caused it.
    pub actor: &'a str,
    /// Its time.
    pub time: Time,
    /// Its workspace.
    pub workspace: Option<&'a str>,
    /// Its body.
    pub event: &'a Event,
}

/// A record that cannot follow the ones before: the log, or this program, is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// `log.opened` came twice.
    #[error("the log is opened already")]
    OpenedTwice,
    /// A record that needs an open log came before record 0.
    #[error("the log is not opened")]
    NotOpened,
    /// The rules are newer than this program.
    #[error("engine {engine} is newer than this program")]
    NewerEngine {
        /// The version of the rules.
        engine: u32,
    },
    /// The subject does not fit the type.
    #[error("{subject} is no subject of this type")]
    BadSubject {
        /// The subject.
        subject: String,
    },
    /// A policy was retired that is not in force.
    #[error("{subject} is not in force")]
    PolicyUnknown {
        /// Its subject.
        subject: String,
    },
    /// A credential was revoked that is not valid.
    #[error("{subject} is not valid")]
    CredentialUnknown {
        /// Its subject.
        subject: String,
    },
    /// A key was registered that cannot be, or revoked that is not in force.
    #[error("{subject} is no key that can be registered or revoked here")]
    Key {
        /// Its subject.
        subject: String,
    },
    /// A key of the signer's came that cannot be, or cannot be called compromised.
    #[error("{subject} does not go on with this key")]
    Signer {
        /// Its subject.
        subject: String,
    },
    /// A decision came twice.
    #[error("{subject} was made already")]
    DecidedTwice {
        /// Its subject.
        subject: String,
    },
    /// The record does not fit where the decision stands.
    #[error("{subject} does not stand where this record needs it")]
    CaseElsewhere {
        /// Its subject.
        subject: String,
    },
    /// A budget was crossed that is not set.
    #[error("no budget is set")]
    NoBudget,
}

impl State {
    /// The directory, for publication to readers.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    /// What an actor's unrevoked credentials let it do.
    #[must_use]
    pub fn roles_of(&self, actor: &str) -> Vec<Role> {
        self.directory.roles_of(actor)
    }

    /// How a decision stands by the records, as far as this state knows it; time alone changes nothing here.
    #[must_use]
    pub fn standing(&self, decision: &Uuid) -> Option<Standing> {
        let open = self
            .open
            .get(decision)
            .map(|case| Standing::from(case.status));
        open.or_else(|| self.closed.get(decision).copied().map(Standing::from))
    }

    /// Forgets a closed case; the register is as before.
    pub fn evict(&mut self, decision: &Uuid) {
        self.closed.remove(decision);
    }

    /// Pending and approved cases whose last moment is before `time`, the longest due first.
    pub fn due(&self, time: Time) -> impl Iterator<Item = (Time, Uuid)> + '_ {
        self.due
            .iter()
            .copied()
            .take_while(move |(deadline, _)| *deadline < time)
    }
}

/// The id of a decision in its subject.
///
/// # Errors
/// [`StateError::BadSubject`] for any other subject.
pub fn decision_id(subject: &str) -> Result<Uuid, StateError> {
    let id = subject
        .strip_prefix("decision/")
        .and_then(|id| Uuid::try_parse(id).ok());
    id.ok_or_else(|| StateError::BadSubject {
        subject: subject.to_owned(),
    })
}
