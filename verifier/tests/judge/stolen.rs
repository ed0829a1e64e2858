//! Keys that were stolen: what thieves make of them before their time was over is refused by who was told, alone or in a part of a
//! log; what a part shows of keys is followed.

use crate::files::{Files, broken, with_key};
use crate::rotated::{furnished_with, handovers, observe, rotated, second, third};
use crate::sealer::{Log, Signer, signed_by};
use crate::story::{furnished, signer};
use probity_governance::command::Operation;
use probity_schemas::event::signer::SignerCompromised;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::Note;
use probity_schemas::proof::TlogProof;
use probity_verifier::{CompromisedKey, Options, judge_consistency, judge_receipt};

/// What a thief of the first key makes of the log before its rotation.
fn forked() -> Log {
    let mut log = furnished();
    observe(&mut log, 0);
    observe(&mut log, 90);
    observe(&mut log, 91);
    log
}

#[test]
fn a_stolen_key_before_its_rotation_is_caught_only_by_who_knows_of_it() {
    let fork = forked();
    let undetected = fork.bundle().judge(&with_key(signer().vkey()));
    assert_eq!(undetected.exit, 0, "nobody told\n{undetected}");
    let last_trusted_size = fork.lines.len() as u64 - 2;
    let known = CompromisedKey {
        key: signer().vkey(),
        last_trusted_size,
    };
    let told = Options {
        compromised: vec![known.clone()],
        ..with_key(signer().vkey())
    };
    let report = fork.bundle().judge(&told);
    assert_eq!(
        (report.exit, broken(&report).0),
        (1, "checkpoint.compromised_key"),
        "{report}"
    );
    let before = signer().bundle(&fork.lines[..last_trusted_size as usize]);
    assert_eq!(before.judge(&told).exit, 0, "up to that size it is trusted");

    let at = fork.lines.len() - 1;
    let receipt = receipt(&fork.lines, at, &signer());
    let line = &fork.lines[at];
    let keys = [signer().vkey()];
    assert_eq!(judge_receipt(&receipt, line, &keys, &[]).exit, 0);
    let report = judge_receipt(&receipt, line, &keys, std::slice::from_ref(&known));
    assert_eq!(report.rule, Some("checkpoint.compromised_key"), "{report}");
    let (old, new) = (
        signer().checkpoint(&fork.lines[..3]),
        signer().checkpoint(&fork.lines),
    );
    let report = judge_consistency(old.as_bytes(), new.as_bytes(), b"", &keys, &[known]);
    assert_eq!(report.rule, Some("checkpoint.compromised_key"), "{report}");
}

/// The receipt of a record under the checkpoint of all lines.
fn receipt(lines: &[Vec<u8>], at: usize, key: &Signer) -> Vec<u8> {
    let leaves: Vec<Hash> = lines.iter().map(|line| leaf_hash(line)).collect();
    let proof = TlogProof {
        index: at as u64,
        hashes: crate::cut::path(at, &leaves),
        checkpoint: Note::parse(&key.checkpoint(lines)).unwrap(),
    };
    proof.text().into_bytes()
}

#[test]
fn a_key_that_was_stolen_before_it_handed_on_leads_nowhere() {
    let log_with = |trusted: u64| {
        let mut log = furnished();
        observe(&mut log, 0);
        log.rotate(&second());
        let compromised = SignerCompromised {
            key: signer().vkey().to_string(),
            last_trusted_size: trusted,
            reason: None,
        };
        log.run("system", Operation::ReportCompromise(compromised));
        log
    };
    let handover = log_with(0).older[0].0 as u64;
    for (trusted, exit) in [(handover, 0), (handover - 1, 2), (0, 2)] {
        let log = log_with(trusted);
        let by_old = log.bundle().judge(&with_key(signer().vkey()));
        assert_eq!(by_old.exit, exit, "{trusted}\n{by_old}");
        if exit == 2 {
            assert!(by_old.to_string().contains("bring a later key"), "{by_old}");
        }
        let by_new = log.bundle().judge(&with_key(second().vkey()));
        assert_eq!(by_new.exit, 0, "{trusted}\n{by_new}");
        assert!(by_new.to_string().contains("was compromised"), "{by_new}");
        let since = signer().checkpoint(&log.lines[..3]);
        let both = Options {
            keys: vec![signer().vkey(), second().vkey()],
            since: Some(since.into_bytes()),
            ..with_key(second().vkey())
        };
        let kept = log.bundle().judge(&both);
        assert_eq!(
            kept.exit,
            if trusted < 3 { 2 } else { 0 },
            "{trusted}\n{kept}"
        );
    }
}

/// The part of a log that holds one subject and what is said of its keys.
fn part(log: &Log) -> Files {
    crate::cut::with_signers(log, "machine/m-1")
}

#[test]
fn a_part_of_a_log_is_followed_where_it_shows_how() {
    let log = rotated();
    let partial = |key: &Signer| Options {
        partial: true,
        ..with_key(key.vkey())
    };
    for key in [signer(), second(), third()] {
        let report = part(&log).judge(&partial(&key));
        assert_eq!(report.exit, 0, "{report}");
    }
    let (first, _) = handovers(&log);
    let proofs = String::from_utf8(part(&log).get("proofs.jsonl").to_vec()).unwrap();
    let is_first = |line: &&str| line.contains(&format!("\"handover\":{first},"));
    let without: String = proofs
        .lines()
        .filter(|line| !is_first(line))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(without, proofs);
    let mut files = part(&log);
    files.put("proofs.jsonl", without);
    assert_eq!(files.judge(&partial(&signer())).exit, 2, "not shown");
    assert_eq!(files.judge(&partial(&third())).exit, 0, "not needed");

    let mut files = part(&log);
    let size = first as usize + 1;
    let other = signed_by(&[&signer(), &second()], &furnished_with(size));
    files.put(&format!("checkpoints/{size}"), other);
    let report = files.judge(&partial(&signer()));
    assert_eq!(
        (report.exit, broken(&report)),
        (1, ("signers.root", Some(first))),
        "{report}"
    );
    for (what, changed) in [
        (
            "out of order",
            proofs
                .lines()
                .rev()
                .take(2)
                .fold(without_handovers(&proofs), |all, line| all + line + "\n"),
        ),
        (
            "of another record",
            proofs.replace(&format!("\"handover\":{first},"), "\"handover\":1,"),
        ),
    ] {
        let mut files = part(&log);
        files.put("proofs.jsonl", changed);
        let report = files.judge(&partial(&third()));
        assert_eq!(
            (report.exit, broken(&report).0),
            (1, "signers.proof"),
            "{what}\n{report}"
        );
    }
    let mut files = part(&log);
    files.put("checkpoint", signer().checkpoint(&log.lines));
    let report = files.judge(&partial(&signer()));
    assert_eq!(
        (report.exit, broken(&report)),
        (1, ("checkpoint.retired_key", Some(first))),
        "{report}"
    );
}

fn without_handovers(proofs: &str) -> String {
    let others = proofs
        .lines()
        .filter(|line| !line.starts_with("{\"handover\""));
    others.map(|line| format!("{line}\n")).collect()
}
