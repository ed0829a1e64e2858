//! The walk of one bundle: its members in order, then what only the whole can tell.

mod part;
mod whole;

use crate::bundle::{Bundle, ReadError};
use crate::lines::End;
use crate::part::PartHeard;
use crate::report::{CheckName, Counts, Findings, Report};
use crate::seal::Seal;
use crate::signatures::TrustedActor;
use crate::signers::{CompromisedKey, History, Older, Signed};
use crate::timestamps::{Authorities, Stamps};
use crate::walk::{Walk, Walked};
use crate::witnesses::Witnesses;
use crate::workers::walk_lines;
use probity_schemas::bundle::{BundleError, BundleManifest, Member};
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
    /// Keys of which the auditor knows that they were stolen, and up to which size they are to be trusted.
    pub compromised: Vec<CompromisedKey>,
    /// An older checkpoint that the auditor kept, as the bytes of its signed note.
    pub since: Option<Vec<u8>>,
    /// The witnesses that must have cosigned the checkpoint.
    pub witnesses: Witnesses,
    /// The authorities whose time-stamps count.
    pub authorities: Authorities,
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
    let (mut subjects, mut erasures) = (Vec::new(), Vec::new());
    match case.hear(&mut bundle, &mut findings, progress) {
        Ok(Heard::Whole(mut walked)) => {
            case.conclude(&mut walked, &mut findings);
            counts = walked.counts;
            (chronicle, erasures) = (walked.chronicle, walked.erasures);
        }
        Ok(Heard::Part(part)) => {
            case.conclude_part(part.signers, &part.handovers, &mut findings);
            (counts, subjects, erasures) = (part.counts, part.subjects, part.erasures);
        }
        Err(error) => findings.impossible(CheckName::Bundle, error.to_string()),
    }
    let stated = case.seal.and_then(|seal| seal.checkpoint);
    let size = stated.as_ref().map(|stated| stated.size);
    Report {
        chronicle,
        subjects,
        erasures,
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
    Part(Box<PartHeard>),
}

/// What is known of the bundle besides its records.
struct Case<'o> {
    options: &'o Options,
    /// The bundle's checkpoint, once read.
    seal: Option<Seal>,
    /// The checkpoint that the auditor kept.
    since: Option<Seal>,
    /// What others said of when the log was how long.
    stamps: Stamps,
    /// The bundle's older checkpoints.
    older: Older,
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
            stamps: Stamps::default(),
            older: Older::default(),
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
                    let witnesses = &self.options.witnesses;
                    self.stamps.checkpoint(&note, witnesses, findings);
                }
                Member::OlderCheckpoint(size) => {
                    let note = bundle.whole(bytes)?;
                    let witnesses = &self.options.witnesses;
                    self.stamps.checkpoint(&note, witnesses, findings);
                    self.older.take(size, &note, findings);
                }
                Member::Timestamp(size) => {
                    let reply = bundle.whole(bytes)?;
                    let authorities = &self.options.authorities;
                    self.stamps.token(size, &reply, authorities, findings);
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
        let stated = stated.map(|checkpoint| checkpoint.size);
        let sizes: Vec<u64> = stated
            .chain(self.stamps.sizes())
            .chain(self.older.sizes())
            .collect();
        let windows = self.stamps.windows();
        let mut walk = Walk::new(findings, self.options, &sizes, windows);
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
            Member::Proofs => "proofs.jsonl",
            _ => return,
        };
        self.unjudged.insert(unjudged);
    }

    /// Who signed the bundle's checkpoint: a key that the auditor trusts, if any did.
    fn conclude_seal(
        &self,
        seal: &Seal,
        history: &History,
        findings: &mut Findings,
    ) -> Option<VerifierKey> {
        let name = CheckName::Checkpoint;
        match self.who_signed(seal, history) {
            Signed::By(key, how) => {
                findings.hold(name, how);
                return Some(key);
            }
            Signed::False(sequence, rule, detail) => findings.fail(name, sequence, rule, detail),
            Signed::Unknown(why) => findings.impossible(name, why.unwrap_or_default()),
        }
        None
    }

    /// Who signed a checkpoint: by the log's history, or else by a key that the auditor brought and the log does not name.
    fn who_signed(&self, seal: &Seal, history: &History) -> Signed {
        let (Some(note), Some(checkpoint)) = (&seal.note, &seal.checkpoint) else {
            return seal.signed(&self.options.compromised);
        };
        match history.who_signed(note, checkpoint) {
            Signed::Unknown(gap) => match seal.signed(&self.options.compromised) {
                Signed::Unknown(why) => Signed::Unknown(gap.or(why)),
                signed => signed,
            },
            signed => signed,
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
