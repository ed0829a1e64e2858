//! Archives and directories that are not laid out as a bundle, or would lead their reader astray: exit 2, and no file
//! outside is touched.

use crate::files::{judge_tar, with_key};
use crate::story::{furnished, signer};
use probity_verifier::{Options, Report, judge_path};
use std::path::Path;
use tar::{Builder, EntryType, Header};

fn options() -> Options {
    with_key(signer().vkey())
}

/// An honest archive with entries put before, inside and after.
fn archive(order: &[&str], extra: Option<(&[u8], EntryType)>) -> Vec<u8> {
    let files = signer().bundle(&furnished().lines);
    let mut builder = Builder::new(Vec::new());
    for path in order {
        append(
            &mut builder,
            path.as_bytes(),
            EntryType::Regular,
            files.get(path),
        );
    }
    if let Some((path, kind)) = extra {
        append(&mut builder, path, kind, b"");
    }
    builder.into_inner().unwrap()
}

/// An entry under any name at all.
fn append(builder: &mut Builder<Vec<u8>>, path: &[u8], kind: EntryType, content: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

const ORDER: [&str; 3] = ["bundle.json", "checkpoint", "records.jsonl"];

fn refused(report: &Report, what: &str) {
    assert_eq!(report.exit, 2, "{what}\n{report}");
    assert!(report.broken.is_none(), "{what}\n{report}");
    assert!(report.summary.starts_with("bundle: "), "{what}\n{report}");
}

#[test]
fn names_that_no_bundle_has() {
    assert_eq!(judge_tar(archive(&ORDER, None), &options()).exit, 0);
    for path in [
        "notes.txt",
        "../checkpoint",
        "/etc/passwd",
        "attachments/../../x",
        "keys/vkey",
        "records.jsonl.bak",
        "attachments/xyz",
        "schemas/../../x.json",
        "",
    ] {
        let report = judge_tar(
            archive(&ORDER, Some((path.as_bytes(), EntryType::Regular))),
            &options(),
        );
        refused(&report, path);
    }
    let report = judge_tar(
        archive(&ORDER, Some((b"schemas/\xff", EntryType::Regular))),
        &options(),
    );
    refused(&report, "not UTF-8");
}

#[test]
fn entries_that_are_no_files() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Fifo,
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::GNUSparse,
    ] {
        let report = judge_tar(archive(&ORDER, Some((b"proofs.jsonl", kind))), &options());
        refused(&report, &format!("{kind:?}"));
    }
    let directory = archive(&ORDER, Some((b"attachments/", EntryType::Directory)));
    assert_eq!(judge_tar(directory, &options()).exit, 0);
}

#[test]
fn members_twice_or_out_of_order() {
    for order in [
        ["checkpoint", "bundle.json", "records.jsonl"],
        ["bundle.json", "records.jsonl", "checkpoint"],
        ["bundle.json", "checkpoint", "checkpoint"],
    ] {
        refused(
            &judge_tar(archive(&order, None), &options()),
            &order.join(" "),
        );
    }
    let twice = archive(
        &[
            "bundle.json",
            "checkpoint",
            "records.jsonl",
            "records.jsonl",
        ],
        None,
    );
    refused(&judge_tar(twice, &options()), "records twice");
}

#[test]
fn what_is_no_archive() {
    for (what, content) in [
        ("text", b"hello, this is no archive at all".repeat(40)),
        ("zeros", vec![0; 10_240]),
        ("zstd", [&b"\x28\xb5\x2f\xfd"[..], &[7; 600]].concat()),
        ("nothing", Vec::new()),
    ] {
        refused(&judge_tar(content, &options()), what);
    }
}

#[test]
fn paths_that_are_no_bundle() {
    let directory = tempfile::tempdir().unwrap();
    refused(
        &judge_path(directory.path(), &options(), &()),
        "an empty directory",
    );
    refused(
        &judge_path(Path::new("no/such/bundle"), &options(), &()),
        "nothing there",
    );
    let file = directory.path().join("empty.tar");
    std::fs::write(&file, b"").unwrap();
    refused(&judge_path(&file, &options(), &()), "an empty file");
}

#[cfg(unix)]
#[test]
fn a_directory_is_what_lies_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let (bundle, outside) = (
        directory.path().join("bundle"),
        directory.path().join("outside"),
    );
    std::fs::create_dir(&bundle).unwrap();
    let files = signer().bundle(&furnished().lines);
    for path in ORDER {
        std::fs::write(bundle.join(path), files.get(path)).unwrap();
    }
    assert_eq!(judge_path(&bundle, &options(), &()).exit, 0);
    std::fs::rename(bundle.join("records.jsonl"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, bundle.join("records.jsonl")).unwrap();
    refused(
        &judge_path(&bundle, &options(), &()),
        "a link in the place of the records",
    );
    std::fs::remove_file(bundle.join("records.jsonl")).unwrap();
    std::fs::rename(&outside, bundle.join("records.jsonl")).unwrap();
    std::fs::create_dir(bundle.join("attachments")).unwrap();
    std::fs::write(bundle.join("attachments/stray"), "x").unwrap();
    refused(&judge_path(&bundle, &options(), &()), "a stray file");
}
