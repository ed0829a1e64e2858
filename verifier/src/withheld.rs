//! Decisions over values that the record does not hold. Until the bundle shows them, how their conditions stood is taken as it is
//! recorded; where disclosures show them, the conditions are judged again on what was shown.
//!
//! Disclosures come behind the records, so these decisions are kept until then: about as many bytes as their records, at most
//! [`WITHHELD_BYTES_MAX`]; beyond it 8 bytes each, and those are judged on what is shown by nobody.

use crate::limits::WITHHELD_BYTES_MAX;
use crate::report::{CheckName, Findings};
use crate::rule;
use probity_governance::adjudicate::adjudicate_shown;
use probity_governance::engine::PolicySet;
use probity_governance::state::InForce;
use probity_schemas::disclosure::Disclosure;
use probity_schemas::event::decision::DecisionMade;
use probity_schemas::hash::Hash;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The policies of a decision, by subject.
type Policies = BTreeMap<String, InForce>;

/// Decisions that rest on results over withheld values.
#[derive(Debug, Default)]
pub(crate) struct Withheld {
    kept: BTreeMap<u64, Kept>,
    bytes: usize,
    beyond: BTreeSet<u64>,
    newest: Option<(Hash, Arc<Policies>)>,
    /// How many were judged on what is shown, and on that alone.
    shown: u64,
}

#[derive(Debug)]
struct Kept {
    made: Box<DecisionMade>,
    policies: Arc<Policies>,
}

impl Withheld {
    /// Keeps a decision that follows the rules if its recorded results are true.
    pub(crate) fn keep(&mut self, sequence: u64, made: &DecisionMade, policies: &Policies) {
        if made.withheld.is_empty() {
            return;
        }
        let request = &made.facts.request;
        let bodies = [request.context.as_ref(), request.metadata.as_ref()];
        let bodies = bodies.into_iter().flatten().map(|body| body.as_str().len());
        self.bytes += size_of::<DecisionMade>() + bodies.sum::<usize>();
        if self.bytes > WITHHELD_BYTES_MAX {
            self.beyond.insert(sequence);
            return;
        }
        let policies = match &self.newest {
            Some((digest, policies)) if *digest == made.policyset => Arc::clone(policies),
            _ => Arc::new(policies.clone()),
        };
        self.newest = Some((made.policyset, Arc::clone(&policies)));
        let made = Box::new(made.clone());
        self.kept.insert(sequence, Kept { made, policies });
    }

    /// Whether what is shown of a record matters here.
    pub(crate) fn is_about(&self, sequence: u64) -> bool {
        self.kept.contains_key(&sequence) || self.beyond.contains(&sequence)
    }

    /// Judges a decision on all that is shown of its record.
    pub(crate) fn judge(
        &mut self,
        sequence: u64,
        disclosures: &[Disclosure],
        findings: &mut Findings,
    ) {
        let name = CheckName::Adjudication;
        let Some(kept) = self.kept.get(&sequence) else {
            let why = format!(
                "record {sequence}: more decisions over withheld values are shown than are held in memory"
            );
            return findings.impossible(name, why);
        };
        match adjudicate_shown(&PolicySet::of(&kept.policies), &kept.made, disclosures) {
            Ok(0) => self.shown += 1,
            Ok(_) => {}
            Err(fault) => {
                let rule = rule::of_fault(&fault);
                findings.fail(name, Some(sequence), rule, fault.to_string());
            }
        }
    }

    /// How many decisions rest on results that were taken as recorded.
    pub(crate) fn taken_as_recorded(&self) -> u64 {
        (self.kept.len() + self.beyond.len()) as u64 - self.shown
    }
}
