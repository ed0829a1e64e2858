//! The walk of one bundle: its members in order, then what only the whole can tell.

mod part;

use crate::bundle::{Bundle, ReadError};
use crate::lines::End;
use crate::report::{CheckName, Counts, Findings, Report, SubjectReport};
use crate::seal::{Distrust, Seal};
use crate::signatures::TrustedActor;
use crate::walk::{Walk, Walked};
use crate::witnesses::Witnesses;
use crate::workers::walk_lines;
use probity_schemas::bundle::{BundleError, BundleManifest, Member};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::vkey::VerifierKey;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// What the auditor brings and asks for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The keys that the auditor trusts, from elsewhere than the bundle.
    pub keys: Vec<VerifierKey>,
    /// Keys of actors that the auditor trusts, from elsewhere than the bundle.
    pub actor_keys: Vec<TrustedActor>,
    /// An older checkpoint that the auditor kept, as the bytes of its signed note.
    pub since: Option<Vec<u8>>,
    /// The witnesses that must have cosigned the checkpoint.
    pub witnesses: Witnesses,
    /// Whether the bundle may be a part of a log.
    pub partial: bool,
    /// Whether each decision is to be decided again.
    pub adjudicate: bool,
    /// Whether the report is to tell what happened.
    pub chronicle: bool,
}

/// Hears how far the reading of the records has come.
pub trait Progress: Sync {
    /// The records have so many bytes.
    fn begin(&self, bytes: u64);
    /// So many more were judged.
    fn advance(&self, bytes: u64);
}

/// Nobody watches.
impl Progress for () {
    fn begin(&self, _: u64) {}
    fn advance(&self, _: u64) {}
}

/// Judges the bundle at a path.
#[must_use]
pub fn judge_path(path: &Path, options: &Options, progress: &dyn Progress) -> Report {
    match Bundle::open(path) {
        Ok(bundle) => judge(bundle, options, progress),
        Err(error) => Report::not_judged(error.to_string()),
    }
}

/// Judges a bundle.
#[must_use]
pub fn judge(mut bundle: Bundle, options: &Options, progress: &dyn Progress) -> Report {
    let mut findings = Findings::new();
    let mut case = Case::new(options);
    let mut counts = Counts::default();
    let mut chronicle = None;
    let mut subjects = Vec::new();
    match case.hear(&mut bundle, &mut findings, progress) {
        Ok(Heard::Whole(walked)) => {
            case.conclude(&walked, &mut findings);
            counts = walked.counts;
            chronicle = walked.chronicle;
        }
        Ok(Heard::Part(counted, listed)) => {
            case.conclude_part(&mut findings);
            (counts, subjects) = (counted, listed);
        }
        Err(error) => findings.impossible(CheckName::Bundle, error.to_string()),
    }
    let stated = case.seal.and_then(|seal| seal.checkpoint);
    let size = stated.as_ref().map(|stated| stated.size);
    Report {
        chronicle,
        subjects,
        ..findings.report(stated.map(|stated| stated.origin), size, counts)
    }
}

/// What is said where nobody asked for a comparison with an older checkpoint.
const NO_SINCE: &str = "no older checkpoint was given (--since)";

/// What was read of the records.
enum Heard {
    /// A whole log.
    Whole(Box<Walked>),
    /// A part of one.
    Part(Counts, Vec<SubjectReport>),
}

/// What is known of the bundle besides its records.
struct Case<'o> {
    options: &'o Options,
    /// The bundle's checkpoint, once read.
    seal: Option<Seal>,
    /// The checkpoint that the auditor kept.
    since: Option<Seal>,
    /// Members that this version does not judge.
    unjudged: BTreeSet<&'static str>,
}

impl<'o> Case<'o> {
    fn new(options: &'o Options) -> Self {
        let since = options.since.as_ref();
        Self {
            options,
            seal: None,
            since: since.map(|bytes| Seal::read(bytes, &options.keys)),
            unjudged: BTreeSet::new(),
        }
    }

    /// Reads the bundle from front to back.
    fn hear(
        &mut self,
        bundle: &mut Bundle,
        findings: &mut Findings,
        progress: &dyn Progress,
    ) -> Result<Heard, ReadError> {
        let mut manifest: Option<BundleManifest> = None;
        let mut proofs = None;
        while let Some((member, bytes)) = bundle.next_member()? {
            match member {
                Member::Manifest => {
                    let parsed = BundleManifest::parse(&bundle.whole(bytes)?)?;
                    if is_part(&parsed) && !self.options.partial {
                        return Err(ReadError::Partial);
                    }
                    manifest = Some(parsed);
                }
                Member::Checkpoint => {
                    let note = bundle.whole(bytes)?;
                    self.seal = Some(Seal::read(&note, &self.options.keys));
                }
                Member::Records => {
                    require(manifest.is_some(), Member::Manifest)?;
                    require(self.seal.is_some(), Member::Checkpoint)?;
                    progress.begin(bytes);
                    return if manifest.as_ref().is_some_and(is_part) {
                        let proofs = proofs.ok_or(ReadError::NoProofs)?;
                        self.hear_part(bundle, proofs, findings)
                    } else {
                        let walked = self.hear_records(bundle, findings, progress)?;
                        Ok(Heard::Whole(Box::new(walked)))
                    };
                }
                Member::Proofs if manifest.as_ref().is_some_and(is_part) => {
                    require(self.seal.is_some(), Member::Checkpoint)?;
                    proofs = Some(self.hear_proofs(bundle, findings)?);
                }
                member => self.pass_over(&member),
            }
        }
        require(manifest.is_some(), Member::Manifest)?;
        require(self.seal.is_some(), Member::Checkpoint)?;
        Err(BundleError::Missing {
            member: Member::Records,
        }
        .into())
    }

