//! Seals over subjects and register: honest ones hold, and whoever holds the log's key cannot seal what is not so.

use crate::files::{broken, with_key};
use crate::sealer::Log;
use crate::story::{ANN, ask, furnished, observation, signer};
use probity_governance::command::Operation;
use probity_schemas::event::seal::{StateSealed, SubjectsSealed};
use probity_schemas::hash::Hash;
use probity_verifier::{CheckName, CheckResult, Options};

/// A log with thirteen seals: runs of 8, 4 and 1.
fn sealed() -> Log {
    let mut log = furnished();
    for number in 0..13 {
        log.run(
            ANN,
            Operation::Observe(vec![observation(number % 5), observation(number)]),
        );
        ask(&mut log, "lookup", &format!("run-{number}"));
        log.seal();
    }
    log
}

#[test]
fn every_seal_of_an_honest_log_holds() {
    let mut log = sealed();
    let report = log.bundle().judge(&with_key(signer().vkey()));
    assert_eq!(report.exit, 0, "{report}");
    let detail = |name| {
        let check = report.checks.iter().find(|check| check.name == name);
        check.unwrap().detail.clone()
    };
    assert_eq!(
        detail(CheckName::Sealed),
        "13 seals: every run is what the records give; 2 records after the last"
    );
    assert_eq!(
        detail(CheckName::StateDigest),
        "13 sealed registers are what the records come to"
    );
    let lengths: Vec<u64> = log.sealed().runs.iter().map(|run| run.length).collect();
    assert_eq!(lengths, [8, 4, 2]);
    log.seal();
    assert_eq!(log.bundle().judge(&with_key(signer().vkey())).exit, 0);
}

#[test]
fn without_adjudication_runs_are_judged_and_the_register_is_not() {
    let options = Options {
        adjudicate: false,
        ..with_key(signer().vkey())
    };
    let report = sealed().bundle().judge(&options);
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(report.result(CheckName::Sealed), CheckResult::Holds);
    assert_eq!(report.result(CheckName::StateDigest), CheckResult::NotMade);
}

#[test]
fn a_false_seal_is_named_though_it_is_signed() {
    type Forge = fn(&mut SubjectsSealed);
    let table: [(&str, &str, Forge); 8] = [
        ("another root", "sealed.root", |seal| {
            seal.runs[2].root = Hash::EMPTY
        }),
        ("one entry less", "sealed.root", |seal| {
            seal.runs[2].count -= 1
        }),
        ("an older root", "sealed.root", |seal| {
            seal.runs[0].root = Hash::EMPTY
        }),
        ("a run left out", "sealed.runs", |seal| {
            seal.runs.truncate(2)
        }),
        ("no run", "sealed.runs", |seal| seal.runs.clear()),
        ("another length", "sealed.runs", |seal| {
            seal.runs[2].length = 1
        }),
        ("more than there is", "sealed.size", |seal| seal.size += 1),
        ("nothing new", "sealed.size", |seal| seal.size = 1),
    ];
    for (story, rule, forge) in table {
        let mut log = sealed();
        let mut seal = log.sealed();
        forge(&mut seal);
        let position = log.lines.len() as u64;
        log.append("log/00112233445566778899aabbccddeeff", "system", seal);
        for adjudicate in [true, false] {
            let options = Options {
                adjudicate,
                ..with_key(signer().vkey())
            };
            let report = log.bundle().judge(&options);
            assert_eq!(report.exit, 1, "{story}\n{report}");
            assert_eq!(broken(&report), (rule, Some(position)), "{story}");
        }
    }
}

#[test]
fn a_register_that_is_not_the_one_sealed_is_named() {
    let honest = sealed();
    let size = honest.lines.len() as u64;
    for (digest, size) in [(Hash::EMPTY, size), (Hash::EMPTY, 1)] {
        let mut log = honest.clone();
        let position = log.lines.len() as u64;
        log.append(
            "log/00112233445566778899aabbccddeeff",
            "system",
            StateSealed { digest, size },
        );
        let report = log.bundle().judge(&with_key(signer().vkey()));
        assert_eq!(report.exit, 1, "{report}");
        assert_eq!(broken(&report), ("state_digest.digest", Some(position)));
    }
}
