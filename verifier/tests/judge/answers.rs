//! Answers that a person signs, in parts of a log: what a part leaves out makes them neither true nor false.

use crate::cut::{Part, asked};
use crate::files::broken;
use crate::sealer::{Log, values};
use crate::signed::{Person, approval, signed_answer, waiting};
use crate::story::ANN;
use probity_schemas::event::key::KeyRevoked;
use probity_schemas::signature::Answer;
use probity_verifier::{CheckName, CheckResult, Report, TrustedActor};
use uuid::Uuid;

/// The part of a log that holds a decision, and these other streams.
fn part_of(log: &Log, decision: Uuid, others: &[&str]) -> Part {
    let lines = values(&log.lines);
    let name = |at: &usize| lines[*at]["subject"].as_str().unwrap();
    let wanted = |at: &usize| others.iter().any(|other| name(at).starts_with(other));
    let others: Vec<usize> = (0..lines.len()).filter(wanted).collect();
    Part::with(log, &format!("decision/{decision}"), &others)
}

fn judge_part(part: &Part, brought: Vec<TrustedActor>) -> Report {
    part.bundle().judge(&probity_verifier::Options {
        actor_keys: brought,
        ..asked()
    })
}

const KEYS: [&str; 2] = ["log/", "key/"];

#[test]
fn a_part_that_holds_keys_and_decisions_is_judged_as_a_whole_log_is() {
    let (mut log, decision) = waiting();
    signed_answer(&mut log, &Person::new(7), decision, true);
    log.seal();
    let anns = vec![Person::new(7).held_by_auditor(0)];
    let whole = part_of(&log, decision, &KEYS);
    let report = judge_part(&whole, anns.clone());
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(report.counts.signed_by_auditor_keys, 1, "{report}");
    let report = judge_part(&whole, Vec::new());
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(report.counts.signed_by_log_keys, 1, "{report}");
    let others = vec![Person::new(8).held_by_auditor(0)];
    let report = judge_part(&whole, others);
    assert!(
        broken(&report).0.contains("signatures.other_key"),
        "{report}"
    );
}

#[test]
fn what_a_part_leaves_out_makes_a_signature_neither_true_nor_false() {
    let (mut log, decision) = waiting();
    signed_answer(&mut log, &Person::new(7), decision, true);
    log.seal();
    let mut answer_alone = part_of(&log, decision, &KEYS);
    answer_alone.drop_line(answer_alone.nth(&format!("decision/{decision}"), 0));
    answer_alone.runs.clear();
    for part in [
        part_of(&log, decision, &["log/"]),
        part_of(&log, decision, &["key/"]),
        answer_alone,
    ] {
        let report = judge_part(&part, vec![Person::new(7).held_by_auditor(0)]);
        assert_eq!(report.exit, 2, "{report}");
        let result = report.result(CheckName::ActorSignatures);
        assert_eq!(result, CheckResult::NotMade, "{report}");
        assert_eq!(judge_part(&part, Vec::new()).exit, 0, "nobody asked");
    }
}

#[test]
fn in_a_part_too_nobody_answers_in_the_name_of_a_person_whose_key_the_auditor_holds() {
    type Forge = fn(&mut Log, Uuid);
    let forgeries: [(Forge, &str); 3] = [
        (
            |log, decision| {
                let unsigned = approval(log, None);
                log.append(&format!("decision/{decision}"), ANN, unsigned);
            },
            "signatures.missing",
        ),
        (
            |log, decision| {
                let mut signature =
                    Person::new(8).sign(log, Answer::Approve, log.time.plus_seconds(600));
                signature.keyid = Person::new(7).public().id();
                let forged = approval(log, Some(signature));
                log.append(&format!("decision/{decision}"), ANN, forged);
            },
            "signatures.false",
        ),
        (
            |log, decision| {
                let signature =
                    Person::new(7).sign(log, Answer::Approve, log.time.plus_seconds(600));
                let late = approval(log, Some(signature));
                let lines = values(&log.lines);
                let key = lines
                    .iter()
                    .find(|line| line["type"] == "key.registered.v1")
                    .unwrap();
                let key = key["subject"].as_str().unwrap().to_owned();
                log.append(&key, "system", KeyRevoked { reason: None });
                log.append(&format!("decision/{decision}"), ANN, late);
            },
            "signatures.key",
        ),
    ];
    for (forge, rule) in forgeries {
        let (mut log, decision) = waiting();
        forge(&mut log, decision);
        log.seal();
        let part = part_of(&log, decision, &KEYS);
        let report = judge_part(&part, vec![Person::new(7).held_by_auditor(0)]);
        assert_eq!(report.exit, 1, "{rule}: {report}");
        assert!(broken(&report).0.contains(rule), "{rule}: {report}");
    }
}
