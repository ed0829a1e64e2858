//! The tamper table: every field of every kind of record, and every way to cut, swap, double and substitute, refused by our judge and
//! by the second implementation, with the right exit code.

use crate::harness::{Engine, Home, accepted, judge};
use crate::judges::oracle;
use crate::player::play;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A bundle's parts that are tampered with.
#[derive(Clone)]
struct Parts {
    lines: Vec<String>,
    checkpoint: String,
}

struct Case {
    name: String,
    parts: Parts,
    /// Exit codes that are right.
    right: &'static [i32],
}

impl Parts {
    fn read(bundle: &Path) -> Self {
        let text = std::fs::read_to_string(bundle.join("records.jsonl")).unwrap();
        let checkpoint = std::fs::read_to_string(bundle.join("checkpoint")).unwrap();
        Self {
            lines: text.lines().map(str::to_owned).collect(),
            checkpoint,
        }
    }

    /// Writes a bundle that holds these parts; the manifest is that of the honest one.
    fn write(&self, honest: &Path, to: &Path) {
        let _ = std::fs::remove_dir_all(to);
        std::fs::create_dir(to).unwrap();
        std::fs::copy(honest.join("bundle.json"), to.join("bundle.json")).unwrap();
        let text: String = self.lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(to.join("records.jsonl"), text).unwrap();
        std::fs::write(to.join("checkpoint"), &self.checkpoint).unwrap();
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut copy = self.clone();
        change(&mut copy);
        copy
    }
}

async fn story(home: &Home) -> (PathBuf, String) {
    let server = home.serve().await;
    play(&server, "refund_agent").await;
    server.stop();
    (home.export("local", "honest"), home.vkey("local"))
}

#[tokio::test]
async fn every_field_of_every_kind_of_record_is_covered() {
    let home = Home::new(Engine::Sqlite).await;
    let (honest, vkey) = story(&home).await;
    accepted(&honest, &vkey);
    let parts = Parts::read(&honest);
    let mut kinds = BTreeSet::new();
    let mut cases = Vec::new();
    for (at, line) in parts.lines.iter().enumerate() {
        let record: Value = serde_json::from_str(line).unwrap();
        let kind = record["type"].as_str().unwrap().to_owned();
        if !kinds.insert(kind.clone()) {
            continue;
        }
        for pointer in leaves(&record, "") {
            let mut changed = record.clone();
            alter(changed.pointer_mut(&pointer).unwrap());
            let forged = parts.with(|parts| parts.lines[at] = changed.to_string());
            // A type or engine that the judge does not know is "cannot be judged", whatever else is wrong.
            let right: &[i32] = if pointer == "/type" || pointer.contains("engine") {
                &[1, 2]
            } else {
                &[1]
            };
            cases.push(Case {
                name: format!("{kind} {pointer}"),
                parts: forged,
                right,
            });
        }
    }
    assert!(kinds.len() >= 14, "too few kinds of record: {kinds:?}");
    refused_by_both(&home, &honest, &vkey, cases);
}

#[tokio::test]
async fn cut_swapped_doubled_and_substituted() {
    let home = Home::new(Engine::Sqlite).await;
    let (honest, vkey) = story(&home).await;
    let other = Home::new(Engine::Sqlite).await;
    let (foreign, foreign_key) = story(&other).await;
    let (parts, strange) = (Parts::read(&honest), Parts::read(&foreign));
    let last = parts.lines.len() - 1;
    let middle = last / 2;
    let case = |name: &str, right, parts| Case {
        name: name.to_owned(),
        parts,
        right,
    };
    refused_by_both(
        &home,
        &honest,
        &vkey,
        vec![
            case(
                "two lines swapped",
                &[1],
                parts.with(|parts| parts.lines.swap(middle, middle + 1)),
            ),
            case(
                "a line dropped",
                &[1],
                parts.with(|parts| drop(parts.lines.remove(middle))),
            ),
            case(
                "the first line dropped",
                &[1],
                parts.with(|parts| drop(parts.lines.remove(0))),
            ),
            case(
                "a line doubled",
                &[1],
                parts.with(|parts| parts.lines.insert(middle, parts.lines[middle].clone())),
            ),
            case(
                "the tail cut",
                &[1],
                parts.with(|parts| parts.lines.truncate(last - 3)),
            ),
            case(
                "the last line cut",
                &[1],
                parts.with(|parts| parts.lines.truncate(last)),
            ),
            case(
                "a line of another log",
                &[1],
                parts.with(|parts| parts.lines[middle] = strange.lines[middle].clone()),
            ),
            case(
                "the checkpoint of another log",
                &[1, 2],
                parts.with(|parts| parts.checkpoint = strange.checkpoint.clone()),
            ),
            case("no record", &[2], parts.with(|parts| parts.lines.clear())),
            case(
                "no checkpoint",
                &[1, 2],
                parts.with(|parts| parts.checkpoint.clear()),
            ),
        ],
    );
    for (name, code) in [
        ("ours", judge(&honest, &foreign_key, &[]).0),
        ("the second", oracle(&honest, &foreign_key, &[]).0),
    ] {
        assert_eq!(code, 2, "{name}: a key of another log is no trusted key");
    }
    let empty = home.path("empty");
    std::fs::create_dir(&empty).unwrap();
    assert_eq!(
        (judge(&empty, &vkey, &[]).0, oracle(&empty, &vkey, &[]).0),
        (2, 2),
        "an empty bundle"
    );
}

