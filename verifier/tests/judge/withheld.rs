//! Decisions over withheld values: taken as recorded and counted apart, judged on what is shown, and forged. And what can be said of
//! digests that nobody opens.

use crate::disclosed::{line, observe_person};
use crate::files::{Files, broken, with_key};
use crate::sealer::{Log, relink, values};
use crate::story::{AGENT, ANN, furnished, signer};
use probity_governance::command::{ClearBodies, DecisionRequest, Erasure, Observation, Operation};
use probity_governance::engine::{Beside, PolicySet, decide};
use probity_governance::state::InForce;
use probity_schemas::body::Body;
use probity_schemas::disclosure::{Disclosure, withhold};
use probity_schemas::event::Event;
use probity_schemas::event::decision::{DecisionMade, Request};
use probity_schemas::event::telemetry::AttachmentRef;
use probity_schemas::hash::leaf_hash;
use probity_schemas::policy::{
    Condition, Operator, Policy, PolicySubject, Scalar, Scope, SubjectKind,
};
use probity_schemas::record::Record;
use probity_schemas::subject::Subject;
use probity_schemas::vocabulary::{ConditionResult, Effect};
use probity_verifier::{Options, Report};
use std::collections::{BTreeMap, BTreeSet};

const CONTEXT: &[u8] = br#"{"customer":{"mail":"ada@example.org","tier":3},"order":17}"#;

fn letters(id: &str, effect: Effect, prefix: &str) -> Policy {
    Policy {
        conditions: vec![Condition {
            field: "context.customer.mail".to_owned(),
            operator: Operator::Prefix,
            values: vec![Scalar::Text(prefix.to_owned())],
        }],
        effect,
        enabled: true,
        explanation: None,
        id: id.to_owned(),
        precedence: 10,
        scope: Scope::default(),
        subject: PolicySubject {
            kind: SubjectKind::Tool,
            name: Some("letter".to_owned()),
        },
    }
}

/// A log whose last record is a letter refused for the address it goes to, which is withheld; and what opens it.
fn refused() -> (Log, Vec<Disclosure>) {
    let mut log = furnished();
    for policy in [
        letters("not to ada", Effect::Deny, "ada@"),
        letters("to anybody", Effect::Allow, ""),
    ] {
        log.run(ANN, Operation::PublishPolicy(Box::new(policy)));
    }
    let clear = Body::from_foreign(CONTEXT).unwrap();
    let taken = withhold(&clear, &["/customer/mail", "/order"], &mut |at, _| {
        [at as u8; 32]
    })
    .unwrap();
    let asked = DecisionRequest {
        clear: Some(ClearBodies {
            context: Some(clear),
            metadata: None,
        }),
        ..Request {
            action: "letter".to_owned(),
            adapter: Some("refunds".to_owned()),
            context: Some(taken.body),
            execution: Some("run-1".to_owned()),
            ..Request::default()
        }
        .into()
    };
    log.run(AGENT, Operation::RequestDecision(Box::new(asked)));
    (log, taken.disclosures)
}

fn made(line: &[u8]) -> DecisionMade {
    match Record::parse(line).unwrap().event().unwrap() {
        Event::DecisionMade(made) => *made,
        other => panic!("{other:?} is no decision"),
    }
}

/// What an operator writes who says that the address was another one: a whole decision, which follows the rules if that was so.
fn lie(log: &Log) -> Vec<Vec<u8>> {
    let mut policies = BTreeMap::new();
    for line in &log.lines {
        let record = Record::parse(line).unwrap();
        if let Ok(Event::PolicyPublished(published)) = record.event() {
            let leaf = leaf_hash(line);
            let policy = published.policy;
            policies.insert(
                record.envelope.subject.to_string(),
                InForce { leaf, policy },
            );
        }
    }
    let made = made(log.lines.last().unwrap());
    let mut results = made.withheld.clone();
    for one in results.iter_mut().filter(|one| one.policy == "not to ada") {
        one.result = ConditionResult::Miss;
    }
    let beside = Beside::Recorded {
        results: &results,
        disclosures: &[],
    };
    let outcome = decide(&PolicySet::of(&policies), &made.facts, beside);
    let forged = outcome.with_facts(made.facts);
    let mut records = values(&log.lines);
    records.last_mut().unwrap()["data"] = serde_json::to_value(&forged).unwrap();
    relink(&records)
}

