//! What can be done to a bundle without the log's key, record by record. Each way is refused, and the record is named.

use crate::files::{Files, with_key};
use crate::sealer::{Log, Signer, line, values};
use crate::story::{ANN, ORIGIN, furnished, observation, signer, story};
use probity_governance::command::Operation;
use probity_schemas::bundle::BundleManifest;
use probity_verifier::{CheckName, CheckResult, Options, Report};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn judge(files: &Files) -> Report {
    files.judge(&with_key(signer().vkey()))
}

/// The rule, and the record it was broken at.
fn broken(report: &Report) -> (String, Option<u64>) {
    let broken = report.broken.as_ref();
    broken.map_or((String::new(), None), |broken| {
        (broken.rule.clone(), broken.sequence)
    })
}

/// Every change of one place in a value: scalars changed, members and elements taken away, members added.
fn changes(value: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for at in places(value, String::new()) {
        let mut changed = value.clone();
        let place = changed.pointer_mut(&at).unwrap();
        *place = match place.take() {
            Value::Bool(yes) => json!(!yes),
            Value::Number(number) => json!(number.as_f64().unwrap() as i64 + 1),
            Value::String(text) => json!(other_text(&text)),
            Value::Null => json!(0),
            Value::Array(mut list) => {
                list.push(json!("more"));
                Value::Array(list)
            }
            Value::Object(mut members) => {
                members.insert("zz".to_owned(), json!(1));
                Value::Object(members)
            }
        };
        all.push((format!("{at} changed"), changed));
        let Some((parent, name)) = at.rsplit_once('/') else {
            continue;
        };
        let mut shortened = value.clone();
        match shortened.pointer_mut(parent).unwrap() {
            Value::Object(members) => drop(members.remove(name)),
            Value::Array(list) => drop(list.remove(name.parse().unwrap())),
            _ => continue,
        }
        all.push((format!("{at} taken away"), shortened));
    }
    all
}

fn places(value: &Value, at: String) -> Vec<String> {
    let mut all = vec![at.clone()];
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                all.extend(places(member, format!("{at}/{name}")));
            }
        }
        Value::Array(list) => {
            for (number, element) in list.iter().enumerate() {
                all.extend(places(element, format!("{at}/{number}")));
            }
        }
        _ => {}
    }
    all
}

