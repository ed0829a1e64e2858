//! Persons held and forgotten: by the rules, and against them by someone who holds the log's key.

use crate::files::broken;
use crate::forgery::judge_forged;
use crate::sealer::Log;
use crate::story::{AGENT, ANN, furnished};
use probity_governance::command::{Erasure, Hold, Operation};
use probity_schemas::event::personal::{ErasureRefused, HoldLifted, HoldSet, PersonalErased};
use std::collections::BTreeSet;

/// What stands for a person of the story.
const PERSON: &str = "0123456789abcdef0123456789abcdef";
const SUBJECT: &str = "erasure/01890000-0000-7000-8000-000000000000";
const OTHER: &str = "00000000000000000000000000000000";

/// A person is held, not forgotten, released, and forgotten.
pub(crate) fn forgets(log: &mut Log) {
    log.run(ANN, hold(Some(PERSON)));
    log.run(ANN, erase(Some(PERSON)));
    log.run(ANN, Operation::LiftHold(lifted()));
    log.run(ANN, erase(Some(PERSON)));
}

fn hold(person: Option<&str>) -> Operation {
    Operation::SetHold(Hold {
        id: "case-1".to_owned(),
        person: person.map(|_| "customer-1".to_owned()),
        token: person.map(str::to_owned),
        reason: "a claim".to_owned(),
    })
}

fn lifted() -> HoldLifted {
    HoldLifted {
        id: "case-1".to_owned(),
        reason: "settled".to_owned(),
    }
}

fn erase(person: Option<&str>) -> Operation {
    Operation::Erase(Erasure {
        attachments: BTreeSet::new(),
        person: "customer-1".to_owned(),
        basis: "GDPR article 17(1)(b)".to_owned(),
        token: person.map(str::to_owned),
        disclosures: 2,
    })
}

fn erased(person: Option<&str>) -> PersonalErased {
    PersonalErased {
        attachments: Vec::new(),
        basis: "none".to_owned(),
        disclosures: 1,
        person: person.map(str::to_owned),
    }
}

fn refused(person: Option<&str>) -> ErasureRefused {
    ErasureRefused {
        basis: "none".to_owned(),
        hold: "case-1".to_owned(),
        person: person.map(str::to_owned),
    }
}

/// What the newest record is.
fn newest(log: &Log) -> String {
    let record: serde_json::Value = serde_json::from_slice(log.lines.last().unwrap()).unwrap();
    record["type"].as_str().unwrap().to_owned()
}

#[test]
fn a_hold_forbids_what_it_is_about() {
    for (held, forgotten, expected) in [
        (Some(PERSON), Some(PERSON), "erasure.refused.v1"),
        (Some(PERSON), Some(OTHER), "personal.erased.v1"),
        (Some(PERSON), None, "personal.erased.v1"),
        (None, Some(PERSON), "erasure.refused.v1"),
        (None, None, "erasure.refused.v1"),
    ] {
        let mut log = furnished();
        log.run(ANN, hold(held));
        log.run(ANN, erase(forgotten));
        assert_eq!(newest(&log), expected, "{held:?} {forgotten:?}");
        assert_eq!(judge_forged(&log.lines).exit, 0);
    }
}

#[test]
fn an_erasure_or_a_refusal_that_the_holds_do_not_give() {
    type Forge = fn(&mut Log);
    const HOLD: &str = "adjudication.hold";
    let table: [(&str, &str, Forge); 8] = [
        ("forgotten although held", HOLD, |log| {
            log.run(ANN, hold(Some(PERSON)));
            log.append(SUBJECT, ANN, erased(Some(PERSON)));
        }),
        ("forgotten although everybody is held", HOLD, |log| {
            log.run(ANN, hold(None));
            log.append(SUBJECT, ANN, erased(None));
        }),
        ("refused without a hold", HOLD, |log| {
            log.append(SUBJECT, ANN, refused(Some(PERSON)));
        }),
        ("refused for another's hold", HOLD, |log| {
            log.run(ANN, hold(Some(OTHER)));
            log.append(SUBJECT, ANN, refused(Some(PERSON)));
        }),
        ("lifted what does not stand", HOLD, |log| {
            log.append("hold/case-1", ANN, lifted());
        }),
        ("set what stands", HOLD, |log| {
            log.run(ANN, hold(None));
            let again = HoldSet {
                id: "case-1".to_owned(),
                person: Some(PERSON.to_owned()),
                reason: "narrower".to_owned(),
            };
            log.append("hold/case-1", ANN, again);
        }),
        (
            "forgotten by an agent",
            "adjudication.not_entitled",
            |log| {
                log.append(SUBJECT, AGENT, erased(Some(PERSON)));
            },
        ),
        ("in another's stream", "adjudication.subject", |log| {
            log.append("hold/case-1", ANN, erased(Some(PERSON)));
        }),
    ];
    for (what, rule, forge) in table {
        let mut log = furnished();
        forge(&mut log);
        let report = judge_forged(&log.lines);
        assert_eq!(report.exit, 1, "{what}\n{report}");
        let last = log.lines.len() as u64 - 1;
        assert_eq!(broken(&report), (rule, Some(last)), "{what}\n{report}");
    }
}