fn judged(lines: &[Vec<u8>], shown: &[&Disclosure]) -> Report {
    let mut files: Files = signer().bundle(lines);
    let last = lines.len() as u64 - 1;
    let mut shown: Vec<String> = shown.iter().map(|one| line(last, one.as_str())).collect();
    shown.sort();
    if !shown.is_empty() {
        files.put("disclosures.jsonl", shown.concat());
    }
    let options = Options {
        chronicle: true,
        ..with_key(signer().vkey())
    };
    files.judge(&options)
}

#[test]
fn results_over_what_is_not_shown_are_counted_apart() {
    let (log, disclosures) = refused();
    let (mail, order) = (&disclosures[0], &disclosures[1]);
    for (shown, taken) in [
        (vec![], 1),
        (vec![order], 1),
        (vec![mail], 0),
        (vec![mail, order], 0),
    ] {
        let report = judged(&log.lines, &shown);
        assert_eq!(report.exit, 0, "{report}");
        assert_eq!(report.counts.decisions_on_withheld, taken, "{report}");
        let words = "in 1 of the decisions conditions looked at values that are not shown";
        assert_eq!(report.to_string().contains(words), taken == 1, "{report}");
        let words = "1 decisions of which a condition looked at a value that is not shown";
        assert_eq!(report.to_html().contains(words), taken == 1);
        let json = report.to_json().unwrap();
        assert!(json.contains(&format!("\"decisions_on_withheld\": {taken}")));
    }
}

#[test]
fn a_lie_about_a_value_is_false_as_soon_as_the_value_is_shown() {
    let (log, disclosures) = refused();
    let (mail, order) = (&disclosures[0], &disclosures[1]);
    let forged = lie(&log);
    assert_eq!(made(forged.last().unwrap()).verdict.as_str(), "allow");
    for (shown, exit) in [
        (vec![], 0),
        (vec![order], 0),
        (vec![mail], 1),
        (vec![mail, order], 1),
    ] {
        let report = judged(&forged, &shown);
        assert_eq!(report.exit, exit, "{report}");
        if exit == 1 {
            let last = forged.len() as u64 - 1;
            assert_eq!(
                broken(&report),
                ("adjudication.withheld", Some(last)),
                "{report}"
            );
        }
    }
}

#[test]
fn a_result_too_many_or_too_few_or_of_another_field_is_false() {
    type Change = fn(&mut serde_json::Value);
    let table: [(&str, Change); 4] = [
        ("too few", |data| {
            data["withheld"].as_array_mut().unwrap().pop();
        }),
        ("too many", |data| {
            let again = data["withheld"][0].clone();
            data["withheld"].as_array_mut().unwrap().push(again);
        }),
        ("a field that is not withheld", |data| {
            data["withheld"][0]["field"] = "context.customer.tier".into();
        }),
        ("a policy that does not read it", |data| {
            data["withheld"][0]["policy"] = "lookups".into();
        }),
    ];
    let (log, _) = refused();
    for (what, change) in table {
        let mut records = values(&log.lines);
        change(&mut records.last_mut().unwrap()["data"]);
        let report = judged(&relink(&records), &[]);
        let last = log.lines.len() as u64 - 1;
        assert_eq!(
            broken(&report),
            ("adjudication.withheld", Some(last)),
            "{what}\n{report}"
        );
    }
}

