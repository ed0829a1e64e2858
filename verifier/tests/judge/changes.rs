//! Every single change to a small bundle that has everything, of a whole log and of a part of one: bytes flipped, lines swapped, doubled
//! and taken out, members cut off and spliced. What is signed or proved cannot change: exit 1 or 2. What nobody vouches for (padding,
//! the manifest, signature lines of unknown keys) may, if verdict and report stay the same.
//!
//! One change is no forgery: whole lines of `disclosures.jsonl`, or all that is shown of a subject, left out. That is a redacted bundle,
//! and it shows less.

use crate::cut::{Part, asked};
use crate::disclosed::{line, observe_person};
use crate::files::{Files, judge_tar};
use crate::sealer::{Log, Signer};
use crate::seeds::seeded;
use crate::story::{ANN, TRACE, ask, furnished, observation, trace};
use probity_governance::command::Operation;
use probity_schemas::note::{Note, signature_line};
use probity_verifier::{CheckName, CheckResult, Report};
use proptest::prelude::*;
use std::ops::Range;
use std::sync::LazyLock;

/// A debug build judges some thirty times slower, and looks at every 61st byte only.
pub(crate) const STEP: usize = if cfg!(debug_assertions) { 61 } else { 1 };

const LINES: [&str; 3] = ["proofs.jsonl", "records.jsonl", "disclosures.jsonl"];

/// A log with an attachment, a person's values as digests, and three seals.
fn log() -> (Log, String) {
    let mut log = furnished();
    ask(&mut log, "lookup", "run-1");
    trace(&mut log, "run-1");
    log.seal();
    let last = log.lines.len();
    let disclosures = observe_person(&mut log);
    let mut shown: Vec<String> = disclosures
        .iter()
        .map(|one| line(last as u64, one.as_str()))
        .collect();
    shown.sort();
    log.seal();
    log.run(ANN, Operation::Observe(vec![observation(1)]));
    log.seal();
    (log, shown.concat())
}

/// What goes with the records: an attachment, disclosures, and a signature by somebody unknown.
fn furnish(files: &mut Files, disclosures: &str) {
    files.put(
        &format!("attachments/{}", blake3::hash(TRACE).to_hex()),
        TRACE,
    );
    files.put("disclosures.jsonl", disclosures);
    let checkpoint = String::from_utf8(files.get("checkpoint").to_vec()).unwrap();
    let text = Note::parse(&checkpoint).unwrap().text().to_owned();
    let stranger = Signer::new("stranger.example/log", 9);
    let unknown = signature_line(stranger.origin(), stranger.vkey().id(), &[7; 64]);
    assert!(!text.contains(stranger.origin()));
    files.put("checkpoint", checkpoint + &unknown);
}

static WHOLE: LazyLock<Files> = LazyLock::new(|| {
    let (log, disclosures) = log();
    let mut files = log.bundle();
    furnish(&mut files, &disclosures);
    files
});

static PART: LazyLock<Files> = LazyLock::new(|| {
    let (log, disclosures) = log();
    let traced = |line: &Vec<u8>| line.windows(14).any(|words| words == b"trace.ingested");
    let trace = log.lines.iter().position(traced).unwrap();
    let mut files = Part::with(&log, "ticket/1", &[trace]).bundle();
    furnish(&mut files, &disclosures);
    files
});

fn honest(files: &Files) -> Report {
    let report = judge_tar(files.tar(), &asked());
    assert_eq!(report.exit, 0, "{report}");
    assert_eq!(report.result(CheckName::Cases), CheckResult::Holds);
    let counts = &report.counts;
    assert_eq!((counts.attachments, counts.disclosures), (1, 2), "{report}");
    report
}

/// What is signed or proved, as ranges of the tar.
fn protected(files: &Files) -> Vec<(String, Range<usize>)> {
    let (mut ranges, mut at) = (Vec::new(), 0);
    for (path, content) in &files.0 {
        at += 512;
        let text = String::from_utf8_lossy(content);
        let length = match path.as_str() {
            "checkpoint" => text.rfind("\u{2014}").unwrap(),
            path if LINES.contains(&path) || path.starts_with("attachments/") => content.len(),
            _ => 0,
        };
        ranges.push((path.clone(), at..at + length));
        at += content.len().next_multiple_of(512);
    }
    ranges
}

