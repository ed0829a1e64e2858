//! The index as a decision sees it: what the store said, and what the writer touched since.

use crate::admit::Lookups;
use crate::recent::Recent;
use probity_governance::command::Alias;
use probity_governance::execute::Index;
use probity_governance::state::{Closed, State};
use uuid::Uuid;

/// One command's view of the index.
pub(crate) struct Lookup<'a> {
    pub state: &'a State,
    pub recent: &'a Recent,
    pub seen: &'a Lookups,
}

impl Index for Lookup<'_> {
    fn alias(&self, alias: &Alias) -> Option<String> {
        let name = alias.as_str();
        self.recent
            .alias(name)
            .map(str::to_owned)
            .or_else(|| self.seen.aliases.get(name).cloned().flatten())
    }

    fn closed(&self, decision: Uuid) -> Option<Closed> {
        self.state
            .closed
            .get(&decision)
            .or_else(|| self.seen.closed.get(&decision))
            .cloned()
    }
}
