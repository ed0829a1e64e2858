//! Proofs that are judged alone, without a bundle: that one record is in a log, and that one checkpoint continues another. Keys come
//! from the auditor, here too. Nothing is said about the rules of governance: that takes the records.

use crate::Verdict;
use crate::seal::Seal;
use crate::signers::{CompromisedKey, Signed};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::hash::{Hash, leaf_hash};
use probity_schemas::limits::PROOF_HASHES_MAX;
use probity_schemas::proof::TlogProof;
use probity_schemas::record::Record;
use probity_schemas::tree::{ProofError, verify_consistency, verify_inclusion};
use probity_schemas::vkey::VerifierKey;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProofReport {
    /// The verdict.
    pub verdict: Verdict,
    /// The program's exit code: 0, 1 or 2.
    pub exit: u8,
    /// What is shown, what is false, or why nothing is known.
    pub summary: String,
    /// The rule that is broken. Present when the verdict is `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// The log. Believe it only with the verdict `holds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// How many records the (newer) checkpoint covers. Believe it only with the verdict `holds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Why a proof does not show what it is to show.
enum Fault {
    /// Something is false.
    False(&'static str, String),
    /// Nothing is known.
    NotJudged(String),
}

/// What was shown, of which checkpoint.
type Shown = (Checkpoint, String);

/// Judges a receipt (C2SP tlog-proof): that this line is a record of a log whose key is one of `keys`, as far as it is not known to be `compromised`.
#[must_use]
pub fn judge_receipt(
    receipt: &[u8],
    line: &[u8],
    keys: &[VerifierKey],
    compromised: &[CompromisedKey],
) -> ProofReport {
    receipt_shows(receipt, line, (keys, compromised)).into()
}

/// Judges a consistency proof (one base64 hash a line): that the log of the newer checkpoint begins with the log of the older one,
/// both signed by one of `keys`, as far as it is not known to be `compromised`.
#[must_use]
pub fn judge_consistency(
    old: &[u8],
    new: &[u8],
    proof: &[u8],
    keys: &[VerifierKey],
    compromised: &[CompromisedKey],
) -> ProofReport {
    consistency_shows(old, new, proof, (keys, compromised)).into()
}

/// The auditor's keys, and what is known against them.
type Keys<'k> = (&'k [VerifierKey], &'k [CompromisedKey]);

fn receipt_shows(receipt: &[u8], line: &[u8], keys: Keys<'_>) -> Result<Shown, Fault> {
    let unreadable = |error: &dyn fmt::Display| Fault::NotJudged(format!("the receipt: {error}"));
    let text = std::str::from_utf8(receipt).map_err(|error| unreadable(&error))?;
    let receipt = TlogProof::parse(text).map_err(|error| unreadable(&error))?;
    let checkpoint = trusted(receipt.checkpoint.to_string().as_bytes(), keys)?;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let inclusion = verify_inclusion(
        receipt.index,
        checkpoint.size,
        &leaf_hash(line),
        &receipt.hashes,
        &checkpoint.root,
    );
    inclusion.map_err(|error| {
        let why = format!(
            "the line is not record {} of {}: {error}",
            receipt.index, checkpoint.origin
        );
        Fault::False("receipt.inclusion", why)
    })?;
    let record = Record::parse(line).map_err(|error| {
        let why = format!("the line is in the log, and no record: {error}");
        Fault::False(crate::rule::name(&error), why)
    })?;
    if record.sequence != receipt.index {
        let why = format!("the record says that it is record {}", record.sequence);
        return Err(Fault::False("receipt.sequence", why));
    }
    let shown = format!("the line is record {}", receipt.index);
    Ok((checkpoint, shown))
}

fn consistency_shows(old: &[u8], new: &[u8], proof: &[u8], keys: Keys<'_>) -> Result<Shown, Fault> {
    let (old, new) = (trusted(old, keys)?, trusted(new, keys)?);
    let proof = hashes(proof)?;
    if old.origin != new.origin {
        let why = format!(
            "the checkpoints are of two logs, {} and {}",
            old.origin, new.origin
        );
        return Err(Fault::NotJudged(why));
    }
    if old.size == 0 {
        let why = "the older checkpoint covers no record: nothing to compare";
        return Err(Fault::NotJudged(why.to_owned()));
    }
    match verify_consistency(old.size, new.size, &proof, &old.root, &new.root) {
        Ok(()) => {
            let shown = format!("the {} records you saw signed are unchanged", old.size);
            Ok((new, shown))
        }
        Err(ProofError::NotAPrefix) => Err(Fault::NotJudged(format!(
            "the older checkpoint covers {} records and the newer one {}: give the older first",
            old.size, new.size
        ))),
        Err(_) if old.size == new.size && old.root != new.root => Err(Fault::False(
            "consistency.root",
            format!(
                "the log signed two histories of {} records: keep both checkpoints, they are evidence",
                old.size
            ),
        )),
        Err(error) => Err(Fault::False("consistency.proof", error.to_string())),
    }
}

/// A checkpoint that one of the auditor's keys signed, one that is to be trusted so far where it was signed by several.
fn trusted(note: &[u8], (keys, compromised): Keys<'_>) -> Result<Checkpoint, Fault> {
    let seal = Seal::read(note, keys);
    let size = seal.checkpoint.as_ref().map_or(0, |stated| stated.size);
    let sound = |key: &&VerifierKey| {
        CompromisedKey::limit(compromised, key).is_none_or(|limit| size <= limit)
    };
    let sound: Vec<VerifierKey> = keys.iter().filter(sound).cloned().collect();
    let signed = match (&seal.key, Seal::read(note, &sound)) {
        (Ok(_), again) if again.key.is_ok() => again.signed(&[]),
        _ => seal.signed(compromised),
    };
    match (signed, seal.checkpoint) {
        (Signed::By(..), Some(checkpoint)) => Ok(checkpoint),
        (Signed::By(..), None) => Err(Fault::NotJudged("no checkpoint".to_owned())),
        (Signed::False(_, rule, detail), _) => Err(Fault::False(rule, detail)),
        (Signed::Unknown(why), _) => Err(Fault::NotJudged(why.unwrap_or_default())),
    }
}

/// The hashes of a consistency proof, one a line.
fn hashes(proof: &[u8]) -> Result<Vec<Hash>, Fault> {
    let text = std::str::from_utf8(proof)
        .map_err(|error| Fault::NotJudged(format!("the proof: {error}")))?;
    let mut hashes = Vec::new();
    for (line, number) in text.split_terminator('\n').zip(1..) {
        if number > PROOF_HASHES_MAX {
            let why = format!("the proof: more than {PROOF_HASHES_MAX} hashes");
            return Err(Fault::NotJudged(why));
        }
        let hash = line.parse().map_err(|_| {
            Fault::NotJudged(format!("the proof: line {number} is not a hash in base64"))
        })?;
        hashes.push(hash);
    }
    Ok(hashes)
}

impl ProofReport {
    /// Nothing could be judged.
    #[must_use]
    pub fn not_judged(why: String) -> Self {
        Err(Fault::NotJudged(why)).into()
    }

    /// The report as one JSON document, with a line feed.
    ///
    /// # Errors
    /// Only what `serde_json` cannot encode, which this shape never holds.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|json| json + "\n")
    }

    /// The JSON Schema of [`Self::to_json`].
    #[must_use]
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }
}