/// The last letter or digit changed to another that the place may well allow.
fn other_text(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    match bytes.iter().rposition(u8::is_ascii_alphanumeric) {
        Some(at) => bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' },
        None => bytes.push(b'x'),
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_field_of_every_record_kind_changed() {
    let (log, options) = (story(), with_key(signer().vkey()));
    let honest = log.bundle();
    let last = log.lines.len() - 1;
    let (mut kinds, mut made) = (BTreeSet::new(), 0);
    for (number, record) in values(&log.lines).iter().enumerate() {
        if !kinds.insert(record["type"].to_string()) && number != last {
            continue;
        }
        for (what, changed) in changes(record) {
            let what = format!("record {number} ({}): {what}", record["type"]);
            let mut lines = log.lines.clone();
            lines[number] = line(&changed);
            let mut files = honest.clone();
            files.put_lines(&lines);
            let report = crate::files::judge_tar(files.tar(), &options);
            assert_eq!(report.exit, 1, "{what}\n{report}");
            let root = report.result(CheckName::TreeRoot);
            assert_ne!(root, CheckResult::Holds, "{what}\n{report}");
            let (rule, sequence) = broken(&report);
            if number == last && rule == "tree.root" {
                assert!(
                    report.summary.contains("the last record"),
                    "{what}\n{report}"
                );
            } else {
                assert_eq!(sequence, Some(number as u64), "{what}\n{report}");
            }
            made += 1;
        }
    }
    assert!(made > 900, "only {made} changes were made");
}

#[test]
fn lines_moved_dropped_and_added() {
    type Change = fn(&mut Vec<Vec<u8>>);
    let table: [(&str, Change, &str, u64); 10] = [
        (
            "two lines swapped",
            |lines| lines.swap(7, 8),
            "chain.sequence",
            7,
        ),
        (
            "a line dropped",
            |lines| drop(lines.remove(7)),
            "chain.sequence",
            7,
        ),
        (
            "the first line dropped",
            |lines| drop(lines.remove(0)),
            "chain.sequence",
            0,
        ),
        (
            "a line twice",
            |lines| lines.insert(8, lines[7].clone()),
            "chain.sequence",
            8,
        ),
        (
            "the tail cut off",
            |lines| lines.truncate(20),
            "completeness.missing",
            20,
        ),
        (
            "the last line dropped",
            |lines| drop(lines.pop()),
            "completeness.missing",
            34,
        ),
        (
            "an empty line",
            |lines| lines.insert(7, Vec::new()),
            "format.canonical",
            7,
        ),
        (
            "a carriage return",
            |lines| lines[7].push(b'\r'),
            "format.canonical",
            7,
        ),
        (
            "a space",
            |lines| lines[7].insert(1, b' '),
            "format.canonical",
            7,
        ),
        (
            "a line too long",
            |lines| lines[7] = vec![b'x'; 70_000],
            "format.length",
            7,
        ),
    ];
    let log = story();
    assert_eq!(log.lines.len(), 35);
    for (what, change, rule, sequence) in table {
        let mut lines = log.lines.clone();
        change(&mut lines);
        let mut files = log.bundle();
        files.put_lines(&lines);
        let report = judge(&files);
        assert_eq!(report.exit, 1, "{what}\n{report}");
        assert_eq!(
            broken(&report),
            (rule.to_owned(), Some(sequence)),
            "{what}\n{report}"
        );
    }
}

#[test]
fn a_file_cut_in_its_last_line() {
    let log = story();
    let whole = log.bundle();
    let content = whole.get("records.jsonl");
    for (cut, rule) in [
        (1, "format.line"),
        (2, "format.canonical"),
        (300, "format.canonical"),
    ] {
        let mut files = whole.clone();
        files.put("records.jsonl", &content[..content.len() - cut]);
        let report = judge(&files);
        assert_eq!(report.exit, 1, "{report}");
        assert_eq!(broken(&report), (rule.to_owned(), Some(34)), "{report}");
    }
}

#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    let mut files = story().bundle();
    files.put("records.jsonl", vec![b'x'; 3_000_000]);
    let report = judge(&files);
    assert_eq!(
        (report.exit, broken(&report)),
        (1, ("format.length".to_owned(), Some(0))),
        "{report}"
    );
}

#[test]
fn a_record_more_than_was_signed() {
    let mut log = story();
    let checkpoint = log.signer.checkpoint(&log.lines);
    log.run(ANN, Operation::Observe(vec![observation(3)]));
    let mut files = log.bundle();
    files.put("checkpoint", checkpoint);
    let report = judge(&files);
    assert_eq!(
        (report.exit, broken(&report)),
        (1, ("completeness.surplus".to_owned(), Some(35))),
        "{report}"
    );
    assert_eq!(report.result(CheckName::TreeRoot), CheckResult::Holds);
}

#[test]
fn a_changed_record_is_told_from_a_changed_link() {
    let log = story();
    let honest = values(&log.lines);
    let mut record = honest[16].clone();
    record["surface"] = "elsewhere".into();
    let mut link = honest[17].clone();
    link["previous"] = probity_schemas::hash::Hash::EMPTY.to_string().into();
    for (number, changed, words) in [
        (16, record, "the record was changed"),
        (17, link, "or this link was"),
    ] {
        let mut lines = log.lines.clone();
        lines[number] = line(&changed);
        let mut files = log.bundle();
        files.put_lines(&lines);
        let report = judge(&files);
        assert_eq!(
            broken(&report),
            ("chain.previous".to_owned(), Some(number as u64)),
            "{report}"
        );
        assert!(report.summary.contains(words), "{report}");
    }
}

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
    let changed = own.replacen("\n35\n", "\n34\n", 1);
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
            (report.exit, broken(&report).0.as_str()),
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
        (both.exit, broken(&both).0.as_str()),
        (1, "origin.checkpoint"),
        "{both}"
    );
    // The right key under the records of somebody who copied the log's name.
    let report = judge(
        same_name.checkpoint(&log.lines),
        &with_key(same_name.vkey()),
    );
    assert_eq!(
        (report.exit, broken(&report).0.as_str()),
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
    while fork.lines.len() < 35 {
        let execution = format!("other-{}", fork.lines.len());
        crate::story::ask(&mut fork, "lookup", &execution);
    }
    let fork = fork.bundle().judge(&since(held.clone()));
    assert_eq!(
        (fork.exit, broken(&fork).0.as_str()),
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
        assert_eq!(
            (report.exit, broken(&report).0.as_str()),
            (1, rule),
            "{report}"
        );
    }
}