    /// The records, and what follows them in a bundle.
    fn hear_records(
        &mut self,
        bundle: &mut Bundle,
        findings: &mut Findings,
        progress: &dyn Progress,
    ) -> Result<Walked, ReadError> {
        let seals = [self.seal.as_ref(), self.since.as_ref()];
        let stated = seals
            .into_iter()
            .flatten()
            .filter_map(|seal| seal.checkpoint.as_ref());
        let sizes: Vec<u64> = stated.map(|checkpoint| checkpoint.size).collect();
        let mut walk = Walk::new(findings, self.options, &sizes);
        match walk_lines(bundle.content(), &mut walk, progress) {
            End::Clean if walk.count() == 0 => return Err(ReadError::NoRecords),
            End::Clean => {}
            End::NoLineFeed => walk.no_line_feed(),
            End::Overlong | End::NotReached => {
                walk.overlong();
                return Err(ReadError::EndlessLine);
            }
            End::Failed(error) => return Err(cut_off(error)),
        }
        while let Some((member, _)) = bundle.next_member()? {
            match &member {
                Member::Attachment(name) => {
                    let (attachments, findings) = walk.attachments();
                    let read = attachments.member(name, bundle.content(), findings);
                    read.map_err(cut_off)?;
                }
                Member::Disclosures => {
                    let (disclosures, findings) = walk.disclosures();
                    let read = disclosures.member(bundle.content(), findings);
                    read.map_err(cut_off)?;
                }
                other => self.pass_over(other),
            }
        }
        Ok(walk.close())
    }

    fn pass_over(&mut self, member: &Member) {
        let unjudged = match member {
            Member::OlderCheckpoint(_) => "checkpoints/",
            Member::Timestamp(_) => "timestamps/",
            Member::Proofs => "proofs.jsonl",
            _ => return,
        };
        self.unjudged.insert(unjudged);
    }

    /// What only the whole can tell.
    fn conclude(&self, walked: &Walked, findings: &mut Findings) {
        findings.hold(CheckName::Bundle, self.bundle_detail());
        let Some(seal) = &self.seal else { return };
        Self::conclude_seal(seal, findings);
        self.options.witnesses.check(seal.note.as_ref(), findings);
        let since = self.since.as_ref();
        match &seal.checkpoint {
            Some(checkpoint) if walked.identity.is_of(checkpoint, findings) => {
                check_completeness(checkpoint, walked, findings);
                check_root(checkpoint, walked, findings);
                walked.convict(checkpoint, findings);
                check_consistency(since, checkpoint, walked, findings);
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
                ] {
                    findings.impossible(check, why);
                }
            }
        }
        walked.identity.close(seal.key.as_ref().ok(), findings);
    }

    /// Who signed the checkpoint.
    fn conclude_seal(seal: &Seal, findings: &mut Findings) {
        match &seal.key {
            Ok(key) => findings.hold(
                CheckName::Checkpoint,
                format!("signed by {}+{}", key.name(), key.id()),
            ),
            Err(Distrust::False { rule, detail }) => {
                findings.fail(CheckName::Checkpoint, None, rule, detail.as_str());
            }
            Err(Distrust::Unknown(why)) => findings.impossible(CheckName::Checkpoint, why.as_str()),
        }
    }

    fn bundle_detail(&self) -> String {
        let unjudged: Vec<&str> = self.unjudged.iter().copied().collect();
        match unjudged.is_empty() {
            true => "read to its end".to_owned(),
            false => format!(
                "read to its end; not judged by this version: {}",
                unjudged.join(", ")
            ),
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

/// A bundle that says of itself that it is a part of a log is not judged as a whole one. One that does not is judged as a whole log,
/// whatever it holds.
const fn is_part(manifest: &BundleManifest) -> bool {
    manifest.first != 0 || manifest.filter.is_some()
}

fn require(present: bool, member: Member) -> Result<(), ReadError> {
    present
        .then_some(())
        .ok_or_else(|| BundleError::Missing { member }.into())
}

fn cut_off(error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ReadError::Truncated,
        _ => ReadError::Io(error),
    }
}