impl From<Result<Shown, Fault>> for ProofReport {
    fn from(shown: Result<Shown, Fault>) -> Self {
        let (verdict, summary, rule, of) = match shown {
            Ok((checkpoint, shown)) => (Verdict::Holds, shown, None, Some(checkpoint)),
            Err(Fault::False(rule, why)) => (Verdict::False, why, Some(rule), None),
            Err(Fault::NotJudged(why)) => (Verdict::NotJudged, why, None, None),
        };
        Self {
            verdict,
            exit: verdict.exit(),
            summary,
            rule,
            size: of.as_ref().map(|checkpoint| checkpoint.size),
            origin: of.map(|checkpoint| checkpoint.origin),
        }
    }
}

impl fmt::Display for ProofReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.verdict, &self.rule, &self.origin, self.size) {
            (Verdict::Holds, _, Some(origin), Some(size)) => {
                writeln!(
                    f,
                    "{}: {}: {size} records of {origin}",
                    self.verdict.as_str(),
                    self.summary
                )
            }
            (Verdict::False, Some(rule), ..) => {
                writeln!(f, "{}: {rule}: {}", self.verdict.as_str(), self.summary)
            }
            _ => writeln!(f, "{}: {}", self.verdict.as_str(), self.summary),
        }
    }
}
