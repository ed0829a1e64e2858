//! The end of a run: the whole log, read from the database itself, against everything that was ever answered; and, of some runs, the
//! judgement of the shipped judge over an ordinary export.

use crate::database::Row;
use crate::jobs::Kind;
use crate::model::{Fate, Model};
use crate::world::{Log, World};
use probity_ledger::Ledger;
use probity_ledger::export::{End, Shown, TarSink, export};
use probity_schemas::chain::{ChainTip, SubjectLink, SubjectTip};
use probity_schemas::event::Event;
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::tree::CompactRange;
use probity_schemas::vocabulary::Verdict;
use probity_verifier::{Authorities, Bundle, Options, Report, Witnesses, judge};
use std::collections::BTreeMap;
use std::io::Cursor;

/// Where the records of each mark stand, with their parts.
type Marks = BTreeMap<String, Vec<(u64, u64)>>;

/// Holds a whole log against its model.
pub(crate) fn check(world: &World, log: &Log) {
    let database = world.database.lock().unwrap();
    let rows = database.log(log.number);
    log.model(|model| {
        check_history(&rows.records, model);
        let size = model.see_checkpoint(&rows.head.checkpoint);
        assert_eq!(size, rows.records.len() as u64, "the row's checkpoint");
        check_marks(&rows.records, model);
    });
    check_cases(&rows.records);
}

/// One chain without a gap; every record and every checkpoint that anybody saw is of it.
fn check_history(records: &[Row], model: &Model) {
    let mut roots = BTreeMap::from([(0, Hash::EMPTY)]);
    let (mut tip, mut range) = (ChainTip::START, CompactRange::new());
    let mut streams: BTreeMap<&str, SubjectTip> = BTreeMap::new();
    for row in records {
        let record = Record::parse(&row.stored.line).unwrap();
        tip.follow(&record)
            .expect("a record follows the one before");
        let before = streams.get(row.subject.as_str());
        SubjectLink::of(&record)
            .follows(before)
            .expect("a record follows in its stream");
        streams.insert(&row.subject, SubjectTip::of(&record));
        range.push(record.leaf);
        roots.insert(range.size(), range.root());
    }
    for (sequence, leaf) in model.leaves() {
        let found = records.get(*sequence as usize).map(|row| row.stored.leaf);
        assert_eq!(found, Some(*leaf), "record {sequence} was acknowledged");
    }
    for (size, (root, _)) in &model.checkpoints {
        assert_eq!(
            roots.get(size),
            Some(root),
            "a checkpoint over {size} records was seen"
        );
    }
}

/// What was acknowledged is there once, together; what was certainly refused is not; and nothing is there twice.
fn check_marks(records: &[Row], model: &Model) {
    let mut marks = Marks::new();
    for row in records {
        let event = Record::parse(&row.stored.line).unwrap().event().unwrap();
        let (mark, part) = match event {
            Event::ObservationRecorded(seen) => {
                let body: serde_json::Value = serde_json::from_str(seen.body.as_str()).unwrap();
                let mark = body["mark"].as_str().unwrap().to_owned();
                (mark, body["part"].as_u64().unwrap())
            }
            Event::CostIngested(cost) => (cost.trace.clone(), 0),
            _ => continue,
        };
        marks
            .entry(mark)
            .or_default()
            .push((row.stored.sequence, part));
    }
    for (mark, (job, fate)) in &model.asked {
        let count = match job.kind {
            Kind::Observe(count) => count as u64,
            Kind::Report => 1,
            _ => continue,
        };
        let found = marks.remove(mark).unwrap_or_default();
        let first = found.first().map_or(0, |(sequence, _)| *sequence);
        let whole: Vec<(u64, u64)> = (0..count).map(|part| (first + part, part)).collect();
        let holds = match fate {
            Fate::Must => found == whole,
            Fate::MustNot => found.is_empty(),
            Fate::May => found.is_empty() || found == whole,
        };
        assert!(holds, "{mark} is to be {fate:?}, and stands at {found:?}");
    }
    assert!(marks.is_empty(), "nobody asked for {marks:?}");
}

/// How a case stands by its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Pending,
    Granted,
    Denied,
}

/// One open case an execution, answered once, each grant used once.
fn check_cases(records: &[Row]) {
    let mut cases: BTreeMap<&str, Case> = BTreeMap::new();
    let mut newest: BTreeMap<String, &str> = BTreeMap::new();
    for row in records {
        let (at, id) = (row.stored.sequence, row.subject.as_str());
        let open = cases.get(id).copied();
        let next = match Record::parse(&row.stored.line).unwrap().event().unwrap() {
            Event::DecisionMade(made) => {
                let execution = made.facts.request.execution.clone().unwrap();
                let before = newest.insert(execution, id).and_then(|id| cases.get(id));
                let is_open = matches!(before, Some(Case::Pending | Case::Granted));
                assert!(!is_open, "record {at} decides again what is open");
                (made.verdict == Verdict::RequireApproval).then_some(Case::Pending)
            }
            Event::ApprovalGranted(_) | Event::ApprovalDenied(_) if open != Some(Case::Pending) => {
                panic!("record {at} answers what is {open:?}")
            }
            Event::ApprovalGranted(_) => Some(Case::Granted),
            Event::ApprovalDenied(_) => Some(Case::Denied),
            Event::GrantConsumed(_) => {
                assert_eq!(open, Some(Case::Granted), "record {at} uses a grant");
                None
            }
            Event::DecisionExpired(_) => {
                assert!(open.is_some(), "record {at} ends a case");
                None
            }
            _ => continue,
        };
        match next {
            Some(case) => cases.insert(id, case),
            None => cases.remove(id),
        };
    }
}

/// What the shipped judge says of an ordinary export.
pub(crate) async fn judged(world: &World, log: &Log, ledger: &Ledger) -> Report {
    let shown = Shown {
        end: End::Newest,
        persons: None,
    };
    let mut sink = TarSink::new(Vec::new());
    let (reader, keys) = (ledger.reader(), world.nodes[0].keys());
    let mut progress = |_, _| {};
    let made = export(&reader, &log.tenant, &keys, shown, &mut sink, &mut progress).await;
    made.expect("a log that can be read can be exported");
    let first = log.model(|model| model.keys[0].clone());
    let options = Options {
        keys: vec![first],
        actor_keys: Vec::new(),
        compromised: Vec::new(),
        since: None,
        witnesses: Witnesses::default(),
        authorities: Authorities::default(),
        partial: false,
        adjudicate: true,
        chronicle: false,
    };
    let archive = Cursor::new(sink.into_inner());
    judge(Bundle::from_tar(archive), &options, &())
}
