//! Which of the signer's keys the auditor can trust, and so which checkpoints. A key is trusted because the auditor brought it, or
//! because a trusted one handed it on; never backwards: who brought only a later key has the log's word for the earlier ones.

use super::older::{Older, Tie};
use super::{CompromisedKey, Signers, Term, named};
use crate::report::{CheckName, Findings};
use crate::rule;
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::note::{Note, NoteError};
use probity_schemas::vkey::VerifierKey;

/// Why a key is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The auditor brought it.
    Brought,
    /// A trusted key handed it on.
    HandedOn,
    /// Only the log says that it was its key.
    Vouched,
}

/// A key of the signer's, judged.
#[derive(Debug)]
struct Judged {
    key: VerifierKey,
    /// The record that names it.
    sequence: u64,
    /// The last size that it may sign: that of the checkpoint by which it handed on.
    until: Option<u64>,
    /// The last size at which it is to be trusted.
    limit: Option<u64>,
    standing: Standing,
}

/// The signer's keys, judged.
#[derive(Debug, Default)]
pub(crate) struct History {
    keys: Vec<Judged>,
    /// Why the key in force is not trusted although an earlier one is.
    gap: Option<String>,
}

/// Who signed a checkpoint.
pub(crate) enum Signed {
    /// A key that is trusted, and might sign it; in words how it is known.
    By(VerifierKey, String),
    /// Something is false; the record that shows it, where there is one.
    False(Option<u64>, &'static str, String),
    /// None of the keys that are trusted; why that may be.
    Unknown(Option<String>),
}

impl Signers {
    /// Judges how each key was handed on.
    pub(crate) fn judge(
        self,
        older: &Older,
        tie: &Tie<'_>,
        brought: &[VerifierKey],
        compromised: &[CompromisedKey],
        findings: &mut Findings,
    ) -> History {
        let mut history = History::default();
        let mut before: Option<&Term> = None;
        for (place, term) in self.terms.iter().enumerate() {
            let known = CompromisedKey::limit(compromised, &term.key);
            let limit = [known, term.last_trusted_size].into_iter().flatten().min();
            let next = self.terms.get(place + 1).filter(|next| !next.begins);
            let handed_on = match before.filter(|_| !term.begins) {
                Some(before) => is_handed_on(before, term, older, tie, findings),
                None => false,
            };
            let standing = if brought.contains(&term.key) {
                history.gap = None;
                Standing::Brought
            } else if handed_on && history.hands_on(term) {
                Standing::HandedOn
            } else {
                Standing::Vouched
            };
            history.keys.push(Judged {
                key: term.key.clone(),
                sequence: term.sequence,
                until: next.map(Term::handed_on_at),
                limit,
                standing,
            });
            before = Some(term);
        }
        findings.hold(CheckName::Signers, history.describe());
        history
    }
}

/// Whether a checkpoint shows that the key before handed this one on. What is false is told; what a part does not show is not.
fn is_handed_on(
    before: &Term,
    term: &Term,
    older: &Older,
    tie: &Tie<'_>,
    findings: &mut Findings,
) -> bool {
    let (sequence, size) = (term.sequence, term.handed_on_at());
    let mut fail = |rule, detail: String| {
        findings.fail(CheckName::Signers, Some(sequence), rule, detail);
        false
    };
    let Some((note, checkpoint)) = older.get(size) else {
        let is_part = matches!(tie, Tie::Handovers(_));
        let detail = format!("there is no checkpoint of size {size}, which both keys sign");
        return !is_part && fail(rule::SIGNERS_CHECKPOINT, detail);
    };
    let tied = match tie {
        Tie::Roots(root_at) => root_at(size) == Some(checkpoint.root),
        Tie::Handovers(shown) => match shown.get(&sequence) {
            Some(shown) => *shown,
            None => return false,
        },
    };
    if !tied || checkpoint.origin != term.key.name() {
        let detail = format!("the checkpoint of size {size} is not of these records");
        return fail(rule::SIGNERS_ROOT, detail);
    }
    for (key, which, rule) in [
        (&before.key, "before", rule::SIGNERS_OLD_SIGNATURE),
        (&term.key, "after", rule::SIGNERS_NEW_SIGNATURE),
    ] {
        if let Err(error) = note.verify(std::slice::from_ref(key)) {
            let how = match error {
                NoteError::NoTrustedKey => "is not signed",
                _ => "is falsely signed",
            };
            let key = named(key);
            let detail =
                format!("the checkpoint of size {size} {how} by the key {which} it, {key}");
            return fail(rule, detail);
        }
    }
    true
}

impl History {
    /// Whether the newest key so far is trusted, for the checkpoint that hands this one on as well.
    fn hands_on(&mut self, next: &Term) -> bool {
        let Some(last) = self.keys.last() else {
            return false;
        };
        if last.standing == Standing::Vouched {
            return false;
        }
        match last.limit {
            Some(limit) if limit < next.handed_on_at() => {
                self.gap = Some(format!(
                    "{} was compromised and is trusted up to size {limit} only, record {} handed on after that: bring a later key",
                    named(&last.key),
                    next.sequence
                ));
                false
            }
            _ => {
                self.gap = None;
                true
            }
        }
    }

