//! Every single byte of a small bundle of records and a checkpoint changed: never a panic, never success.

use crate::changes::STEP;
use crate::files::{Files, judge_tar, with_key};
use crate::story::{furnished, signer};
use probity_verifier::Options;

/// A bundle of three records.
fn small() -> Files {
    signer().bundle(&furnished().lines[..3])
}

fn refuse_flips(path: &str, options: &Options) {
    let honest = small();
    assert_eq!(judge_tar(honest.tar(), options).exit, 0);
    let content = honest.get(path).to_vec();
    for at in (0..content.len()).step_by(STEP) {
        for flip in [0x01, 0x80] {
            let mut changed = content.clone();
            changed[at] ^= flip;
            let mut files = honest.clone();
            files.put(path, changed);
            let report = judge_tar(files.tar(), options);
            assert!(
                matches!(report.exit, 1 | 2),
                "{path} byte {at} xor {flip:#x}\n{report}"
            );
        }
    }
}

#[test]
fn of_the_records() {
    refuse_flips("records.jsonl", &with_key(signer().vkey()));
}

#[test]
fn of_the_checkpoint() {
    refuse_flips("checkpoint", &with_key(signer().vkey()));
}

#[test]
fn of_the_kept_checkpoint() {
    let lines = furnished().lines;
    let (honest, kept) = (small(), signer().checkpoint(&lines[..2]).into_bytes());
    for at in (0..kept.len()).step_by(STEP) {
        let mut since = kept.clone();
        since[at] ^= 0x01;
        let options = Options {
            since: Some(since),
            ..with_key(signer().vkey())
        };
        assert!(
            matches!(judge_tar(honest.tar(), &options).exit, 1 | 2),
            "byte {at}"
        );
    }
}

#[test]
fn an_archive_cut_anywhere_or_flipped_in_its_headers() {
    let (archive, options) = (small().tar(), with_key(signer().vkey()));
    for end in (0..archive.len()).step_by(7) {
        let report = judge_tar(archive[..end].to_vec(), &options);
        assert!(matches!(report.exit, 1 | 2), "cut at {end}\n{report}");
    }
    for at in 0..512 {
        let mut changed = archive.clone();
        changed[at] ^= 0x01;
        // Whatever happens it must not panic; a header's checksum field has more than one spelling.
        let report = judge_tar(changed, &options);
        assert!(
            report.exit != 0 || (148..156).contains(&at),
            "byte {at}\n{report}"
        );
    }
}
