//! Having checkpoints cosigned: which witnesses, how they are reached, what each of them said last.
//!
//! `ask` is one exchange with one witness, `gather` what is done for a log: on a cadence, before an export, and before a log is
//! signed at all, where the witnesses' memory is a second guard. No network here: bytes go through a [`Courier`].

mod ask;
pub(crate) mod gather;

use crate::courier::{Courier, CourierError};
use probity_schemas::subject::Tenant;
use probity_schemas::trust::{TrustPolicy, Witness};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

pub use gather::{WitnessReport, WitnessingReport};

/// Why a witness did not cosign.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// There is no answer.
    #[error(transparent)]
    Courier(#[from] CourierError),
    /// It refuses, for a reason that says nothing about the log.
    #[error("it answers {status}: {meaning}")]
    Refused {
        /// The status code.
        status: u16,
        /// What that means.
        meaning: &'static str,
    },
    /// It answers yes, and no signature of the key that the policy names holds.
    #[error("it answers with no cosignature that holds under its key")]
    NoCosignature,
    /// Others had it cosign meanwhile, again and again.
    #[error("its size changed with every request")]
    Moving,
    /// It saw more of this log than there is.
    #[error(
        "it cosigned this log at {seen} records, and the database has {found}: it was restored from a backup, or cut"
    )]
    Ahead {
        /// What it cosigned.
        seen: u64,
        /// What is there.
        found: u64,
    },
    /// What is there does not go on from what it saw.
    #[error(
        "the log of {found} records does not go on from what it cosigned at {seen}: it was rewritten"
    )]
    Forked {
        /// What it cosigned.
        seen: u64,
        /// What is there.
        found: u64,
    },
    /// The log cannot be read.
    #[error("the log cannot be read: {why}")]
    Log {
        /// Why.
        why: String,
    },
}

impl WitnessError {
    /// Whether this shows that the log may not be signed.
    #[must_use]
    pub const fn is_evidence(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Forked { .. })
    }
}

/// The witnesses of a server's logs, and how they are asked.
#[derive(Debug)]
pub struct Witnesses {
    policy: TrustPolicy,
    period: Duration,
    courier: Arc<dyn Courier>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// By tenant and witness (its place in the policy): what came of the last exchange.
    last: HashMap<(Tenant, usize), Last>,
    /// Logs that a witness has evidence against, and what it is. Until the server is started again.
    refused: HashMap<Tenant, String>,
    /// Witnesses that did not answer, and until when they are only asked for an export.
    silent: HashMap<usize, Instant>,
}

/// What came of the last exchange with one witness about one log.
#[derive(Clone, Debug, Default)]
struct Last {
    /// The newest size it cosigned, and when by its clock.
    cosigned: Option<(u64, u64)>,
    /// Why it did not cosign the last time.
    failure: Option<WitnessError>,
}

impl Witnesses {
    /// The witnesses of a policy that have a url, asked every `period`.
    #[must_use]
    pub fn new(policy: TrustPolicy, period: Duration, courier: Arc<dyn Courier>) -> Self {
        Self {
            policy,
            period,
            courier,
            memory: Mutex::default(),
        }
    }

    /// How often they are asked.
    pub(crate) const fn period(&self) -> Duration {
        self.period
    }

    /// Why this log is not signed, if a witness has evidence against it.
    pub(crate) fn refusal(&self, tenant: &Tenant) -> Option<String> {
        self.memory().refused.get(tenant).cloned()
    }

    fn refuse(&self, tenant: &Tenant, why: String) {
        self.memory().refused.insert(tenant.clone(), why);
    }

    fn note(&self, tenant: &Tenant, at: usize, outcome: Result<(u64, u64), WitnessError>) {
        let mut memory = self.memory();
        if let Err(WitnessError::Courier(_)) = &outcome {
            memory.silent.insert(at, Instant::now() + SILENCE);
        } else {
            memory.silent.remove(&at);
        }
        let last = memory.last.entry((tenant.clone(), at)).or_default();
        last.failure = outcome.as_ref().err().cloned();
        last.cosigned = outcome.ok().or(last.cosigned);
    }

    fn last(&self, tenant: &Tenant, at: usize) -> Last {
        let memory = self.memory();
        let last = memory.last.get(&(tenant.clone(), at));
        last.cloned().unwrap_or_default()
    }

    fn is_silent(&self, at: usize) -> bool {
        let until = self.memory().silent.get(&at).copied();
        until.is_some_and(|until| Instant::now() < until)
    }

    fn with_url(&self) -> impl Iterator<Item = (usize, &Witness, &str)> {
        let numbered = self.policy.witnesses().iter().enumerate();
        numbered.filter_map(|(at, witness)| Some((at, witness, witness.url.as_deref()?)))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a witness that did not answer is left alone, so that one that is down does not hold up every log in turn.
const SILENCE: Duration = Duration::from_secs(crate::limits::WITNESS_SILENCE_SECONDS);