/// Two digests stand, and erasures state what they destroyed: what that says of the two.
#[test]
fn what_was_erased_is_told_from_what_is_withheld_as_far_as_the_log_allows() {
    for (before, after, most) in [
        (0, 0, 0),
        (0, 1, 1),
        (0, 2, 2),
        (0, 9, 2),
        (7, 0, 0),
        (7, 1, 1),
    ] {
        let mut log = furnished();
        erase(&mut log, before, &[]);
        observe_person(&mut log);
        erase(&mut log, after, &[]);
        let report = judged(&log.lines, &[]);
        let counts = &report.counts;
        assert_eq!(report.exit, 0, "{report}");
        assert_eq!(counts.disclosures_withheld, 2);
        assert_eq!(counts.disclosures_erased_at_most, most, "{before} {after}");
        assert_eq!(
            (counts.erasures, counts.disclosures_destroyed),
            (2, before + after)
        );
        let words = format!(
            "2 are not shown: 2 erasures state that they destroyed {} disclosures, so at most {most} of them were erased, and {} are withheld",
            before + after,
            2 - most
        );
        assert!(report.to_string().contains(&words), "{report}");
        assert_eq!(report.erasures.len(), 2);
        let page = report.to_html();
        assert!(
            page.contains("GDPR article 17(1)(b)")
                && page.contains("No record says who was erased"),
            "{page}"
        );
    }
}

/// Content that a record names and the bundle has not: erased where a later record says so, withheld where none does.
#[test]
fn an_attachment_that_is_not_there_was_erased_or_withheld() {
    let name = |content: &[u8]| blake3::hash(content).to_hex().to_string();
    let (face, voice) = (name(b"her face"), name(b"her voice"));
    let mut log = furnished();
    erase(&mut log, 0, &[&face]);
    observe(&mut log, &[&face, &voice]);
    let told = |log: &Log| {
        let report = judged(&log.lines, &[]);
        assert_eq!(report.exit, 0, "{report}");
        (
            report.counts.attachments_withheld,
            report.counts.attachments_erased,
        )
    };
    assert_eq!(
        told(&log),
        (2, 0),
        "it was named again after it had been erased"
    );
    erase(&mut log, 1, &[&face]);
    assert_eq!(told(&log), (1, 1));
    let report = judged(&log.lines, &[]);
    assert!(
        report
            .to_string()
            .contains("1 erased, as records say; 1 withheld"),
        "{report}"
    );
    assert!(report.to_html().contains(&face) && report.to_json().unwrap().contains(&face));
    observe(&mut log, &[&face]);
    assert_eq!(told(&log), (2, 0));

    // Names that are none, and names out of order.
    for bad in [
        vec!["AB".repeat(32)],
        vec!["ab".to_owned()],
        vec![face.clone(), face.clone()],
    ] {
        let mut records = values(&log.lines);
        let erased = records
            .iter()
            .rposition(|record| record["type"] == "personal.erased.v1")
            .unwrap();
        records[erased]["data"]["attachments"] = bad.into();
        let report = judged(&relink(&records), &[]);
        assert_eq!(
            broken(&report),
            ("attachments.name", Some(erased as u64)),
            "{report}"
        );
    }
}

fn observe(log: &mut Log, named: &[&str]) {
    let references = named.iter().map(|blake3| AttachmentRef {
        blake3: (*blake3).to_owned(),
        bytes: 9,
        media_type: "image/png".to_owned(),
    });
    let one = Observation {
        attachments: references.collect(),
        kind: "face".to_owned(),
        subject: Subject::parse("ticket/1").unwrap(),
        body: Body::from_foreign(b"{}").unwrap(),
        personal: Vec::new(),
        correlation: None,
        causation: None,
        traceparent: None,
    };
    log.run(AGENT, Operation::Observe(vec![one]));
}

fn erase(log: &mut Log, disclosures: u64, attachments: &[&str]) {
    let attachments: BTreeSet<String> = attachments.iter().map(|name| (*name).to_owned()).collect();
    let erasure = Erasure {
        attachments,
        basis: "GDPR article 17(1)(b)".to_owned(),
        disclosures,
        person: "customer-1".to_owned(),
        token: None,
    };
    log.run(ANN, Operation::Erase(erasure));
}
