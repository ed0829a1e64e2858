//! What only the whole of a log can tell, once its records were heard.

use super::{Case, NO_SINCE};
use crate::report::{CheckName, Findings};
use crate::seal::Seal;
use crate::signers::{History, Signed, Tie};
use crate::walk::Walked;
use probity_schemas::checkpoint::Checkpoint;

impl Case<'_> {
    /// What only the whole can tell.
    pub(super) fn conclude(&mut self, walked: &mut Walked, findings: &mut Findings) {
        let signers = std::mem::take(&mut walked.signers);
        let root_at = |size| walked.root_at(size);
        let options = self.options;
        let history = signers.judge(
            &self.older,
            &Tie::Roots(&root_at),
            &options.keys,
            &options.compromised,
            findings,
        );
        findings.hold(CheckName::Bundle, self.bundle_detail());
        let Some(seal) = &self.seal else { return };
        let key = self.conclude_seal(seal, &history, findings);
        options.witnesses.check(seal.note.as_ref(), findings);
        match &seal.checkpoint {
            Some(checkpoint) if walked.identity.is_of(checkpoint, findings) => {
                check_completeness(checkpoint, walked, findings);
                check_root(checkpoint, walked, findings);
                walked.convict(checkpoint, findings);
                let since = self.since.as_ref();
                let since = since.map(|since| self.trusted(since, &history));
                check_consistency(since, checkpoint, walked, findings);
                let is_ours = |origin: &str| walked.identity.is_or_was(origin);
                self.stamps
                    .close(&options.authorities, is_ours, root_at, findings);
            }
            stated => {
                let why = match stated {
                    Some(_) => "the checkpoint is of another log",
                    None => "the checkpoint cannot be read",
                };
                for check in [
                    CheckName::Completeness,
                    CheckName::Cases,
                    CheckName::TreeRoot,
                    CheckName::Consistency,
                    CheckName::TrustedTime,
                ] {
                    findings.impossible(check, why);
                }
            }
        }
        let named = key.as_ref().is_some_and(|key| history.names(key));
        walked.identity.close(key.as_ref(), named, findings);
    }

    /// A checkpoint that the auditor kept, if a key that is trusted signed it; else why not.
    fn trusted<'s>(&self, since: &'s Seal, history: &History) -> Result<&'s Checkpoint, String> {
        match (self.who_signed(since, history), &since.checkpoint) {
            (Signed::By(..), Some(checkpoint)) => Ok(checkpoint),
            (Signed::False(_, _, why), _) => Err(why),
            (Signed::Unknown(why), _) => Err(why.unwrap_or_default()),
            (Signed::By(..), None) => Err("it cannot be read".to_owned()),
        }
    }
}

/// The records must be those from 0 to the checkpoint's size.
fn check_completeness(checkpoint: &Checkpoint, walked: &Walked, findings: &mut Findings) {
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
fn check_root(checkpoint: &Checkpoint, walked: &Walked, findings: &mut Findings) {
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
fn check_consistency(
    since: Option<Result<&Checkpoint, String>>,
    now: &Checkpoint,
    walked: &Walked,
    findings: &mut Findings,
) {
    let name = CheckName::Consistency;
    let old = match since {
        None => return findings.not_asked(name, NO_SINCE),
        Some(Ok(old)) => old,
        Some(Err(why)) => {
            let why = format!("the older checkpoint is not trusted: {why}");
            return findings.impossible(name, why);
        }
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
