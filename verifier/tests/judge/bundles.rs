//! Bundles whose records may be well, with a checkpoint, key, manifest or attachment that is not.

use crate::files::{Files, broken, judge, with_key};
use crate::sealer::{Log, Signer};
use crate::story::{ORIGIN, furnished, signer, story};
use probity_schemas::bundle::BundleManifest;
use probity_verifier::{CheckName, CheckResult, Options};

#[test]
fn keys_and_checkpoints_of_other_logs() {
    let log = story();
    let (same_name, other_log) = (
        Signer::new(ORIGIN, 2),
        Signer::new("ledger.example/other", 3),
    );
    let other_checkpoint = {
        let mut other = Log::open(&other_log);
        other.wait_seconds(1);
        other.signer.checkpoint(&other.lines)
    };
    let mine = with_key(signer().vkey());
    let honest = log.bundle();
    let judge = |checkpoint: String, options: &Options| {
        let mut files = honest.clone();
        files.put("checkpoint", checkpoint);
        files.judge(options)
    };
    let own = signer().checkpoint(&log.lines);
    let changed = own.replacen("\n43\n", "\n42\n", 1);
    let table = [
        (
            "a key of the same name",
            judge(own.clone(), &with_key(same_name.vkey())),
            2,
            "",
        ),
        (
            "a key of another log",
            judge(own.clone(), &with_key(other_log.vkey())),
            2,
            "",
        ),
        (
            "another log's checkpoint",
            judge(other_checkpoint.clone(), &mine),
            1,
            "origin.checkpoint",
        ),
        (
            "signed by another of that name",
            judge(same_name.checkpoint(&log.lines), &mine),
            2,
            "",
        ),
        (
            "size changed",
            judge(changed, &mine),
            1,
            "completeness.surplus",
        ),
        (
            "no signature",
            judge(own.split("\n\n").next().unwrap().to_owned() + "\n", &mine),
            1,
            "checkpoint.form",
        ),
        ("empty", judge(String::new(), &mine), 1, "checkpoint.form"),
        (
            "no key",
            judge(
                own.clone(),
                &Options {
                    actor_keys: Vec::new(),
                    keys: Vec::new(),
                    ..mine.clone()
                },
            ),
            2,
            "",
        ),
    ];
    for (what, report, exit, rule) in table {
        assert_eq!(
            (report.exit, broken(&report).0),
            (exit, rule),
            "{what}\n{report}"
        );
        assert_ne!(
            report.result(CheckName::Checkpoint),
            CheckResult::Holds,
            "{what}\n{report}"
        );
    }
    let both = judge(other_checkpoint, &with_key(other_log.vkey()));
    assert_eq!(
        (both.exit, broken(&both).0),
        (1, "origin.checkpoint"),
        "{both}"
    );
    // The right key under the records of somebody who copied the log's name.
    let report = judge(
        same_name.checkpoint(&log.lines),
        &with_key(same_name.vkey()),
    );
    assert_eq!(
        (report.exit, broken(&report).0),
        (1, "origin.signer"),
        "{report}"
    );
}

#[test]
fn a_checkpoint_that_was_kept() {
    let log = story();
    let since = |checkpoint: String| Options {
        since: Some(checkpoint.into_bytes()),
        ..with_key(signer().vkey())
    };
    let held = signer().checkpoint(&log.lines[..30]);
    let report = log.bundle().judge(&since(held.clone()));
    assert_eq!(
        (report.exit, report.result(CheckName::Consistency)),
        (0, CheckResult::Holds),
        "{report}"
    );

    // The operator, who has the key, shows an older state, or another history.
    let cut = signer()
        .bundle(&log.lines[..25])
        .judge(&since(held.clone()));
    assert_eq!(broken(&cut).0, "consistency.shorter", "{cut}");
    let mut fork = furnished();
    while fork.lines.len() < 43 {
        let execution = format!("other-{}", fork.lines.len());
        crate::story::ask(&mut fork, "lookup", &execution);
    }
    let fork = fork.bundle().judge(&since(held.clone()));
    assert_eq!(
        (fork.exit, broken(&fork).0),
        (1, "consistency.root"),
        "{fork}"
    );

    // What was kept proves nothing.
    let stranger = Signer::new("ledger.example/other", 3);
    for (what, kept) in [
        ("not a checkpoint", "hello".to_owned()),
        (
            "signed by nobody known",
            Signer::new(ORIGIN, 2).checkpoint(&log.lines[..30]),
        ),
        ("changed", held.replacen("\n30\n", "\n29\n", 1)),
        ("of another log", stranger.checkpoint(&log.lines[..30])),
        ("empty", signer().checkpoint(&[])),
    ] {
        let report = log.bundle().judge(&since(kept));
        assert_eq!(
            (report.exit, report.result(CheckName::Consistency)),
            (2, CheckResult::NotMade),
            "{what}\n{report}"
        );
    }
    let both = Options {
        actor_keys: Vec::new(),
        keys: vec![signer().vkey(), stranger.vkey()],
        ..since(stranger.checkpoint(&log.lines[..30]))
    };
    assert_eq!(log.bundle().judge(&both).exit, 2);
}

#[test]
fn bundles_with_nothing_to_verify() {
    let log = story();
    let manifest = |change: fn(&mut BundleManifest)| {
        let mut manifest = BundleManifest::parse(log.bundle().get("bundle.json")).unwrap();
        change(&mut manifest);
        manifest.to_json().unwrap()
    };
    let mut table: Vec<(&str, Files)> = vec![("no records in an empty log", signer().bundle(&[]))];
    for (what, path, content) in [
        ("empty records", "records.jsonl", Some(String::new())),
        ("no records", "records.jsonl", None),
        ("no checkpoint", "checkpoint", None),
        ("no manifest", "bundle.json", None),
        ("no readable manifest", "bundle.json", Some("{}".to_owned())),
        (
            "a later format",
            "bundle.json",
            Some(manifest(|one| one.format = 2)),
        ),
        (
            "a part of a log",
            "bundle.json",
            Some(manifest(|one| one.first = 5)),
        ),
        (
            "a filtered log",
            "bundle.json",
            Some(manifest(|one| one.filter = Some(Default::default()))),
        ),
    ] {
        let mut files = log.bundle();
        match content {
            Some(content) => files.put(path, content),
            None => files.remove(path),
        }
        table.push((what, files));
    }
    for (what, files) in table {
        let report = judge(&files);
        assert_eq!(report.exit, 2, "{what}\n{report}");
        assert!(report.broken.is_none(), "{what}\n{report}");
    }
}

#[test]
fn attachments_changed_or_added() {
    let honest = crate::honest::bundle();
    let path = format!("attachments/{}", blake3::hash(crate::story::TRACE).to_hex());
    let mut changed = honest.clone();
    changed.put(&path, "something else");
    let mut added = honest.clone();
    added.put(
        &format!("attachments/{}", blake3::hash(b"stray").to_hex()),
        "stray",
    );
    for (files, rule) in [
        (changed, "attachments.content"),
        (added, "attachments.unnamed"),
    ] {
        let report = judge(&files);
        assert_eq!((report.exit, broken(&report).0), (1, rule), "{report}");
    }
}
