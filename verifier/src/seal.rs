//! A checkpoint and whether a key that the auditor brought signed it. No key is ever taken from a bundle.

use crate::rule;
use crate::signers::{CompromisedKey, Signed, distrusted};
use probity_schemas::checkpoint::{Checkpoint, CheckpointError};
use probity_schemas::note::{Note, NoteError};
use probity_schemas::vkey::VerifierKey;

/// A checkpoint as read.
#[derive(Debug)]
pub(crate) struct Seal {
    /// The note as it stands, if it is one.
    pub(crate) note: Option<Note>,
    /// What it states, trusted or not.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The log's own key, one of the auditor's, that signed it.
    pub(crate) key: Result<VerifierKey, Distrust>,
}

/// Why a checkpoint is not trusted.
#[derive(Debug)]
pub(crate) enum Distrust {
    /// It is malformed, or a signature of a key that the auditor brought is false.
    False { rule: &'static str, detail: String },
    /// Nothing is known: none of the auditor's keys is the log's.
    Unknown(String),
}

impl Seal {
    pub(crate) fn read(bytes: &[u8], keys: &[VerifierKey]) -> Self {
        let malformed = |detail: String| Self {
            note: None,
            checkpoint: None,
            key: Err(Distrust::False {
                rule: "checkpoint.form",
                detail,
            }),
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return malformed("the checkpoint is not UTF-8".to_owned());
        };
        match Note::parse(text) {
            Err(error) => malformed(error.to_string()),
            Ok(note) => match Checkpoint::parse(note.text()) {
                Err(error) => malformed(error.to_string()),
                Ok(checkpoint) => Self {
                    key: signer(&note, &checkpoint, keys),
                    checkpoint: Some(checkpoint),
                    note: Some(note),
                },
            },
        }
    }
}

impl Seal {
    /// Who signed, by the auditor's keys alone.
    pub(crate) fn signed(&self, compromised: &[CompromisedKey]) -> Signed {
        let size = self.checkpoint.as_ref().map_or(0, |stated| stated.size);
        match &self.key {
            Ok(key) => match CompromisedKey::limit(compromised, key) {
                Some(limit) if size > limit => {
                    let detail = distrusted(key, size, limit);
                    Signed::False(None, rule::CHECKPOINT_COMPROMISED_KEY, detail)
                }
                _ => Signed::By(
                    key.clone(),
                    format!("signed by {}+{}", key.name(), key.id()),
                ),
            },
            Err(Distrust::False { rule, detail }) => Signed::False(None, rule, detail.clone()),
            Err(Distrust::Unknown(why)) => Signed::Unknown(Some(why.clone())),
        }
    }
}

/// The log's own key among those brought.
fn signer(
    note: &Note,
    checkpoint: &Checkpoint,
    keys: &[VerifierKey],
) -> Result<VerifierKey, Distrust> {
    Checkpoint::open(note, keys).map_err(|error| distrust(error, note, keys))?;
    let verified = note.verify(keys).unwrap_or_default();
    let own = verified.into_iter().find(|key| checkpoint.is_of(key));
    own.cloned()
        .ok_or_else(|| Distrust::Unknown("no key that you brought is the log's".to_owned()))
}

fn distrust(error: CheckpointError, note: &Note, keys: &[VerifierKey]) -> Distrust {
    match error {
        CheckpointError::Note(NoteError::BadSignature { .. }) => Distrust::False {
            rule: "checkpoint.signature",
            detail: format!("{error}: checkpoint or signature was changed"),
        },
        _ => {
            let signers = note.signatures().iter();
            let signers = signers.map(|one| format!("{}+{}", one.name, one.key_id));
            let brought = keys
                .iter()
                .map(|key| format!("{}+{}", key.name(), key.id()));
            Distrust::Unknown(format!(
                "{error}; it is signed by {}, and you brought {}",
                list(signers),
                list(brought)
            ))
        }
    }
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
