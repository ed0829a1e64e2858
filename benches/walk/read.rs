//! How fast a log is judged, replayed and decided again, each beside SHA-256 of the same bytes on one core, in the same run.
//!
//! `cargo bench --bench walk -- read`. The log: PROBITY_BENCH_RECORDS records (100,000 unless set), one in ten a decision under 32 policies, the
//! rest observations. Each figure is the median of five.

use crate::fill::fill;
use crate::log::{Place, applied, tenant};
use crate::measure::{Rate, SAMPLES, median, print, records, time};
use probity_governance::engine::{Beside, PolicySet, decide};
use probity_governance::state::State;
use probity_ledger::export::{End, Shown, TarSink, export};
use probity_ledger::store::StoredRecord;
use probity_schemas::event::Event;
use probity_schemas::event::decision::Facts;
use probity_schemas::record::Record;
use probity_verifier::{Authorities, Options, Witnesses, judge_path};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Judge, replay, decide again.
pub async fn run() {
    let records = records(100_000);
    let place = Place::sqlite();
    let bundle = tempfile::NamedTempFile::new().unwrap();
    let (rows, key) = prepare(&place, records, bundle.path()).await;
    println!("{} records, {} bytes of lines", rows.len(), bytes(&rows));
    let hashed = median((0..SAMPLES).map(|_| hash(&rows)).collect());
    let beside = "sha256 of the lines, 1 core";
    for (name, adjudicate) in [("verify without adjudication", false), ("verify", true)] {
        let rates = (0..SAMPLES)
            .map(|_| verify(bundle.path(), &key, adjudicate, rows.len()))
            .collect();
        print(name, "records", median(rates), beside, hashed);
    }
    print(
        "replay: parse and fold the state",
        "records",
        median((0..SAMPLES).map(|_| replay(&rows)).collect()),
        beside,
        hashed,
    );
    let (decisions, limit) = evaluate(&rows);
    print(
        "policy evaluation, 32 policies",
        "decisions",
        decisions,
        "sha256 of their lines",
        limit,
    );
}

fn bytes(rows: &[StoredRecord]) -> usize {
    rows.iter().map(|row| row.line.len() + 1).sum()
}

fn hash(rows: &[StoredRecord]) -> Rate {
    let (_, took) = time(|| {
        rows.iter()
            .fold(0u8, |all, row| all ^ Sha256::digest(&row.line)[0])
    });
    Rate::of(rows.len() as u64, took)
}

fn verify(bundle: &Path, key: &str, adjudicate: bool, records: usize) -> Rate {
    let options = Options {
        actor_keys: Vec::new(),
        compromised: Vec::new(),
        keys: vec![key.parse().unwrap()],
        since: None,
        witnesses: Witnesses::default(),
        authorities: Authorities::default(),
        partial: false,
        adjudicate,
        chronicle: false,
    };
    let (report, took) = time(|| judge_path(bundle, &options, &()));
    assert_eq!(
        report.exit, 0,
        "the judge refused an honest log: {report:?}"
    );
    Rate::of(records as u64, took)
}

fn replay(rows: &[StoredRecord]) -> Rate {
    let (_, took) = time(|| {
        let mut state = State::default();
        for row in rows {
            let record = Record::parse_canonical(&row.line).unwrap();
            let event = record.event().unwrap();
            state.apply(&applied(&record, &event)).unwrap();
        }
        state
    });
    Rate::of(rows.len() as u64, took)
}

/// Every recorded decision again, and SHA-256 of the same lines.
fn evaluate(rows: &[StoredRecord]) -> (Rate, Rate) {
    let mut state = State::default();
    let mut facts: Vec<Facts> = Vec::new();
    let mut lines = Vec::new();
    for row in rows {
        let record = Record::parse_canonical(&row.line).unwrap();
        let event = record.event().unwrap();
        state.apply(&applied(&record, &event)).unwrap();
        if let Event::DecisionMade(made) = event {
            facts.push(made.facts);
            lines.push(row.clone());
        }
    }
    let policies = PolicySet::of(&state.directory.policies);
    let sample = || {
        let (_, took) = time(|| {
            facts
                .iter()
                .filter(|facts| decide(&policies, facts, Beside::Nothing).winner.is_some())
                .count()
        });
        Rate::of(facts.len() as u64, took)
    };
    (
        median((0..SAMPLES).map(|_| sample()).collect()),
        median((0..SAMPLES).map(|_| hash(&lines)).collect()),
    )
}

async fn prepare(place: &Place, records: usize, bundle: &Path) -> (Vec<StoredRecord>, String) {
    let ledger = place.open("read").await;
    let tenant = &tenant();
    fill(&ledger, records).await;
    let rows = crate::log::rows(&ledger, records / 1000 * 1000).await;
    let key = ledger.verifier_key(tenant).await.unwrap().unwrap();
    let mut sink = TarSink::new(tokio::fs::File::create(bundle).await.unwrap());
    let nowhere = tempfile::tempdir().unwrap();
    export(
        &ledger.reader(),
        tenant,
        nowhere.path(),
        Shown {
            end: End::Newest,
            persons: None,
        },
        &mut sink,
        &mut |_, _| {},
    )
    .await
    .unwrap();
    ledger.close().await;
    (rows, key)
}
