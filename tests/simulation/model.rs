//! The small model that the ledger is held against: what it answered, and what therefore must be so for ever.
//!
//! Each answer is taken at its word: a receipt, a proof, a checkpoint, a page of records, and each kind of "no". Whatever contradicts what
//! was answered before ends the run. What only the whole log can show is asked in `verdict.rs`.

use crate::jobs::{Job, Kind};
use probity_governance::command::{Reply, Standing};
use probity_ledger::Receipt;
use probity_ledger::store::StoredRecord;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::event::Event;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::note::Note;
use probity_schemas::tree::verify_consistency;
use probity_schemas::vkey::VerifierKey;
use probity_schemas::vocabulary::Verdict;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What became of something that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Acknowledged: it is there, once.
    Must,
    /// Every answer was a certain no: it is not there.
    MustNot,
    /// Nobody knows: it is there once, or not.
    May,
}

/// A moment, to say what was before what.
pub(crate) type Moment = u64;

/// What is known.
#[derive(Default)]
pub(crate) struct Model {
    /// Keys that the operator knows, the first one first.
    pub(crate) keys: Vec<VerifierKey>,
    /// What was asked for, by mark: what became of it, and how many records it is.
    pub(crate) asked: BTreeMap<String, (Job, Fate)>,
    /// Decisions that wait for a person, as far as somebody was told.
    pub(crate) pending: Vec<Uuid>,
    /// Whether a boot clock stood still: then a node may think for a while that it has what it has not.
    pub(crate) skewed: bool,
    leaves: BTreeMap<u64, Hash>,
    /// Every checkpoint that anybody saw, by size.
    pub(crate) checkpoints: BTreeMap<u64, (Hash, String)>,
    answers: BTreeMap<String, (Vec<Hash>, Reply)>,
    resolved: BTreeMap<Uuid, Moment>,
    resumed: BTreeMap<Uuid, String>,
    moment: Moment,
}

impl Model {
    /// Something begins now.
    pub(crate) fn begin(&mut self) -> Moment {
        self.moment += 1;
        self.moment
    }

    /// Records that were acknowledged so far.
    pub(crate) fn size(&self) -> u64 {
        self.checkpoints
            .last_key_value()
            .map_or(0, |(size, _)| *size)
    }

    /// A job is about to be sent.
    pub(crate) fn ask(&mut self, job: &Job) {
        self.asked
            .insert(job.mark.clone(), (job.clone(), Fate::May));
    }

    /// What became of it.
    pub(crate) fn settle(&mut self, job: &Job, fate: Fate) {
        if let Some((_, known)) = self.asked.get_mut(&job.mark) {
            *known = fate;
        }
    }

    /// An answer to a job that was sent at this moment.
    pub(crate) fn hear(&mut self, job: &Job, receipt: &Receipt, sent: Moment) {
        for record in &receipt.records {
            self.see_record(record.sequence, record.leaf, &record.line);
        }
        let size = self.see_checkpoint(&receipt.checkpoint);
        assert_eq!(size, receipt.size, "{}: the receipt's checkpoint", job.mark);
        assert!(
            receipt.last().is_none_or(|last| last < size),
            "{}: {:?} is covered by {size} (replayed: {})",
            job.mark,
            receipt.last(),
            receipt.replayed
        );
        self.hear_again(job, receipt);
        match job.kind {
            Kind::Observe(count) => assert_eq!(receipt.records.len(), count, "{}", job.mark),
            Kind::Decide => self.hear_decision(job, receipt, sent),
            Kind::Resolve(decision) if receipt.reply == Reply::Recorded => {
                let now = self.begin();
                self.resolved.entry(decision).or_insert(now);
                self.pending.retain(|pending| *pending != decision);
            }
            Kind::Resolve(_) | Kind::Report | Kind::Publish => {}
        }
        self.settle(job, Fate::Must);
    }

