//! The program: what it prints, and how it exits.

#![expect(clippy::unwrap_used, reason = "tests")]

use probity_schemas::hash::leaf_hash;
use probity_schemas::note::Note;
use probity_schemas::proof::TlogProof;
use probity_schemas::tree::{Node, inclusion_plan, root_of};
use std::path::PathBuf;
use std::process::{Command, Output};

/// The golden bundle of the format, and the key of its log.
fn golden() -> (PathBuf, String) {
    let vectors = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/vectors"));
    let keys = std::fs::read(vectors.join("keys.json")).unwrap();
    let keys: serde_json::Value = serde_json::from_slice(&keys).unwrap();
    let key = keys["keys"][0]["vkey"].as_str().unwrap().to_owned();
    (vectors.join("bundle"), key)
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let program = env!("CARGO_BIN_EXE_probity-verify");
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_bundle_is_verified() {
    let (bundle, key) = golden();
    let (exit, out, _) = run(&[bundle.to_str().unwrap(), "--key", &key, "--no-adjudication"]);
    assert_eq!(exit, Some(0), "{out}");
    let verdict = "VERIFIED, NOT WITNESSED: every check that was asked for holds: ";
    assert!(out.contains(verdict), "{out}");
    assert!(out.contains("not made  adjudication"), "{out}");
    let lines = out.lines().take_while(|line| !line.is_empty()).count();
    let checks = probity_verifier::CheckName::ALL.len();
    assert_eq!(lines, checks, "one line a check\n{out}");
}

#[test]
fn a_changed_byte_is_named() {
    let (bundle, key) = golden();
    let copy = tempfile::tempdir().unwrap();
    for file in ["bundle.json", "checkpoint", "records.jsonl"] {
        let mut content = std::fs::read(bundle.join(file)).unwrap();
        if file == "records.jsonl" {
            let second = content.iter().position(|byte| *byte == b'\n').unwrap();
            let at = second
                + content[second..]
                    .windows(9)
                    .position(|text| text == b"\"surface\"")
                    .unwrap();
            content[at + 11] ^= 0x01;
        }
        std::fs::write(copy.path().join(file), content).unwrap();
    }
    let place = copy.path().to_str().unwrap();
    let (exit, out, _) = run(&[place, "--key", &key, "--no-adjudication"]);
    assert_eq!(exit, Some(1), "{out}");
    assert!(
        out.contains("FALSE: record 1: chain.previous: the record was changed"),
        "{out}"
    );
    let (exit, out, _) = run(&[place, "--key", &key, "--no-adjudication", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (exit, &json["verdict"], &json["broken"]["sequence"]),
        (Some(1), &"false".into(), &1.into())
    );
    let (exit, out, _) = run(&[place, "--key", &key, "--no-adjudication", "--quiet"]);
    assert_eq!((exit, out.as_str()), (Some(1), ""));
}

#[test]
fn what_cannot_be_judged_is_exit_2() {
    let (bundle, key) = golden();
    let bundle = bundle.to_str().unwrap();
    let other = "example.com/other+0f5ce3a0+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (arguments, words) in [
        (vec!["no/such/file.tar", "--key", &key], "cannot be read"),
        (vec![bundle, "--key", "nonsense"], "--key nonsense"),
        (vec![bundle, "--key", other], "--key example.com"),
        (
            vec![bundle, "--key", &key, "--since", "no/such/file"],
            "--since no/such/file",
        ),
    ] {
        let (exit, out, _) = run(&arguments);
        assert_eq!(exit, Some(2), "{arguments:?}\n{out}");
        assert!(
            out.contains(words) && out.contains("NOT JUDGED"),
            "{arguments:?}\n{out}"
        );
    }
    for arguments in [
        vec![bundle],
        vec![],
        vec![bundle, "--key", &key, "--surprise"],
    ] {
        let (exit, _, errors) = run(&arguments);
        assert_eq!(exit, Some(2), "{arguments:?}\n{errors}");
        assert!(errors.contains("Usage:"), "{errors}");
    }
}

#[test]
fn the_help_tells_a_stranger_how_to_begin() {
    let (exit, out, _) = run(&["--help"]);
    assert_eq!(exit, Some(0));
    for words in ["Exit codes:", "Examples:", "--since", "probity vkey"] {
        assert!(out.contains(words), "{words}\n{out}");
    }
}

#[cfg(unix)]
#[test]
fn the_commands_by_hand_work() {
    let (bundle, key) = golden();
    let readme = include_str!("../README.md");
    let blocks = readme
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let script = format!("set -eu\n{}", blocks.collect::<String>());
    let by_hand = |place: &std::path::Path| {
        let mut shell = Command::new("bash");
        let done = shell
            .args(["-c", &script])
            .current_dir(place)
            .env("KEY", &key)
            .output()
            .unwrap();
        (done.status.success(), format!("{done:?}"))
    };
    let (works, said) = by_hand(&bundle);
    assert!(works, "{said}");
    // Each of them notices its part: the chain, the signature, the number of records, the root.
    type Change = fn(&mut String);
    let table: [(&str, Change); 4] = [
        ("records.jsonl", |text| {
            *text = text.replacen("\"surface\":\"", "\"surface\":\"x", 1)
        }),
        ("checkpoint", |text| {
            *text = text.replacen("example/acme\n", "example/bcme\n", 1)
        }),
        ("records.jsonl", |text| {
            text.truncate(text.trim_end().rfind('\n').unwrap() + 1)
        }),
        ("records.jsonl", |text| {
            text.insert(text.rfind('}').unwrap(), ' ')
        }),
    ];
    for (number, (file, change)) in table.into_iter().enumerate() {
        let copy = tempfile::tempdir().unwrap();
        for name in ["checkpoint", "records.jsonl"] {
            let mut content = std::fs::read_to_string(bundle.join(name)).unwrap();
            if name == file {
                change(&mut content);
            }
            std::fs::write(copy.path().join(name), content).unwrap();
        }
        let (works, said) = by_hand(copy.path());
        assert!(!works, "change {number}\n{said}");
    }
}

/// The golden log's checkpoint, its record 1 with its receipt, and false copies of them, as files of a directory.
fn papers() -> (tempfile::TempDir, String) {
    let (bundle, key) = golden();
    let place = tempfile::tempdir().unwrap();
    let read = |name: &str| std::fs::read_to_string(bundle.join(name)).unwrap();
    let write = |name: &str, content: &str| {
        std::fs::write(place.path().join(name), content).unwrap();
    };
    let (records, checkpoint) = (read("records.jsonl"), read("checkpoint"));
    let lines: Vec<&str> = records.lines().collect();
    let leaves: Vec<_> = lines
        .iter()
        .map(|line| leaf_hash(line.as_bytes()))
        .collect();
    let plan = inclusion_plan(1, leaves.len() as u64).unwrap();
    let hash_of = |node: Node| {
        let start = usize::try_from(node.index).unwrap() << node.level;
        let below = leaves.get(start..start + (1 << node.level))?;
        Some(root_of(below.iter().copied()))
    };
    let receipt = TlogProof {
        index: 1,
        hashes: plan.assemble(hash_of).unwrap(),
        checkpoint: Note::parse(&checkpoint).unwrap(),
    };
    write("receipt", &receipt.text());
    let moved = receipt.text().replace("index 1\n", "index 2\n");
    write("moved-receipt", &moved);
    write("line", lines[1]);
    write("line-feed", &format!("{}\n", lines[1]));
    write("other-line", lines[2]);
    write("changed-line", &lines[1].replace("surface", "surfacf"));
    write("checkpoint", &checkpoint);
    write("forged", &checkpoint.replacen('\n', ".x\n", 1));
    write("empty", "");
    write("endless", &"A".repeat(3_000));
    (place, key)
}

#[test]
fn a_receipt_and_a_consistency_proof_are_judged_alone() {
    let (place, key) = papers();
    let of_nobody = "example.com/other+0f5ce3a0+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    #[rustfmt::skip]
    let table = [
        ("receipt receipt --record line", &key, 0, "VERIFIED: the line is record 1"),
        ("receipt receipt --record line-feed", &key, 0, "VERIFIED"),
        ("receipt receipt --record other-line", &key, 1, "FALSE: receipt.inclusion"),
        ("receipt receipt --record changed-line", &key, 1, "FALSE: receipt.inclusion"),
        ("receipt moved-receipt --record line", &key, 1, "FALSE: receipt.inclusion"),
        ("receipt receipt --record other-line --json", &key, 1, r#""rule": "receipt.inclusion""#),
        ("receipt receipt --record other-line --quiet", &key, 1, ""),
        ("receipt checkpoint --record line", &key, 2, "NOT JUDGED: the receipt"),
        ("receipt receipt --record none", &key, 2, "NOT JUDGED: --record none"),
        ("receipt receipt --record line", &of_nobody.to_owned(), 2, "NOT JUDGED: --key"),
        ("consistency checkpoint checkpoint empty", &key, 0, "records you saw signed are unchanged"),
        ("consistency checkpoint checkpoint line", &key, 2, "NOT JUDGED: the proof: line 1"),
        ("consistency checkpoint checkpoint endless", &key, 2, "more than 2835 bytes"),
        ("consistency forged checkpoint empty", &key, 1, "FALSE: checkpoint.signature"),
        ("consistency empty checkpoint empty", &key, 1, "FALSE: checkpoint.form"),
    ];
    for (arguments, key, expected, words) in table {
        let output = Command::new(env!("CARGO_BIN_EXE_probity-verify"))
            .args(arguments.split(' '))
            .args(["--key", key])
            .current_dir(place.path())
            .output()
            .unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(expected), "{arguments}\n{out}");
        assert!(out.contains(words), "{arguments}\n{out}");
    }
    let (exit, _, errors) = run(&["receipt", "receipt", "--key", &key]);
    assert!(exit == Some(2) && errors.contains("--record"), "{errors}");
}