    /// Whether a key is one that the log names.
    pub(crate) fn names(&self, key: &VerifierKey) -> bool {
        self.keys.iter().any(|one| one.key == *key)
    }

    /// Who signed a checkpoint, by the keys that are trusted.
    pub(crate) fn who_signed(&self, note: &Note, checkpoint: &Checkpoint) -> Signed {
        let trusted = self
            .keys
            .iter()
            .filter(|one| one.standing != Standing::Vouched && checkpoint.is_of(&one.key));
        let (mut compromised, mut good) = (None, None);
        for one in trusted {
            match note.verify(std::slice::from_ref(&one.key)) {
                Err(NoteError::NoTrustedKey) => continue,
                Err(error) => {
                    let detail = format!("{error}: checkpoint or signature was changed");
                    return Signed::False(None, "checkpoint.signature", detail);
                }
                Ok(_) => {}
            }
            let (size, key) = (checkpoint.size, named(&one.key));
            if let Some(until) = one.until.filter(|until| size > *until) {
                let detail = format!(
                    "size {size} is signed by {key}, which this record took out of force: it signs nothing above size {until}"
                );
                return Signed::False(until.checked_sub(1), rule::CHECKPOINT_RETIRED_KEY, detail);
            }
            match one.limit.filter(|limit| size > *limit) {
                Some(limit) => compromised = Some(distrusted(&one.key, size, limit)),
                None => good = Some(one),
            }
        }
        match (good, compromised) {
            (Some(one), _) => Signed::By(one.key.clone(), self.how_known(one)),
            (None, Some(detail)) => Signed::False(None, rule::CHECKPOINT_COMPROMISED_KEY, detail),
            (None, None) => Signed::Unknown(self.gap.clone()),
        }
    }

    fn how_known(&self, one: &Judged) -> String {
        let key = named(&one.key);
        if one.standing == Standing::Brought {
            return format!("signed by {key}");
        }
        let earlier = self.keys.iter().rev();
        let brought = earlier
            .filter(|other| other.standing == Standing::Brought && other.sequence < one.sequence);
        let from = brought.map(|other| named(&other.key).to_string()).next();
        format!(
            "signed by {key}, which follows from {}",
            from.unwrap_or_default()
        )
    }

    fn describe(&self) -> String {
        let vouched = self
            .keys
            .iter()
            .filter(|one| one.standing == Standing::Vouched)
            .count();
        let mut words = match self.keys.as_slice() {
            [] => "no change of key is shown".to_owned(),
            [_] => "one key, never rotated".to_owned(),
            keys => format!("{} keys, each handed on by the one before", keys.len()),
        };
        if self.keys.len() > 1 && vouched > 0 {
            words += &format!("; for {vouched} of them only the log vouches");
        }
        for one in &self.keys {
            if let Some(limit) = one.limit {
                let key = named(&one.key);
                words += &format!("; {key} was compromised: trusted up to size {limit}");
            }
        }
        words
    }
}

/// In words, that a key is not trusted at a size.
pub(crate) fn distrusted(key: &VerifierKey, size: u64, limit: u64) -> String {
    format!(
        "size {size} is signed by {} alone, which was compromised: nothing that it signed above size {limit} is trusted",
        named(key)
    )
}
