//! A log whose signer's key was rotated twice: who brought any of its keys can judge it, and what thieves and insiders make of
//! old and new keys is named.

use crate::changes::STEP;
use crate::files::{broken, judge_tar, with_key};
use crate::sealer::{Log, Signer, signed_by};
use crate::story::{ANN, ORIGIN, furnished, observation, signer};
use probity_governance::command::Operation;
use probity_schemas::event::signer::{SignerCompromised, SignerRotated};
use probity_schemas::note::Note;
use probity_verifier::{CheckName, CheckResult, Options, Report};

pub(crate) fn second() -> Signer {
    Signer::new(ORIGIN, 2)
}

pub(crate) fn third() -> Signer {
    Signer::new(ORIGIN, 3)
}

/// Somebody's own key, under the log's name.
fn thief() -> Signer {
    Signer::new(ORIGIN, 66)
}

pub(crate) fn observe(log: &mut Log, number: u32) {
    log.run(ANN, Operation::Observe(vec![observation(number)]));
}

/// A log under three keys, and a fourth record of each; the second was stolen after its time.
pub(crate) fn rotated() -> Log {
    let mut log = furnished();
    observe(&mut log, 0);
    log.rotate(&second());
    observe(&mut log, 1);
    observe(&mut log, 2);
    log.rotate(&third());
    let compromised = SignerCompromised {
        key: second().vkey().to_string(),
        last_trusted_size: log.lines.len() as u64,
        reason: Some("a laptop was lost".to_owned()),
    };
    log.run("system", Operation::ReportCompromise(compromised));
    observe(&mut log, 3);
    log
}

/// The records that name the second and the third key.
pub(crate) fn handovers(log: &Log) -> (u64, u64) {
    let at = |number: usize| log.older[number].0 as u64 - 1;
    (at(0), at(1))
}

fn detail(report: &Report, name: CheckName) -> &str {
    let check = report.checks.iter().find(|check| check.name == name);
    &check.unwrap().detail
}

#[test]
fn whoever_brought_any_of_its_keys_can_judge_it() {
    let log = rotated();
    let table = [
        (signer(), "which follows from", "each handed on"),
        (
            second(),
            "which follows from",
            "for 1 of them only the log vouches",
        ),
        (third(), "signed by", "for 2 of them only the log vouches"),
    ];
    for (key, checkpoint, signers) in table {
        let report = log.bundle().judge(&with_key(key.vkey()));
        assert_eq!(report.exit, 0, "{report}");
        for (name, words) in [
            (CheckName::Checkpoint, checkpoint),
            (CheckName::Signers, signers),
        ] {
            assert!(detail(&report, name).contains(words), "{report}");
        }
    }
    let report = log.bundle().judge(&with_key(thief().vkey()));
    assert_eq!(report.exit, 2, "{report}");
}

#[test]
fn a_bundle_that_ends_with_the_rotation_is_signed_by_both() {
    let mut log = furnished();
    log.rotate(&second());
    let mut files = log.bundle();
    for checkpoint in [
        log.older[0].1.clone(),
        second().checkpoint(&log.lines),
        signer().checkpoint(&log.lines),
    ] {
        files.put("checkpoint", checkpoint);
        let report = files.judge(&with_key(signer().vkey()));
        assert_eq!(report.exit, 0, "{report}");
    }
}

#[test]
fn checkpoints_that_were_kept_are_followed_too() {
    let log = rotated();
    let (first, last) = handovers(&log);
    let judge = |key: &Signer, since: String| {
        log.bundle().judge(&Options {
            since: Some(since.into_bytes()),
            ..with_key(key.vkey())
        })
    };
    let of = |key: &Signer, size: u64| key.checkpoint(&log.lines[..size as usize]);
    for (key, size) in [
        (signer(), first),
        (signer(), first + 1),
        (second(), first + 1),
        (second(), last + 1),
        (third(), last + 2),
    ] {
        let report = judge(&signer(), of(&key, size));
        assert_eq!(report.exit, 0, "{size}\n{report}");
        assert_eq!(report.result(CheckName::Consistency), CheckResult::Holds);
    }
    for (key, size, why) in [
        (signer(), first + 2, "took out of force"),
        (second(), last + 2, "took out of force"),
        (thief(), first, "signed by"),
    ] {
        let report = judge(&signer(), of(&key, size));
        assert_eq!(report.exit, 2, "{size}\n{report}");
        let told = detail(&report, CheckName::Consistency);
        assert!(told.contains("not trusted") && told.contains(why), "{told}");
    }
    let backwards = judge(&third(), of(&signer(), first));
    assert_eq!(backwards.exit, 2, "never backwards\n{backwards}");
}

