//! Conditions that look at values which the record does not hold. Whoever has the values judges by them and notes how each condition
//! stood; whoever has not goes by what was noted. Which conditions these are follows from the record alone, so that none can be
//! noted that is not one, and none left out.
//!
//! A member that an object has not, and may have had under a digest, counts as withheld: a digest says nothing of its name.

use super::conditions::{self, Judgement};
use super::known::{FORBIDDEN_SEGMENTS, Known};
use crate::engine::Beside;
use probity_schemas::body::Body;
use probity_schemas::disclosure::{Digest, Disclosure, holds_digest, lacks_members, reveal};
use probity_schemas::event::decision::WithheldResult;
use probity_schemas::policy::{Condition, Policy};
use probity_schemas::vocabulary::ConditionResult;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// What conditions are judged on.
pub(super) struct Sight<'a> {
    /// The facts as they are recorded.
    pub(super) known: &'a Known<'a>,
    source: Source<'a>,
    results: RefCell<Vec<WithheldResult>>,
    /// How many of them were taken as they were noted.
    taken: Cell<u32>,
}

/// Where a condition looks that looks at a withheld value.
enum Source<'a> {
    /// At the facts as they stand.
    Recorded,
    /// At the values as they were sent.
    Clear(Box<Known<'a>>),
    /// At what disclosures show, and for the rest at what was noted.
    Shown(Box<Known<'a>>, &'a [WithheldResult]),
}

impl<'a> Sight<'a> {
    pub(super) fn new(known: &'a Known<'a>, beside: Beside<'a>) -> Self {
        let source = match beside {
            _ if !known.has_digests => Source::Recorded,
            Beside::Nothing => Source::Recorded,
            Beside::Clear(bodies) => {
                let (context, metadata) = (value(&bodies.context), value(&bodies.metadata));
                Source::Clear(Box::new(known.opened(context, metadata)))
            }
            Beside::Recorded {
                results,
                disclosures,
            } => {
                let shown: HashMap<Digest, &Disclosure> =
                    disclosures.iter().map(|one| (one.digest(), one)).collect();
                let (context, metadata) = known.bodies();
                let (mut context, mut metadata) = (context.clone(), metadata.clone());
                reveal(&mut context, &shown);
                reveal(&mut metadata, &shown);
                Source::Shown(Box::new(known.opened(context, metadata)), results)
            }
        };
        Self {
            known,
            source,
            results: RefCell::default(),
            taken: Cell::default(),
        }
    }

    /// Judges a condition, and notes how it stands if it looks at a withheld value.
    pub(super) fn judge(&self, policy: &Policy, condition: &Condition) -> Judgement {
        let on = |known: &Known<'_>| conditions::judge(condition, policy.effect, known);
        if !self.known.is_withheld(condition) {
            return on(self.known);
        }
        let mut results = self.results.borrow_mut();
        let judgement = match &self.source {
            Source::Recorded => on(self.known),
            Source::Clear(clear) => on(clear),
            Source::Shown(shown, _) if !shown.is_withheld(condition) => on(shown),
            Source::Shown(_, noted) => {
                self.taken.set(self.taken.get() + 1);
                noted_at(noted, results.len())
            }
        };
        results.push(WithheldResult {
            field: condition.field.clone(),
            policy: policy.id.clone(),
            result: judgement.into(),
        });
        judgement
    }

    /// How the conditions stood that looked at withheld values, in the order in which they were judged, and how many of these
    /// results were taken as they were noted.
    pub(super) fn into_results(self) -> (Vec<WithheldResult>, u32) {
        (self.results.into_inner(), self.taken.get())
    }
}

/// What was noted in this place; where nothing was, the comparison of the results shows it.
fn noted_at(noted: &[WithheldResult], place: usize) -> Judgement {
    let noted = noted.get(place).map(|noted| noted.result);
    noted.map_or(Judgement::Unjudged, Judgement::from)
}

/// Whether something at or below the end of a path is withheld, or may be.
pub(super) fn is_withheld(value: &Value, path: &str) -> bool {
    let mut value = value;
    for segment in path.split('.') {
        let Some(members) = value.as_object() else {
            return false;
        };
        if FORBIDDEN_SEGMENTS.contains(&segment) {
            return false;
        }
        match members.get(segment) {
            Some(member) => value = member,
            None => return lacks_members(members),
        }
    }
    holds_digest(value)
}

fn value(body: &Option<Body>) -> Value {
    body.as_ref()
        .and_then(|body| serde_json::from_str(body.as_str()).ok())
        .unwrap_or(Value::Null)
}

impl From<Judgement> for ConditionResult {
    fn from(judgement: Judgement) -> Self {
        match judgement {
            Judgement::Match => Self::Match,
            Judgement::Miss => Self::Miss,
            Judgement::Unjudged => Self::Unjudged,
        }
    }
}

impl From<ConditionResult> for Judgement {
    fn from(result: ConditionResult) -> Self {
        match result {
            ConditionResult::Match => Self::Match,
            ConditionResult::Miss => Self::Miss,
            ConditionResult::Unjudged => Self::Unjudged,
        }
    }
}
