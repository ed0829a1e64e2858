//! Adjudication: each decision, approval and outcome is judged by the rules, given the records before it.
//!
//! The rules are those of the writer (`probity-governance`): this shows that they were followed, not that they are wise.
//! Memory: the register (what is in force, open cases), and 17 to 40 bytes a closed decision.

use crate::report::{CheckName, Counts, Findings};
use crate::rule;
use crate::walk::stopped;
use probity_governance::adjudicate::{Fault, adjudicate};
use probity_governance::state::{Applied, InForce, State, StateError};
use probity_schemas::event::Event;
use probity_schemas::record::Record;
use std::collections::BTreeMap;

/// The rules, and the state that the records come to.
pub(crate) enum Court {
    /// Nobody asked for it.
    NotAsked,
    /// The state after the records so far.
    Sitting {
        /// The state.
        state: Box<State>,
        /// Sealed digests that it had.
        digests: u64,
    },
    /// The state is not known any more, for this reason.
    Left(String),
}

impl Court {
    pub(crate) fn new(asked: bool) -> Self {
        if asked {
            Self::Sitting {
                state: Box::default(),
                digests: 0,
            }
        } else {
            Self::NotAsked
        }
    }

    /// Judges the next record and folds it in.
    pub(crate) fn hear(&mut self, record: &Record<'_>, event: &Event, findings: &mut Findings) {
        let Self::Sitting { state, digests } = self else {
            return;
        };
        let applied = Applied {
            leaf: record.leaf,
            sequence: record.sequence,
            subject: &record.envelope.subject,
            actor: &record.envelope.actor,
            time: record.envelope.time,
            workspace: record.envelope.workspace.as_deref(),
            event,
        };
        let verdict = adjudicate(state, &applied);
        let (rule, detail) = match verdict {
            Ok(()) => match state.apply(&applied) {
                Ok(()) => {
                    *digests += u64::from(matches!(event, Event::StateSealed(_)));
                    return;
                }
                Err(error @ StateError::NewerEngine { .. }) => {
                    return self.leave(format!("record {}: {error}", record.sequence));
                }
                Err(error) => ("adjudication.state", error.to_string()),
            },
            Err(fault @ Fault::NewerEngine { .. }) => {
                return self.leave(format!("record {}: {fault}", record.sequence));
            }
            Err(fault) => (rule::of_fault(&fault), fault.to_string()),
        };
        let sequence = Some(record.sequence);
        let check = match rule {
            rule::STATE_DIGEST => CheckName::StateDigest,
            _ => CheckName::Adjudication,
        };
        findings.fail(check, sequence, rule, detail);
        self.leave(stopped(record.sequence));
    }

    /// The policies in force after the records so far, where the state is known.
    pub(crate) fn policies(&self) -> Option<&BTreeMap<String, InForce>> {
        match self {
            Self::Sitting { state, .. } => Some(&state.directory.policies),
            Self::NotAsked | Self::Left(_) => None,
        }
    }

    /// From here on the state is not known. The first reason is kept.
    pub(crate) fn leave(&mut self, why: String) {
        if matches!(self, Self::Sitting { .. }) {
            *self = Self::Left(why);
        }
    }

    /// The end of the records.
    pub(crate) fn close(self, counts: &Counts, findings: &mut Findings) {
        let name = CheckName::Adjudication;
        match self {
            Self::NotAsked => {
                let why = "not asked for (--no-adjudication)";
                findings.not_asked(name, why);
                findings.not_asked(CheckName::StateDigest, why);
            }
            Self::Left(why) => {
                findings.impossible(name, why.as_str());
                findings.impossible(CheckName::StateDigest, why);
            }
            Self::Sitting { digests, .. } => {
                let Counts {
                    decisions,
                    approvals,
                    outcomes,
                    ..
                } = counts;
                let taken = counts.taken_as_recorded();
                findings.hold(
                    name,
                    format!("{decisions} decisions, {approvals} approvals and {outcomes} outcomes follow the rules{taken}"),
                );
                let detail = match digests {
                    0 => "no register is sealed yet".to_owned(),
                    digests => format!("{digests} sealed registers are what the records come to"),
                };
                findings.hold(CheckName::StateDigest, detail);
            }
        }
    }
}
