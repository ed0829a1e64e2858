//! Six files, in the form that our bundles have, of the kind that a public verifier of this field calls valid: it checks
//! a signature by no key that the auditor brought, counts no step, and takes a file in which there is nothing to check
//! for one in which nothing is wrong. Here each is refused, and none for the reason of another.

use crate::files::{Files, broken, judge_tar, with_key};
use crate::sealer::{Signer, relink, values};
use crate::story::{ORIGIN, signer, story};

/// The honest lines without one record: as they were, or linked anew.
fn without(record: usize, linked: bool) -> Vec<Vec<u8>> {
    let mut lines = story().lines;
    lines.remove(record);
    if linked {
        relink(&values(&lines))
    } else {
        lines
    }
}

#[test]
fn six_files_that_others_call_valid() {
    let log = story();
    let last = log.lines.len() - 1;
    let impostor = Signer::new(ORIGIN, 9);
    let honest = log.bundle();
    let with = |path: &str, content: Vec<u8>| {
        let mut files = honest.clone();
        files.put(path, content);
        files
    };
    let with_lines = |lines: &[Vec<u8>]| {
        let mut files = honest.clone();
        files.put_lines(lines);
        files
    };
    let bogus = {
        let own = String::from_utf8(honest.get("checkpoint").to_vec()).unwrap();
        let other = impostor.checkpoint(&log.lines);
        let signature = |note: &str| note.rsplit(' ').next().unwrap().trim().to_owned();
        // The key's id stays in front, so that it claims to be by the trusted key.
        let (mine, theirs) = (signature(&own), signature(&other));
        let forged = format!("{}{}", &mine[..8], &theirs[8..]);
        own.replace(&mine, &forged)
    };
    let mut elsewhere = honest.clone();
    elsewhere.remove("records.jsonl");
    elsewhere.put("component_vcs.jsonl", b"garbage\n".to_vec());
    let mut alone = Files::default();
    alone.put("bundle.json", honest.get("bundle.json").to_vec());
    let mut changed = log.lines.clone();
    changed[last] = String::from_utf8(changed[last].clone())
        .unwrap()
        .replacen("\"surface\":\"", "\"surface\":\"x", 1)
        .into_bytes();
    let table = [
        (
            "a bogus signature over honest records",
            with("checkpoint", bogus.into_bytes()),
            "checkpoint.signature",
        ),
        (
            "one field of one record changed",
            with_lines(&changed),
            "tree.root",
        ),
        (
            "a step removed",
            with_lines(&without(last - 11, false)),
            "chain.sequence",
        ),
        (
            "a step removed, the rest linked anew",
            with_lines(&without(last - 10, true)),
            // The record is missed, and before that the answer that a person signed is to another decision.
            "signatures.false",
        ),
        (
            "everything signed by a key that came with the file",
            impostor.bundle(&log.lines),
            "",
        ),
        ("the records under a name that nobody reads", elsewhere, ""),
        ("nothing but a name", alone, ""),
    ];
    for (what, files, rule) in table {
        let report = judge_tar(files.tar(), &with_key(signer().vkey()));
        // A broken rule where something is false; none where nothing could be judged. Neither is success.
        assert_eq!(broken(&report).0, rule, "{what}\n{report}");
        assert_eq!(report.exit, if rule.is_empty() { 2 } else { 1 }, "{what}");
    }
}
