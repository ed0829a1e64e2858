//! Any sequence of commands: the judge accepts every record (the harness asserts it), and afterwards these hold too.

mod steps;

use crate::seeds::seeded;
use crate::support::{Log, adapter, request};
use crate::tampering::{changed, leaves};
use probity_governance::adjudicate::adjudicate;
use probity_governance::command::Operation;
use probity_governance::execute::Rejected;
use probity_governance::state::{Closed, State, closed_of};
use probity_schemas::event::Event;
use probity_schemas::vocabulary::Verdict;
use proptest::prelude::*;
use std::collections::BTreeMap;
use steps::{Step, step, take};
use uuid::Uuid;

fn play(steps: &[Step]) -> Log {
    let mut log = Log::new();
    log.run(
        "user:ops",
        Operation::RegisterAdapter(Box::new(adapter("second"))),
    );
    for step in steps {
        if let Err(rejected) = take(&mut log, step) {
            assert!(
                !matches!(rejected, Rejected::NotHydrated { .. }),
                "the index knows every case"
            );
        }
    }
    log
}

/// What must hold of each decision's stream, said without the code that keeps it.
fn check_stream(events: &[&Event]) {
    let count = |pick: fn(&Event) -> bool| events.iter().filter(|event| pick(event)).count();
    let Event::DecisionMade(made) = events[0] else {
        panic!("{events:?}")
    };
    let answers =
        count(|event| matches!(event, Event::ApprovalGranted(_) | Event::ApprovalDenied(_)));
    let consumed = count(|event| matches!(event, Event::GrantConsumed(_)));
    let expired = count(|event| matches!(event, Event::DecisionExpired(_)));
    assert!(answers <= 1 && consumed + expired <= 1, "{events:?}");
    if made.verdict != Verdict::RequireApproval {
        assert_eq!(answers + consumed + expired, 0);
    }
    if let Some(at) = events
        .iter()
        .position(|event| matches!(event, Event::OutcomeRecorded(_)))
    {
        let used = events[..at]
            .iter()
            .any(|event| matches!(event, Event::GrantConsumed(_)));
        assert!(
            used || matches!(made.verdict, Verdict::Allow | Verdict::Warn),
            "{events:?}"
        );
    }
}

proptest! {
    #![proptest_config(seeded(48, 0x9b0b_1700))]

    #[test]
    fn whatever_is_asked_the_judge_agrees(steps in prop::collection::vec(step(), 1..60)) {
        let log = play(&steps);
        let mut streams: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for record in log.records.iter().filter(|record| record.subject.starts_with("decision/")) {
            streams.entry(&record.subject).or_default().push(&record.event);
        }
        for (subject, events) in &streams {
            check_stream(events);
            let id = Uuid::parse_str(&subject["decision/".len()..]).unwrap();
            let open = log.judge.open.get(&id);
            let cached: Option<Closed> = log.judge.closed.get(&id).copied();
            prop_assert_eq!(cached.is_none(), open.is_some(), "{} is open or closed", subject);
            if let Some(closed) = cached {
                prop_assert_eq!(closed_of(events.iter().copied()), Some(closed));
            }
        }
    }

    #[test]
    fn a_state_is_the_same_from_any_snapshot(
        steps in prop::collection::vec(step(), 1..40),
        at in any::<prop::sample::Index>(),
    ) {
        let log = play(&steps);
        let (head, tail) = log.records.split_at(at.index(log.records.len()));
        let mut state = State::default();
        for record in head {
            state.apply(&record.applied()).unwrap();
        }
        let mut state = State::from_snapshot(&state.to_snapshot().unwrap()).unwrap();
        for record in tail {
            state.apply(&record.applied()).unwrap();
        }
        prop_assert_eq!(state.digest(), log.judge.digest());
        prop_assert_eq!(state.open, log.judge.open);
        prop_assert_eq!(state.budget, log.judge.budget);
        prop_assert_eq!(state.directory, log.judge.directory);
    }

    #[test]
    fn any_changed_leaf_of_any_decision_is_refused(
        steps in prop::collection::vec(step(), 1..40),
        which in any::<prop::sample::Index>(),
        leaf in any::<prop::sample::Index>(),
    ) {
        let mut log = play(&steps);
        log.ask(request("exec", "e0-last"));
        let decisions: Vec<usize> = (0..log.records.len())
            .filter(|at| matches!(log.records[*at].event, Event::DecisionMade(_)))
            .collect();
        let at = decisions[which.index(decisions.len())];
        let mut state = State::default();
        for record in &log.records[..at] {
            state.apply(&record.applied()).unwrap();
        }
        let mut record = log.records[at].clone();
        let mut pointers = Vec::new();
        leaves(&serde_json::to_value(&record.event).unwrap(), "", &mut pointers);
        if let Some(event) = changed(&record.event, &pointers[leaf.index(pointers.len())]) {
            record.event = event;
            prop_assert!(adjudicate(&state, &record.applied()).is_err());
        }
    }
}
