//! What happened, for a report that somebody files: records by day, decisions by verdict, and what people should look at,
//! one by one. It is told by the records, and is worth what the verdict over them is worth.
//!
//! Memory: a line a day and at most [`ACTS_MAX`] acts; what is beyond is counted.

use crate::limits::{ACT_WORDS_MAX, ACTS_MAX, DAYS_MAX};
use probity_schemas::event::Event;
use probity_schemas::record::Record;
use probity_schemas::vocabulary::{OutcomeStatus, Verdict};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The days beyond the most that are told apart.
const LATER: &str = "later";

/// The story of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Chronicle {
    /// Time of the first record, as it stands there.
    pub begin: Option<String>,
    /// Time of the last record.
    pub end: Option<String>,
    /// By day (UTC, `YYYY-MM-DD`).
    pub days: BTreeMap<String, Day>,
    /// Decisions by verdict.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Decisions by the policy that decided them; the empty name where none did.
    pub policies: BTreeMap<String, u64>,
    /// What people should look at: refusals, approvals, failures, violations, changes of the rules.
    pub acts: Vec<Act>,
    /// Acts beyond the most that are listed.
    pub acts_left_out: u64,
}

/// One day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Day {
    /// Records.
    pub records: u64,
    /// Decisions made.
    pub decisions: u64,
    /// Decisions that refused.
    pub denials: u64,
    /// Decisions of people.
    pub approvals: u64,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Act {
    /// The record.
    pub sequence: u64,
    /// Its time.
    pub time: String,
    /// Who.
    pub actor: String,
    /// Its type.
    pub event: String,
    /// What it is about.
    pub subject: String,
    /// In words, as far as the record has any; cut where it is long.
    pub words: String,
}

impl Chronicle {
    /// Takes the next record in.
    pub(crate) fn hear(&mut self, record: &Record<'_>, event: &Event) {
        let time = record.envelope.time.to_string();
        let day = self.day(&time);
        day.records += 1;
        match event {
            Event::DecisionMade(made) => {
                day.decisions += 1;
                day.denials += u64::from(made.verdict == Verdict::Deny);
                *self.verdicts.entry(made.verdict.as_str()).or_default() += 1;
                let winner = made.winner.clone().unwrap_or_default();
                *self.policies.entry(winner).or_default() += 1;
            }
            Event::ApprovalGranted(_) | Event::ApprovalDenied(_) => day.approvals += 1,
            _ => {}
        }
        if deserves_a_look(event) {
            self.act(record, event, &time);
        }
        self.begin.get_or_insert_with(|| time.clone());
        self.end = Some(time);
    }

    fn day(&mut self, time: &str) -> &mut Day {
        let name: String = time.chars().take(10).collect();
        let told_apart = self.days.contains_key(&name) || self.days.len() < DAYS_MAX;
        let name = if told_apart { name } else { LATER.to_owned() };
        self.days.entry(name).or_default()
    }

    fn act(&mut self, record: &Record<'_>, event: &Event, time: &str) {
        if self.acts.len() >= ACTS_MAX {
            self.acts_left_out += 1;
            return;
        }
        self.acts.push(Act {
            sequence: record.sequence,
            time: time.to_owned(),
            actor: record.envelope.actor.clone().into_owned(),
            event: record.envelope.type_name.clone().into_owned(),
            subject: record.envelope.subject.clone().into_owned(),
            words: words(event).chars().take(ACT_WORDS_MAX).collect(),
        });
    }
}

/// Everything but the daily run: reports, decisions that let an act go on, and grants that were used.
fn deserves_a_look(event: &Event) -> bool {
    match event {
        Event::DecisionMade(made) => {
            matches!(made.verdict, Verdict::Deny | Verdict::RequireApproval)
        }
        Event::OutcomeRecorded(outcome) => outcome.status == OutcomeStatus::Failed,
        Event::TraceIngested(_)
        | Event::AuditIngested(_)
        | Event::CostIngested(_)
        | Event::MetricIngested(_)
        | Event::ObservationRecorded(_)
        | Event::GrantConsumed(_) => false,
        _ => true,
    }
}

fn words(event: &Event) -> String {
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    match event {
        Event::DecisionMade(made) => {
            let (verdict, action) = (made.verdict, &made.facts.request.action);
            format!("{verdict}: {action}: {}", made.explanation)
        }
        Event::ApprovalGranted(granted) => given(&granted.justification),
        Event::ApprovalDenied(denied) => given(&denied.justification),
        Event::OutcomeRecorded(outcome) => match &outcome.message {
            Some(message) => format!("{}: {message}", outcome.status),
            None => outcome.status.to_string(),
        },
        Event::ViolationIngested(violation) => {
            format!("{}: {}", violation.violation, violation.message)
        }
        Event::PersonalErased(erased) => {
            format!(
                "{} disclosures destroyed: {}",
                erased.disclosures, erased.basis
            )
        }
        Event::ErasureRefused(refused) => format!("hold {}: {}", refused.hold, refused.basis),
        Event::HoldSet(set) => set.reason.clone(),
        Event::HoldLifted(lifted) => lifted.reason.clone(),
        _ => String::new(),
    }
}