/// A log that an insider, who has everything but the old key, goes on with under a key of their own.
fn hijacked() -> Log {
    let mut log = furnished();
    observe(&mut log, 0);
    log.rotate(&thief());
    observe(&mut log, 1);
    log
}

#[test]
fn insiders_without_the_old_key() {
    let log = hijacked();
    let (size, _) = log.older[0];
    let record = Some(size as u64 - 1);
    let place = format!("checkpoints/{size}");
    let note = |text: &str, lines: &[String]| Note::build(text, lines).unwrap().to_string();
    let alone = thief().checkpoint(&log.lines[..size]);
    let text = Note::parse(&alone).unwrap().text().to_owned();
    let of_thief = alone[text.len() + 1..].to_owned();
    // What the honest signer once signed: another history of that size, and an earlier one.
    let other = signer().checkpoint(&furnished_with(size));
    let earlier = signer().checkpoint(&log.lines[..size - 2]);
    let stolen_line = earlier.lines().last().unwrap().to_owned() + "\n";
    let other_text = Note::parse(&other).unwrap().text().to_owned();
    let renamed = |note: &str| {
        Signer::new("ledger.example/other", 66).signature(
            &probity_schemas::checkpoint::Checkpoint::parse(Note::parse(note).unwrap().text())
                .unwrap(),
        )
    };
    let table = [
        (
            "signed by the new key alone",
            Some(alone.clone()),
            "signers.old_signature",
        ),
        (
            "with a signature of another checkpoint",
            Some(note(&text, &[stolen_line, of_thief.clone()])),
            "signers.old_signature",
        ),
        (
            "an honest checkpoint of other records",
            Some(other),
            "signers.root",
        ),
        (
            "signed by both, of other records",
            Some(signed_by(&[&signer(), &thief()], &furnished_with(size))),
            "signers.root",
        ),
        (
            "the new signature under an honest checkpoint",
            Some(note(&other_text, &[of_thief])),
            "signers.root",
        ),
        (
            "by a key of another name",
            Some(alone.clone() + &renamed(&alone)),
            "signers.old_signature",
        ),
        ("no checkpoint at all", None, "signers.checkpoint"),
        ("one of another size", Some(earlier), "signers.checkpoint"),
        (
            "nothing that could be read",
            Some("nothing\n".to_owned()),
            "signers.checkpoint",
        ),
    ];
    for (what, checkpoint, rule) in table {
        let mut files = log.bundle();
        match checkpoint {
            Some(note) => files.put(&place, note),
            None => files.remove(&place),
        }
        for adjudicate in [true, false] {
            let options = Options {
                adjudicate,
                ..with_key(signer().vkey())
            };
            let report = files.judge(&options);
            assert_eq!(report.exit, 1, "{what}\n{report}");
            assert_eq!(broken(&report), (rule, record), "{what}\n{report}");
        }
    }
}

/// So many records under the first key, with nothing of a rotation.
pub(crate) fn furnished_with(lines: usize) -> Vec<Vec<u8>> {
    let mut log = furnished();
    for number in 10.. {
        if log.lines.len() >= lines {
            break;
        }
        observe(&mut log, number);
    }
    log.lines.truncate(lines);
    log.lines
}

