//! The page that is filed: it tells what happened, and what a bundle holds cannot become markup.

use crate::files::with_key;
use crate::sealer::Log;
use crate::story::{ask, furnished, signer, story};
use probity_verifier::Options;

fn told(log: &Log) -> (String, probity_verifier::Report) {
    let options = Options {
        chronicle: true,
        ..with_key(signer().vkey())
    };
    let report = log.bundle().judge(&options);
    (report.to_html(), report)
}

#[test]
fn the_page_tells_the_verdict_the_checks_and_what_happened() {
    let (page, report) = told(&story());
    let chronicle = report.chronicle.as_ref().unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    for check in &report.checks {
        assert!(page.contains(check.name.as_str()), "{:?}", check.name);
    }
    assert!(
        page.contains("<strong>VERIFIED, NOT WITNESSED</strong>"),
        "{page}"
    );
    let decided: u64 = chronicle.verdicts.values().sum();
    let records: u64 = chronicle.days.values().map(|day| day.records).sum();
    assert_eq!(
        (decided, records),
        (report.counts.decisions, report.counts.records)
    );
    let approvals: u64 = chronicle.days.values().map(|day| day.approvals).sum();
    assert_eq!(approvals, report.counts.approvals);
    assert!(
        chronicle
            .acts
            .iter()
            .any(|act| act.event == "approval.granted.v1"),
        "{:?}",
        chronicle.acts
    );
    let told = chronicle
        .acts
        .iter()
        .filter(|act| act.event == "decision.made.v1");
    let stopped = ["deny", "require_approval"].map(|verdict| chronicle.verdicts[verdict]);
    assert_eq!(
        told.count() as u64,
        stopped.iter().sum::<u64>(),
        "what was let through is no news, what was not is"
    );
    assert!(
        !page.contains("<script") && !page.contains("http"),
        "nothing is fetched"
    );
}

#[test]
fn text_of_a_bundle_is_never_markup() {
    let mut log = furnished();
    ask(&mut log, "<script>alert(1)</script>", "execution-1");
    let (page, report) = told(&log);
    assert_eq!(report.exit, 0, "{report}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn a_false_bundle_has_a_page_that_says_so() {
    let mut log = story();
    let changed = String::from_utf8(log.lines[20].clone()).unwrap();
    log.lines[20] = changed
        .replacen("\"surface\":\"", "\"surface\":\"x", 1)
        .into_bytes();
    let mut bundle = story().bundle();
    bundle.put(
        "records.jsonl",
        [log.lines.join(&b'\n'), vec![b'\n']].concat(),
    );
    let options = Options {
        chronicle: true,
        ..with_key(signer().vkey())
    };
    let report = bundle.judge(&options);
    assert_eq!(report.exit, 1, "{report}");
    assert!(report.to_html().contains("<strong>FALSE</strong>"));
}