    /// With a key, the first answer is the only one.
    fn hear_again(&mut self, job: &Job, receipt: &Receipt) {
        if job.submission.idempotency.is_none() || receipt.records.is_empty() {
            return;
        }
        let leaves = receipt.records.iter().map(|record| record.leaf).collect();
        let answer = (leaves, receipt.reply.clone());
        let first = self
            .answers
            .entry(job.mark.clone())
            .or_insert(answer.clone());
        assert_eq!(*first, answer, "{}: two answers to one key", job.mark);
    }

    fn hear_decision(&mut self, job: &Job, receipt: &Receipt, sent: Moment) {
        match &receipt.reply {
            Reply::Recorded => {
                let last = receipt
                    .records
                    .last()
                    .map(|record| record.record().unwrap());
                let last = last.unwrap_or_else(|| panic!("{}: recorded, and no record", job.mark));
                let Event::DecisionMade(made) = last.event().unwrap() else {
                    panic!("{}: the answer to a request is no decision", job.mark);
                };
                let id = last
                    .envelope
                    .subject
                    .strip_prefix("decision/")
                    .unwrap()
                    .parse()
                    .unwrap();
                if made.verdict == Verdict::RequireApproval {
                    self.wait_for_person(id);
                }
            }
            Reply::Resumed { decision } => {
                let by = self.resumed.entry(*decision).or_insert(job.mark.clone());
                assert_eq!(*by, job.mark, "a grant was used twice");
            }
            Reply::Standing {
                decision,
                standing: Standing::Pending,
            } => {
                let resolved = self.resolved.get(decision);
                let is_stale = resolved.is_some_and(|resolved| *resolved < sent);
                let may_be = self.skewed || !is_stale;
                assert!(may_be, "{}: pending, after a person had answered", job.mark);
                self.wait_for_person(*decision);
            }
            Reply::Standing { .. } => {}
            other => panic!("{}: {other:?} is no answer to a request", job.mark),
        }
    }

    fn wait_for_person(&mut self, decision: Uuid) {
        if !self.pending.contains(&decision) && !self.resolved.contains_key(&decision) {
            self.pending.push(decision);
        }
    }

    /// A page of records, from this one on.
    pub(crate) fn see_page(&mut self, first: u64, page: &[StoredRecord]) {
        for (sequence, stored) in (first..).zip(page) {
            assert_eq!(stored.sequence, sequence, "a gap");
            self.see_record(sequence, stored.leaf, &stored.line);
        }
    }

    fn see_record(&mut self, sequence: u64, leaf: Hash, line: &[u8]) {
        assert_eq!(
            leaf_hash(line),
            leaf,
            "record {sequence}: the leaf is the line's"
        );
        let known = *self.leaves.entry(sequence).or_insert(leaf);
        assert_eq!(known, leaf, "record {sequence} changed");
    }

    /// A checkpoint: signed by a key of the log, and the same as any other of its size. Gives the size.
    pub(crate) fn see_checkpoint(&mut self, text: &str) -> u64 {
        let parsed = Note::parse(text).unwrap();
        let size = Checkpoint::parse(parsed.text()).unwrap().size;
        if self
            .checkpoints
            .get(&size)
            .is_some_and(|(_, known)| known == text)
        {
            return size;
        }
        let opened = Checkpoint::open(&parsed, &self.keys);
        let root = opened.expect("a checkpoint is signed by the log").root;
        let seen = (root, text.to_owned());
        let known = self.checkpoints.entry(size).or_insert(seen);
        assert_eq!(known.0, root, "two histories of {size} records");
        size
    }

    /// The leaves of all records that anybody saw.
    pub(crate) const fn leaves(&self) -> &BTreeMap<u64, Hash> {
        &self.leaves
    }

    /// A consistency proof between two checkpoints that were seen.
    pub(crate) fn see_consistency(&self, old: u64, new: u64, proof: &[Hash]) {
        let root = |size| &self.checkpoints[&size].0;
        verify_consistency(old, new, proof, root(old), root(new))
            .unwrap_or_else(|why| panic!("{old} and {new} are not consistent: {why}"));
    }
}