#[test]
fn a_signature_stripped_or_changed() {
    let log = rotated();
    let (size, both) = &log.older[1];
    let record = Some(*size as u64 - 1);
    let place = format!("checkpoints/{size}");
    let lines = &log.lines[..*size];
    let table = [
        (second().checkpoint(lines), "signers.new_signature"),
        (third().checkpoint(lines), "signers.old_signature"),
        (
            signed_by(&[&signer(), &third()], lines),
            "signers.old_signature",
        ),
    ];
    for (note, rule) in table {
        let mut files = log.bundle();
        files.put(&place, note);
        for key in [signer(), second(), third()] {
            let report = files.judge(&with_key(key.vkey()));
            assert_eq!(
                (report.exit, broken(&report)),
                (1, (rule, record)),
                "{report}"
            );
        }
    }
    let options = Options {
        adjudicate: false,
        ..with_key(third().vkey())
    };
    for at in (0..both.len()).step_by(STEP) {
        let mut flipped = both.clone().into_bytes();
        flipped[at] ^= 1;
        let mut files = log.bundle();
        files.put(&place, flipped);
        let report = judge_tar(files.tar(), &options);
        assert_eq!(report.exit, 1, "byte {at}\n{report}");
    }
}

#[test]
fn an_old_key_that_signs_on() {
    let log = rotated();
    let (first, last) = handovers(&log);
    let mut files = log.bundle();
    for (key, at) in [(signer(), first), (second(), last)] {
        files.put("checkpoint", key.checkpoint(&log.lines));
        let report = files.judge(&with_key(signer().vkey()));
        assert_eq!(
            (report.exit, broken(&report)),
            (1, ("checkpoint.retired_key", Some(at))),
            "{report}"
        );
    }
    files.put("checkpoint", signed_by(&[&third(), &signer()], &log.lines));
    let report = files.judge(&with_key(signer().vkey()));
    assert_eq!(broken(&report).0, "checkpoint.retired_key", "{report}");
    files.put("checkpoint", second().checkpoint(&log.lines));
    let unknown = files.judge(&with_key(third().vkey()));
    assert_eq!(unknown.exit, 2, "a key that only the log names\n{unknown}");
}

#[test]
fn records_about_keys_that_do_not_fit() {
    let rotation = |previous: &Signer, next: String| SignerRotated {
        previous: previous.vkey().id().to_string(),
        reason: None,
        signer: next,
    };
    let compromise = |key: &Signer, size| SignerCompromised {
        key: key.vkey().to_string(),
        last_trusted_size: size,
        reason: None,
    };
    let elsewhere = Signer::new("ledger.example/other", 9).vkey().to_string();
    let (rotated_wrongly, compromised_wrongly) = ("signers.rotation", "signers.compromised");
    type Wrong = (&'static str, probity_schemas::event::Event, &'static str);
    let table: [Wrong; 8] = [
        (
            "after a key that is not in force",
            rotation(&second(), thief().vkey().to_string()).into(),
            rotated_wrongly,
        ),
        (
            "to a key of another name",
            rotation(&third(), elsewhere).into(),
            rotated_wrongly,
        ),
        (
            "to itself",
            rotation(&third(), third().vkey().to_string()).into(),
            rotated_wrongly,
        ),
        (
            "back to the first",
            rotation(&third(), signer().vkey().to_string()).into(),
            rotated_wrongly,
        ),
        (
            "to no key",
            rotation(&third(), "key".to_owned()).into(),
            rotated_wrongly,
        ),
        (
            "the key in force",
            compromise(&third(), 3).into(),
            compromised_wrongly,
        ),
        (
            "a key of nobody",
            compromise(&thief(), 3).into(),
            compromised_wrongly,
        ),
        (
            "more than it signed",
            compromise(&signer(), 500).into(),
            compromised_wrongly,
        ),
    ];
    for (what, event, rule) in table {
        let mut log = rotated();
        log.lawful = false;
        let at = log.lines.len() as u64;
        log.append("signer/00112233445566778899aabbccddeeff", "system", event);
        let report = log.bundle().judge(&with_key(third().vkey()));
        assert_eq!(
            (report.exit, broken(&report)),
            (1, (rule, Some(at))),
            "{what}\n{report}"
        );
        assert_eq!(
            report.result(CheckName::Adjudication),
            CheckResult::False,
            "{what}: the rules say so, too\n{report}"
        );
    }
}
