//! Seals: what the ledger may seal, and that the register is sealed with it.

use crate::support::{Log, request};
use probity_governance::adjudicate::{Fault, adjudicate};
use probity_governance::command::Operation;
use probity_governance::execute::Rejected;
use probity_governance::state::Applied;
use probity_schemas::event::Event;
use probity_schemas::event::seal::{SealedRun, SubjectsSealed};
use probity_schemas::hash::Hash;

fn run(first: u64, length: u64, count: u64) -> SealedRun {
    SealedRun {
        count,
        first,
        length,
        root: Hash::EMPTY,
    }
}

fn seal(log: &mut Log, runs: &[SealedRun], size: u64) -> Result<Vec<Event>, Rejected> {
    let sealed = SubjectsSealed {
        runs: runs.to_vec(),
        size,
    };
    log.call("system", Operation::Seal(Box::new(sealed)))
        .map(|(events, _)| events)
}

#[test]
fn a_seal_is_two_records_the_register_first() {
    let mut log = Log::new();
    log.ask(request("exec", "e1"));
    let (size, digest) = (log.records.len() as u64, log.judge.digest());
    let events = seal(&mut log, &[run(0, 1, 3)], size).unwrap();
    let [Event::StateSealed(state), Event::SubjectsSealed(subjects)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((state.size, state.digest), (size, digest));
    assert_eq!(subjects.size, size);
    assert_ne!(log.judge.digest(), digest, "a seal is part of the register");
}

#[test]
fn runs_go_on_from_those_before() {
    let mut log = Log::new();
    let first = log.records.len() as u64;
    seal(&mut log, &[run(0, 1, 1)], first).unwrap();
    let size = log.records.len() as u64;
    let table: [(&str, &[SealedRun], u64); 8] = [
        ("nothing new", &[run(0, 2, 1)], first),
        ("more than there is", &[run(0, 2, 1)], size + 1),
        ("no run", &[], size),
        ("not merged", &[run(0, 1, 1), run(first, 1, 1)], size),
        ("merged too far", &[run(0, 4, 1)], size),
        ("a gap", &[run(1, 2, 1)], size),
        ("no entry", &[run(0, 2, 0)], size),
        ("more entries than records", &[run(0, 2, size + 1)], size),
    ];
    for (story, runs, covered) in table {
        let found = seal(&mut log, runs, covered);
        assert_eq!(found, Err(Rejected::SealOutOfPlace), "{story}");
        let sealed = SubjectsSealed {
            runs: runs.to_vec(),
            size: covered,
        };
        let subject = &log.records[0].subject;
        let forged = Applied {
            leaf: Hash::EMPTY,
            sequence: size,
            subject,
            actor: "system",
            time: log.records[0].time,
            workspace: None,
            event: &sealed.into(),
        };
        assert_eq!(adjudicate(&log.judge, &forged), Err(Fault::Seal), "{story}");
    }
    seal(&mut log, &[run(0, 2, 2)], size).unwrap();
}
