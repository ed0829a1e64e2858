//! `proofs.jsonl` of a part of a log: which leaves are in the checkpoint's tree, and what a seal's runs show of a subject.
//!
//! Each proof is judged as it is read, and what remains is small: 40 bytes a record, and what was shown of each subject. Lines
//! stand in one order only (FORMAT.md, section 7), so that none can be moved, doubled or left out between two others unseen.

use crate::limits::RUN_PROOFS_MAX;
use crate::lines::{Chunk, End, Lines};
use crate::report::{CheckName, Findings};
use crate::rule;
use probity_governance::limits::SIGNERS_MAX;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::seal::SubjectsSealed;
use probity_schemas::hash::Hash;
use probity_schemas::limits::PROOF_LINE_BYTES_MAX;
use probity_schemas::partial::{HandoverProof, ProofLine, ProvedEntry, RecordProof, RunProof};
use probity_schemas::run::entry_hash;
use probity_schemas::tree::verify_inclusion;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;

/// What the proofs of a bundle show.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    /// Sequence and leaf of each record, in order.
    pub(crate) records: Vec<(u64, Hash)>,
    /// What is shown of each subject.
    pub(crate) subjects: HashMap<String, Shown>,
    /// The subject of the line before, once runs are shown.
    subject: Option<String>,
    /// By record: that it is the last one under the checkpoint of its next size.
    pub(crate) handovers: BTreeMap<u64, Vec<Hash>>,
    runs: usize,
}

/// What is shown of one subject.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The seal.
    pub(crate) seal: u64,
    /// Its runs, from the newest on: which, with what count and root.
    runs: Vec<(u64, u64, Hash)>,
    /// What the last of them holds of the subject.
    held: Option<Entry>,
}

/// Revision and leaf of a subject's newest record.
pub(crate) type Entry = (u64, Hash);

impl Proofs {
    /// Reads the proofs, and judges each against the checkpoint's tree or the run it names.
    pub(crate) fn read(
        source: &mut (dyn Read + Send),
        tree: &Checkpoint,
        findings: &mut Findings,
    ) -> (Self, End) {
        let (mut proofs, mut chunk) = (Self::default(), Chunk::default());
        let mut lines = Lines::new(source);
        while lines.next_chunk(&mut chunk) {
            for line in chunk.lines() {
                proofs.line(line, tree, findings);
            }
        }
        (proofs, lines.end())
    }

    /// Whether a run is shown to hold this record as its subject's newest.
    pub(crate) fn holds(&self, subject: &str, entry: Entry) -> bool {
        let shown = self.subjects.get(subject);
        shown.is_some_and(|shown| shown.held == Some(entry))
    }

    fn line(&mut self, line: &[u8], tree: &Checkpoint, findings: &mut Findings) {
        let parsed = match line.len() <= PROOF_LINE_BYTES_MAX {
            true => ProofLine::parse(line).map_err(|error| error.to_string()),
            false => Err("a line of proofs.jsonl is too long".to_owned()),
        };
        match parsed {
            Ok(ProofLine::Record(proof)) => self.record(proof, tree, findings),
            Ok(ProofLine::Run(proof)) => {
                let subject = proof.subject.clone();
                if let Err(detail) = self.run(proof) {
                    // One false proof is one finding: nothing more is asked of the subject.
                    self.subjects.remove(&subject);
                    findings.fail(CheckName::Cases, None, "cases.proof", detail);
                }
            }
            Ok(ProofLine::Handover(proof)) => self.handover(proof, findings),
            Err(detail) => findings.fail(CheckName::TreeRoot, None, "tree.proof_line", detail),
        }
    }

    fn record(&mut self, proof: RecordProof, tree: &Checkpoint, findings: &mut Findings) {
        let RecordProof {
            leaf,
            path,
            sequence,
        } = proof;
        if self.runs > 0 || !self.handovers.is_empty() {
            let detail = "its proof stands behind those of subjects";
            findings.fail(CheckName::TreeRoot, Some(sequence), "tree.order", detail);
        }
        if let Err(error) = verify_inclusion(sequence, tree.size, &leaf, &path, &tree.root) {
            let detail = format!("it is not in the checkpoint's tree: {error}");
            findings.fail(
                CheckName::TreeRoot,
                Some(sequence),
                "tree.inclusion",
                detail,
            );
        }
        self.records.push((sequence, leaf));
    }

