//! What readers are shown of a log: its state as of the last commit. Not the writer's state, which is ahead of it while a batch is on its way.

use crate::store::Head;
use probity_governance::state::{Budget, Directory, Sealed, State};
use std::sync::Arc;

/// A log's state as of its last commit, as far as readers need it.
#[derive(Clone, Debug)]
pub struct Published {
    /// How many records it has.
    pub size: u64,
    /// The newest checkpoint.
    pub checkpoint: Arc<str>,
    /// Settings, policies, adapters and credentials in force.
    pub directory: Arc<Directory>,
    /// The budget.
    pub budget: Option<Budget>,
    /// The newest seal over the log's subjects.
    pub sealed: Option<Sealed>,
}

impl Published {
    pub(crate) fn of(head: &Head, state: &State) -> Self {
        Self {
            size: head.range.size(),
            checkpoint: Arc::from(head.checkpoint.as_str()),
            directory: Arc::clone(&state.directory),
            budget: state.budget.clone(),
            sealed: state.sealed.clone(),
        }
    }
}
