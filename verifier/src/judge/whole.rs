//! What only the whole of a log can tell: that nothing is missing, that it is what was signed, and what the auditor saw before.

use super::NO_SINCE;
use crate::report::{CheckName, Findings};
use crate::seal::{Distrust, Seal};
use crate::walk::Walked;
use probity_schemas::checkpoint::Checkpoint;

/// The records must be those from 0 to the checkpoint's size.
pub(super) fn check_completeness(
    checkpoint: &Checkpoint,
    walked: &Walked,
    findings: &mut Findings,
) {
    let (size, count) = (checkpoint.size, walked.counts.records);
    let name = CheckName::Completeness;
    if count < size {
        let detail =
            format!("missing: the checkpoint covers {size} records, the bundle holds {count}");
        findings.fail(name, Some(count), "completeness.missing", detail);
    } else if count > size {
        let detail =
            format!("one too many: the checkpoint covers {size} records, the bundle holds {count}");
        findings.fail(name, Some(size), "completeness.surplus", detail);
    } else {
        findings.hold(name, format!("all {size} records from 0 on, and none more"));
        findings.hold(CheckName::Cases, "the log is whole, so is every case");
    }
    findings.impossible(CheckName::Cases, "the log is not whole");
}

/// The tree over the lines must have the root that the checkpoint states.
pub(super) fn check_root(checkpoint: &Checkpoint, walked: &Walked, findings: &mut Findings) {
    let name = CheckName::TreeRoot;
    match walked.root_at(checkpoint.size) {
        Some(root) if root == checkpoint.root => {
            findings.hold(name, format!("{root} at {} records", checkpoint.size));
        }
        Some(root) => {
            let detail = format!(
                "the records have the root {root}, the checkpoint {}: {}",
                checkpoint.root,
                walked.suspects(),
            );
            findings.fail(name, None, "tree.root", detail);
        }
        None => findings.impossible(name, "the records do not reach the checkpoint's size"),
    }
}

/// The history that the auditor saw must be the beginning of this one.
pub(super) fn check_consistency(
    since: Option<&Seal>,
    now: &Checkpoint,
    walked: &Walked,
    findings: &mut Findings,
) {
    let name = CheckName::Consistency;
    let Some(since) = since else {
        return findings.not_asked(name, NO_SINCE);
    };
    let old = match (&since.checkpoint, &since.key) {
        (Some(old), Ok(_)) => old,
        (_, Err(Distrust::False { detail, .. } | Distrust::Unknown(detail))) => {
            return findings.impossible(
                name,
                format!("the older checkpoint is not trusted: {detail}"),
            );
        }
        (None, Ok(_)) => return,
    };
    if !walked.identity.is_or_was(&old.origin) {
        let why = format!("the older checkpoint is of another log, {}", old.origin);
        return findings.impossible(name, why);
    }
    if old.size == 0 {
        return findings.impossible(
            name,
            "the older checkpoint covers no record: nothing to compare",
        );
    }
    if old.size > now.size {
        let detail = format!(
            "cut off: {} records were signed before, and now {}",
            old.size, now.size
        );
        return findings.fail(name, Some(now.size), "consistency.shorter", detail);
    }
    match walked.root_at(old.size) {
        Some(root) if root == old.root => {
            findings.hold(
                name,
                format!("the {} records you saw signed are unchanged", old.size),
            );
        }
        Some(_) => {
            let detail = format!(
                "the first {} records are not those you saw signed",
                old.size
            );
            findings.fail(name, None, "consistency.root", detail);
        }
        None => findings.impossible(name, "the records do not reach the older checkpoint's size"),
    }
}
