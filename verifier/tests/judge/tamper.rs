//! What can be done to a bundle without the log's key, record by record. Each way is refused, and the record is named.

use crate::files::{broken, judge, with_key};
use crate::rotated::rotated;
use crate::sealer::{Log, line, values};
use crate::story::{ANN, observation, restored, story};
use probity_governance::command::Operation;
use probity_schemas::event::Event;
use probity_verifier::{CheckName, CheckResult};
use serde_json::{Value, json};
use std::collections::BTreeSet;

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

/// Judges every change of one record, and gives how many there were.
fn change_everything(log: &Log, number: usize, record: &Value) -> usize {
    let (honest, options) = (log.bundle(), with_key(log.signer.vkey()));
    let is_last = number == log.lines.len() - 1;
    let changes = changes(record);
    for (what, changed) in &changes {
        let what = format!("record {number} ({}): {what}", record["type"]);
        let mut lines = log.lines.clone();
        lines[number] = line(changed);
        let mut files = honest.clone();
        files.put_lines(&lines);
        let report = crate::files::judge_tar(files.tar(), &options);
        assert_eq!(report.exit, 1, "{what}\n{report}");
        let root = report.result(CheckName::TreeRoot);
        assert_ne!(root, CheckResult::Holds, "{what}\n{report}");
        let (rule, sequence) = broken(&report);
        if is_last && rule == "tree.root" {
            assert!(
                report.summary.contains("the last record"),
                "{what}\n{report}"
            );
        } else {
            assert_eq!(sequence, Some(number as u64), "{what}\n{report}");
        }
    }
    changes.len()
}

#[test]
fn every_field_of_every_record_kind_changed() {
    let (mut kinds, mut made) = (BTreeSet::new(), 0);
    let mut sealed = story();
    sealed.seal();
    for log in [story(), restored().0, sealed, rotated()] {
        for (number, record) in values(&log.lines).iter().enumerate() {
            let is_new = kinds.insert(record["type"].as_str().unwrap().to_owned());
            if is_new || number == log.lines.len() - 1 {
                made += change_everything(&log, number, record);
            }
        }
    }
    assert!(
        kinds.iter().map(String::as_str).eq(types_in_order()),
        "{kinds:?}"
    );
    assert!(made > 900, "only {made} changes were made");
}

fn types_in_order() -> impl Iterator<Item = &'static str> {
    let types: BTreeSet<&str> = Event::TYPES.iter().copied().collect();
    types.into_iter()
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
            42,
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
    assert_eq!(log.lines.len(), 43);
    for (what, change, rule, sequence) in table {
        let mut lines = log.lines.clone();
        change(&mut lines);
        let mut files = log.bundle();
        files.put_lines(&lines);
        let report = judge(&files);
        assert_eq!(report.exit, 1, "{what}\n{report}");
        assert_eq!(broken(&report), (rule, Some(sequence)), "{what}\n{report}");
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
        assert_eq!(broken(&report), (rule, Some(42)), "{report}");
    }
}

#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    let mut files = story().bundle();
    files.put("records.jsonl", vec![b'x'; 3_000_000]);
    let report = judge(&files);
    assert_eq!(
        (report.exit, broken(&report)),
        (1, ("format.length", Some(0))),
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
        (1, ("completeness.surplus", Some(43))),
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
            ("chain.previous", Some(number as u64)),
            "{report}"
        );
        assert!(report.summary.contains(words), "{report}");
    }
}
