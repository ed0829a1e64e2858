//! When a log's subjects and register are sealed: each period, at least daily when something was written, and before an
//! export that asks.
//!
//! The runs are gathered beside the writer and go through its queue like any command. A seal that another overtook is
//! refused there and leaves nothing behind.

use crate::error::SubmitError;
use crate::ledger::{Ledger, Published};
use crate::limits::{SEAL_DELAY_SECONDS_MAX, SEAL_RECORDS};
use crate::receipt::Submission;
use crate::runs::next_runs;
use crate::store::Span;
use probity_governance::command::{Command, Operation};
use probity_governance::execute::Rejected;
use probity_governance::permission::SYSTEM;
use probity_schemas::event::seal::SubjectsSealed;
use probity_schemas::record::Record;
use probity_schemas::subject::Tenant;
use std::sync::Arc;

impl Ledger {
    /// Seals what was written since the last seal; nothing when nothing was.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn seal(&self, tenant: &Tenant) -> Result<(), SubmitError> {
        let (log, state) = {
            let handle = self.handle(tenant).await?;
            (handle.log, Arc::clone(&handle.published.borrow()))
        };
        if first_unsealed(&state).is_none() {
            return Ok(());
        }
        let before = state
            .sealed
            .as_ref()
            .map_or((&[][..], 0), |sealed| (&sealed.runs[..], sealed.size));
        let sealed = SubjectsSealed {
            runs: next_runs(&*self.0.store, log, before, state.size).await?,
            size: state.size,
        };
        let submission = Submission {
            command: Command {
                actor: SYSTEM.to_owned(),
                surface: "ledger",
                workspace: None,
                correlation: None,
                causation: None,
                traceparent: None,
                operation: Operation::Seal(Box::new(sealed)),
            },
            idempotency: None,
            attachments: Vec::new(),
        };
        match self.submit(tenant, submission).await {
            Ok(_) | Err(SubmitError::Rejected(Rejected::SealOutOfPlace)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Seals the logs of this node that are due.
    pub(crate) async fn seal_due(&self) {
        for tenant in self.0.owned() {
            let sealed = match self.is_due(&tenant).await {
                Ok(true) => self.seal(&tenant).await,
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = sealed {
                tracing::warn!(log.tenant = %tenant, error = &error as &dyn std::error::Error, "the log was not sealed");
            }
        }
    }

    async fn is_due(&self, tenant: &Tenant) -> Result<bool, SubmitError> {
        let Some(handle) = self.live(tenant) else {
            return Ok(false);
        };
        let state = Arc::clone(&handle.published.borrow());
        let Some(first) = first_unsealed(&state) else {
            return Ok(false);
        };
        let sealed = state.sealed.as_ref().map_or(0, |sealed| sealed.size);
        if state.size - sealed >= SEAL_RECORDS {
            return Ok(true);
        }
        let page = self
            .0
            .store
            .read(handle.log, Span::From(first), 1, 1)
            .await?;
        let written = page
            .first()
            .and_then(|stored| Record::parse_canonical(&stored.line).ok())
            .map(|record| record.envelope.time);
        let now = self.0.clock.now();
        Ok(written.is_some_and(|time| time.plus_seconds(SEAL_DELAY_SECONDS_MAX) <= now))
    }
}

/// The first record that no seal covers and that is no seal's own.
fn first_unsealed(state: &Published) -> Option<u64> {
    let first = match &state.sealed {
        None => 0,
        // A seal is two records; what stands between its size and them was written meanwhile.
        Some(sealed) if sealed.sequence > sealed.size + 1 => sealed.size,
        Some(sealed) => sealed.sequence + 1,
    };
    (first < state.size).then_some(first)
}