    /// Whether it holds is seen with the checkpoint that it names and with its record.
    fn handover(&mut self, proof: HandoverProof, findings: &mut Findings) {
        let before = self.handovers.last_key_value();
        let ascends = before.is_none_or(|(before, _)| *before < proof.handover);
        if ascends && self.handovers.len() < SIGNERS_MAX {
            self.handovers.insert(proof.handover, proof.path);
        } else {
            let detail = "its handover stands out of order, or there are too many";
            let at = Some(proof.handover);
            findings.fail(CheckName::Signers, at, rule::SIGNERS_PROOF, detail);
        }
    }

    fn run(&mut self, proof: RunProof) -> Result<(), String> {
        self.runs += 1;
        if !self.handovers.is_empty() {
            return Err("a run stands behind the handovers of keys".to_owned());
        }
        if self.runs > RUN_PROOFS_MAX {
            return Err(format!("more than {RUN_PROOFS_MAX} proofs of runs"));
        }
        let what = format!("run {} of seal {}", proof.run, proof.seal);
        let newest = self.subject.replace(proof.subject.clone());
        if newest.is_none_or(|newest| newest < proof.subject) {
            let shown = Shown {
                seal: proof.seal,
                runs: Vec::new(),
                held: None,
            };
            self.subjects.insert(proof.subject.clone(), shown);
        }
        for entry in &proof.entries {
            let leaf = entry_hash(&entry.subject, entry.revision, &entry.leaf);
            verify_inclusion(entry.index, proof.count, &leaf, &entry.path, &proof.root)
                .map_err(|error| format!("{what}: an entry is not in it: {error}"))?;
        }
        let holds = held(&proof).ok_or_else(|| {
            let subject = &proof.subject;
            format!("{what}: neither that it holds {subject} nor that it does not is shown")
        })?;
        match self.subjects.get_mut(&proof.subject) {
            Some(shown) if shown.seal == proof.seal => {
                shown.go_on((proof.run, proof.count, proof.root), holds)
            }
            _ => Err(format!("{what}: out of order, or by another seal")),
        }
    }
}

/// The subject's entry in a run, or that there is none; nothing when the entries show neither.
fn held(proof: &RunProof) -> Option<Option<Entry>> {
    let subject = proof.subject.as_str();
    let is_before = |entry: &ProvedEntry| entry.subject.as_str() < subject;
    let is_after = |entry: &ProvedEntry| entry.subject.as_str() > subject;
    match proof.entries.as_slice() {
        [own] if own.subject == subject => Some(Some((own.revision, own.leaf))),
        [first] if first.index == 0 && is_after(first) => Some(None),
        [last] if last.index + 1 == proof.count && is_before(last) => Some(None),
        [one, next] if one.index + 1 == next.index && is_before(one) && is_after(next) => {
            Some(None)
        }
        _ => None,
    }
}

impl Shown {
    /// Takes the next older run in.
    fn go_on(&mut self, run: (u64, u64, Hash), held: Option<Entry>) -> Result<(), String> {
        if self.held.is_some() {
            return Err(format!("run {} is older than the one that holds it", run.0));
        }
        self.runs.push(run);
        self.held = held;
        Ok(())
    }

    /// The subject's newest record that the seal covers, if its runs are shown from the newest to the one that holds it.
    ///
    /// # Errors
    /// A run that is not the seal's, or not shown.
    pub(crate) fn newest(&self, sealed: &SubjectsSealed) -> Result<Entry, String> {
        let mut stated = (0_u64..).zip(&sealed.runs).collect::<Vec<_>>();
        for (run, count, root) in &self.runs {
            match stated.pop() {
                Some((number, one)) if (number, one.count, one.root) == (*run, *count, *root) => {}
                _ => {
                    return Err(format!(
                        "run {run} is not the next one of seal {}",
                        self.seal
                    ));
                }
            }
        }
        self.held
            .ok_or_else(|| "the runs shown end before the one that holds it".to_owned())
    }
}