#[tokio::test]
async fn a_cut_tail_shows_against_a_checkpoint_that_the_auditor_kept() {
    let home = Home::new(Engine::Sqlite).await;
    let server = home.serve().await;
    play(&server, "refund_agent").await;
    server.stop();
    let early = home.export("local", "early");
    let server = home.serve().await;
    play(&server, "coding_agent").await;
    server.stop();
    let late = home.export("local", "late");
    let vkey = home.vkey("local");
    let held = late.join("checkpoint").display().to_string();
    assert_eq!(
        judge(
            &late,
            &vkey,
            &["--since", &early.join("checkpoint").display().to_string()]
        )
        .0,
        0
    );
    let (code, text) = judge(&early, &vkey, &["--since", &held]);
    assert_eq!(code, 1, "an old export against a newer checkpoint: {text}");
    let (code, text) = oracle(&early, &vkey, &["--checkpoint", &held]);
    assert_eq!(code, 1, "{text}");
}

/// Every case on both judges, two at a time: the second is slow to start.
fn refused_by_both(home: &Home, honest: &Path, vkey: &str, cases: Vec<Case>) {
    let (left, right): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .enumerate()
        .partition(|(at, _)| at % 2 == 0);
    std::thread::scope(|scope| {
        for (worker, cases) in [left, right].into_iter().enumerate() {
            let to = home.path(&format!("forged-{worker}"));
            scope.spawn(move || {
                for (_, case) in cases {
                    case.parts.write(honest, &to);
                    let (code, text) = judge(&to, vkey, &[]);
                    assert!(
                        case.right.contains(&code),
                        "{}: our judge ended with {code}:\n{text}",
                        case.name
                    );
                    let (code, text) = oracle(&to, vkey, &[]);
                    assert!(
                        case.right.contains(&code),
                        "{}: the second ended with {code}:\n{text}",
                        case.name
                    );
                }
            });
        }
    });
}

/// The pointers of all values that hold no other value.
fn leaves(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| leaves(value, &format!("{at}/{}", escape(key))))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(n, value)| leaves(value, &format!("{at}/{n}")))
            .collect(),
        _ => vec![at.to_owned()],
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Another value of the same type.
fn alter(value: &mut Value) {
    *value = match value.take() {
        Value::String(text) => Value::String(alter_text(&text)),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Value::from(number + 1),
            None => Value::from(0),
        },
        Value::Bool(bool) => Value::Bool(!bool),
        other => Value::String(format!("was {other}")),
    };
}

/// The last letter or digit is another one of its kind.
fn alter_text(text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    match chars
        .iter_mut()
        .rev()
        .find(|one| one.is_ascii_alphanumeric())
    {
        Some(one) if *one == '0' => *one = '1',
        Some(one) if one.is_ascii_digit() => *one = '0',
        Some(one) if *one == 'a' => *one = 'b',
        Some(one) if *one == 'A' => *one = 'B',
        Some(one) if one.is_ascii_uppercase() => *one = 'A',
        Some(one) => *one = 'a',
        None => chars.push('x'),
    }
    chars.into_iter().collect()
}