fn refuse_flips(files: &Files) {
    let (archive, same) = (files.tar(), honest(files).to_json().unwrap());
    let protected = protected(files);
    for (path, range) in &protected {
        let (start, end) = (range.start, range.end);
        assert_eq!(files.get(path)[..end - start], archive[start..end]);
    }
    for at in (0..archive.len()).step_by(STEP) {
        let member = protected.iter().find(|(_, range)| range.contains(&at));
        // Every byte of records is changed by `flips`.
        if at % 8 != 0 && member.is_some_and(|(path, _)| path == "records.jsonl") {
            continue;
        }
        let mut changed = archive.clone();
        changed[at] ^= if at & 1 == 0 { 0x01 } else { 0x80 };
        let report = judge_tar(changed, &asked());
        let same = member.is_none() && report.to_json().unwrap() == same;
        assert!(matches!(report.exit, 1 | 2) || same, "byte {at}\n{report}");
    }
}

#[test]
fn every_byte_of_a_whole_log() {
    refuse_flips(&WHOLE);
}

#[test]
fn every_byte_of_a_part() {
    refuse_flips(&PART);
}

/// The lines that remain are a few of the honest ones, in their order: a bundle that shows less, if anything.
fn is_redacted(path: &str, honest: &[u8], changed: &[u8]) -> bool {
    let mut rest = honest.split_inclusive(|byte| *byte == b'\n');
    let mut left = changed.split_inclusive(|byte| *byte == b'\n');
    let fewer = changed.len() < honest.len() && left.all(|line| rest.any(|one| one == line));
    let shows = |content: &[u8]| content.windows(8).any(|words| words == b"\"count\":");
    fewer && (path == "disclosures.jsonl" || path == "proofs.jsonl" && !shows(changed))
}

/// Judges the bundle with one member changed.
fn refuse(files: &Files, path: &str, changed: Vec<u8>) -> Result<(), String> {
    let honest = files.get(path);
    let (same, redacted) = (changed == honest, is_redacted(path, honest, &changed));
    let mut files = files.clone();
    files.put(path, changed);
    let report = judge_tar(files.tar(), &asked());
    let counts = &report.counts;
    let shows_less =
        counts.disclosures < 2 || report.result(CheckName::Cases) == CheckResult::NotMade;
    match report.exit {
        0 if same || redacted && shows_less => Ok(()),
        1 | 2 if !same => Ok(()),
        _ => Err(format!("{path}\n{report}")),
    }
}

/// One member's lines swapped, doubled and taken out, each by itself.
fn rearranged(content: &[u8]) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
    let mut all = Vec::new();
    for at in 0..lines.len() {
        for other in at + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, other);
            all.push(swapped.concat());
        }
        for to in [at, lines.len()] {
            let mut doubled = lines.clone();
            doubled.insert(to, lines[at]);
            all.push(doubled.concat());
        }
        let mut without = lines.clone();
        without.remove(at);
        all.push(without.concat());
    }
    all
}

#[test]
fn every_line_swapped_doubled_or_taken_out() {
    for files in [&*WHOLE, &*PART] {
        for path in LINES.iter().filter(|path| files.has(path)) {
            for changed in rearranged(files.get(path)) {
                refuse(files, path, changed).unwrap();
            }
        }
    }
}

#[test]
fn every_member_cut_off_anywhere_or_doubled() {
    for files in [&*WHOLE, &*PART] {
        for (path, range) in protected(files)
            .iter()
            .filter(|(_, range)| !range.is_empty())
        {
            let content = files.get(path);
            for cut in (0..range.len()).step_by(STEP) {
                refuse(files, path, content[..cut].to_vec()).unwrap();
            }
            refuse(files, path, content.repeat(2)).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(seeded(if cfg!(debug_assertions) { 32 } else { 400 }, 0x9b0b_5972))]

    #[test]
    fn pieces_moved_within_a_member(whole_log: bool, member: usize, from: usize, length in 1_usize..900, to: usize, copies in 0_usize..3) {
        let files = if whole_log { &*WHOLE } else { &*PART };
        let members: Vec<&String> = files.0.iter().map(|(path, _)| path).filter(|path| {
            LINES.contains(&path.as_str()) || path.starts_with("attachments/")
        }).collect();
        let path = members[member % members.len()];
        let changed = crate::splices::splice(files.get(path), from, length, to, copies);
        let judged = refuse(files, path, changed);
        prop_assert!(judged.is_ok(), "{}", judged.unwrap_err());
    }
}
