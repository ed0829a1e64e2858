//! What an honest bundle is told.

use crate::files::{Files, with_key};
use crate::story::{TRACE, signer, story};
use probity_schemas::event::Event;
use probity_verifier::{CheckName, CheckResult, ProofReport, Report, Verdict};
use std::collections::BTreeSet;

/// The story as a bundle, with its attachment.
pub(crate) fn bundle() -> Files {
    let mut files = story().bundle();
    files.put(
        &format!("attachments/{}", blake3::hash(TRACE).to_hex()),
        TRACE,
    );
    files
}

#[test]
fn every_check_holds_and_what_was_not_asked_for_is_said() {
    let report = bundle().judge(&with_key(signer().vkey()));
    assert_eq!(
        (report.verdict, report.exit),
        (Verdict::HoldsNotWitnessed, 0),
        "{report}"
    );
    for check in &report.checks {
        let expected = match check.name {
            // No report of the story is signed: `producers.rs` has those.
            CheckName::Consistency
            | CheckName::Witnesses
            | CheckName::TrustedTime
            | CheckName::ProducerSignatures => CheckResult::NotMade,
            _ => CheckResult::Holds,
        };
        assert_eq!(check.result, expected, "{report}");
    }
    assert_eq!(report.counts.decisions, 6);
    assert_eq!(report.counts.approvals, 3);
    assert_eq!(report.counts.outcomes, 2);
    assert_eq!(
        (
            report.counts.attachments,
            report.counts.attachments_withheld
        ),
        (1, 0)
    );
}

#[test]
fn the_story_has_every_type_of_record() {
    let told: BTreeSet<String> = crate::sealer::values(&story().lines)
        .iter()
        .map(|record| record["type"].as_str().unwrap().to_owned())
        .collect();
    let missing: Vec<&str> = Event::TYPES
        .iter()
        .copied()
        .filter(|name| !told.contains(*name))
        .collect();
    assert_eq!(
        missing,
        [
            "log.restored.v1",
            "subjects.sealed.v1",
            "state.sealed.v1",
            "signer.rotated.v1",
            "signer.compromised.v1"
        ],
        "these have stories of their own"
    );
}

#[test]
fn a_withheld_attachment_is_counted() {
    let report = story().bundle().judge(&with_key(signer().vkey()));
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(
        (
            report.counts.attachments,
            report.counts.attachments_withheld
        ),
        (0, 1)
    );
}

#[test]
fn what_was_not_asked_for_is_not_made() {
    let options = probity_verifier::Options {
        adjudicate: false,
        ..with_key(signer().vkey())
    };
    let report = bundle().judge(&options);
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(report.result(CheckName::Adjudication), CheckResult::NotMade);
}

#[test]
fn the_json_has_its_documented_shape() {
    let report = bundle().judge(&with_key(signer().vkey()));
    let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
    assert_eq!(json["verdict"], "holds_not_witnessed");
    assert_eq!(json["exit"], 0);
    assert_eq!(json["origin"], "ledger.example/acme");
    assert_eq!(json["size"], story().lines.len());
    let names = json["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].clone());
    let expected: Vec<serde_json::Value> = CheckName::ALL
        .iter()
        .map(|name| serde_json::to_value(name).unwrap())
        .collect();
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

#[test]
fn the_committed_schemas_of_the_reports_are_fresh() {
    for (name, schema) in [
        ("report.schema.json", Report::schema()),
        ("proof.schema.json", ProofReport::schema()),
    ] {
        let fresh = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(kept, fresh, "{name}: run with UPDATE_GENERATED=1");
    }
}
