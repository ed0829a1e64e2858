//! Adjudication: each decision, approval and outcome is decided again from the records before it.

use crate::report::{CheckName, Counts, Findings};
use probity_schemas::event::Event;
use probity_schemas::record::Record;

/// The rules, and the state that the records come to.
pub(crate) struct Court {
    asked: bool,
    left: Option<u64>,
}

impl Court {
    pub(crate) const fn new(asked: bool) -> Self {
        Self { asked, left: None }
    }

    pub(crate) fn hear(&mut self, _record: &Record<'_>, _event: &Event, _findings: &mut Findings) {}

    pub(crate) fn leave(&mut self, position: u64) {
        self.left.get_or_insert(position);
    }

    pub(crate) fn close(&self, _counts: &Counts, findings: &mut Findings) {
        if self.asked {
            findings.impossible(CheckName::Adjudication, "this build has no rules yet");
        } else {
            findings.not_asked(CheckName::Adjudication, "not asked for (--no-adjudication)");
        }
    }
}
