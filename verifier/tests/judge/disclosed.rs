//! Personal values: shown, withheld, or shown falsely.

use crate::files::{Files, judge_tar, with_key};
use crate::sealer::Log;
use crate::story::{furnished, signer};
use probity_governance::command::{Observation, Operation};
use probity_schemas::body::Body;
use probity_schemas::disclosure::{Disclosure, DisclosureLine, withhold};
use probity_schemas::subject::Subject;
use probity_verifier::{CheckName, Report};

/// A log whose last record holds a name and a mail address as digests, and what opens them.
fn observed() -> (Log, Vec<Disclosure>) {
    let mut log = furnished();
    let disclosures = observe_person(&mut log);
    (log, disclosures)
}

/// Appends that record.
pub(crate) fn observe_person(log: &mut Log) -> Vec<Disclosure> {
    let body = br#"{"customer":{"name":"Ada"},"to":["a@example.org","b@example.org"]}"#;
    let body = Body::from_foreign(body).unwrap();
    let mut salt = 0;
    let withheld = withhold(&body, &["/customer/name", "/to/1"], &mut |_, _| {
        salt += 1;
        [salt; 32]
    })
    .unwrap();
    let observation = Observation {
        attachments: Vec::new(),
        kind: "mail".to_owned(),
        subject: Subject::parse("ticket/1").unwrap(),
        body: withheld.body,
        personal: Vec::new(),
        correlation: None,
        causation: None,
        traceparent: None,
    };
    log.run(crate::story::AGENT, Operation::Observe(vec![observation]));
    withheld.disclosures
}

pub(crate) fn line(sequence: u64, disclosure: &str) -> String {
    let line = DisclosureLine {
        disclosure: disclosure.to_owned(),
        sequence,
    };
    serde_json::to_string(&line).unwrap() + "\n"
}

/// The bundle with these lines, in their order.
fn with(log: &Log, lines: &[String]) -> Files {
    let mut files = log.bundle();
    files.put("disclosures.jsonl", lines.concat());
    files
}

fn judged(files: &Files) -> Report {
    judge_tar(files.tar(), &with_key(signer().vkey()))
}

fn counts(report: &Report) -> (u8, u64, u64) {
    let counts = &report.counts;
    (report.exit, counts.disclosures, counts.disclosures_withheld)
}

#[test]
fn shown_in_part_in_whole_or_not_at_all() {
    let (log, disclosures) = observed();
    let last = log.lines.len() as u64 - 1;
    let mut lines: Vec<String> = disclosures
        .iter()
        .map(|one| line(last, one.as_str()))
        .collect();
    lines.sort();
    assert_eq!(counts(&judged(&log.bundle())), (0, 0, 2));
    assert_eq!(counts(&judged(&with(&log, &[]))), (0, 0, 2));
    assert_eq!(counts(&judged(&with(&log, &lines[..1]))), (0, 1, 1));
    assert_eq!(counts(&judged(&with(&log, &lines))), (0, 2, 0));
}

#[test]
fn what_was_not_reported_cannot_be_shown() {
    let (log, disclosures) = observed();
    let last = log.lines.len() as u64 - 1;
    let name = disclosures[0].as_str();
    let of = |json: &str| Body::from_foreign(json.as_bytes()).unwrap();
    let other = Disclosure::new(&[1; 32], Some("name"), &of(r#""Eve""#)).unwrap();
    let nameless = Disclosure::new(&[1; 32], None, disclosures[0].value()).unwrap();
    let mut both = [line(last, name), line(last, disclosures[1].as_str())];
    both.sort();
    let [first, second] = both;
    let whole = line(last, name);
    let record = Some(last);
    for (lines, rule, sequence) in [
        (
            vec![line(last, other.as_str())],
            "disclosures.digest",
            record,
        ),
        (
            vec![line(last, nameless.as_str())],
            "disclosures.digest",
            record,
        ),
        (
            vec![line(last - 1, name)],
            "disclosures.digest",
            Some(last - 1),
        ),
        (vec![line(last, &name[1..])], "disclosures.form", record),
        (
            vec![first.clone(), first.clone()],
            "disclosures.order",
            record,
        ),
        (vec![second, first], "disclosures.order", record),
        (vec![whole.trim_end().to_owned()], "disclosures.line", None),
        (vec![format!(" {whole}")], "disclosures.line", None),
        (vec!["\n".to_owned()], "disclosures.line", None),
        (vec!["x".repeat(200_000)], "disclosures.line", None),
    ] {
        let report = judged(&with(&log, &lines));
        let broken = report.broken.as_ref().unwrap();
        assert_eq!(report.exit, 1, "{report}");
        assert_eq!(broken.check, CheckName::Disclosures, "{report}");
        assert_eq!((broken.rule.as_str(), broken.sequence), (rule, sequence));
    }
}

#[test]
fn every_flipped_byte_is_false() {
    let (log, disclosures) = observed();
    let last = log.lines.len() as u64 - 1;
    let content = line(last, disclosures[0].as_str());
    assert_eq!(judged(&with(&log, std::slice::from_ref(&content))).exit, 0);
    for at in 0..content.len() {
        let mut changed = content.clone().into_bytes();
        changed[at] ^= 0x01;
        let mut files = log.bundle();
        files.put("disclosures.jsonl", changed);
        let report = judged(&files);
        assert_eq!(report.exit, 1, "byte {at}\n{report}");
    }
}
