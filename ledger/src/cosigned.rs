//! The newest checkpoint of a log that witnesses cosigned, as an export carries it. Nothing is verified here: whoever must not
//! trust the store does that, as the judge does.

use crate::reader::{LogHead, Reader};
use crate::store::{KeptCosignature, StoreError};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::limits::TRUST_WITNESSES_MAX;
use probity_schemas::note::Note;
use std::fmt;

/// A checkpoint under which witnesses signed, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignedCheckpoint {
    /// Its size.
    pub size: u64,
    /// Bytes of all lines up to that size.
    pub bytes: u64,
    /// The note, with the log's signature and all cosignatures.
    pub checkpoint: String,
    /// Which keys cosigned, `name+id`.
    pub witnesses: Vec<String>,
}

/// How far a bundle is witnessed, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Witnessed {
    /// Never.
    #[default]
    Never,
    /// The bundle's own checkpoint is cosigned.
    At {
        /// Its size.
        size: u64,
        /// By how many witnesses.
        by: usize,
    },
    /// An older checkpoint is.
    Since {
        /// Its size.
        size: u64,
    },
}

impl Witnessed {
    /// What the newest cosigned checkpoint says of a log of so many records.
    #[must_use]
    pub fn of(newest: Option<&CosignedCheckpoint>, size: u64) -> Self {
        match newest {
            None => Self::Never,
            Some(newest) if newest.size == size => Self::At {
                size,
                by: newest.witnesses.len(),
            },
            Some(newest) => Self::Since { size: newest.size },
        }
    }
}

impl fmt::Display for Witnessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("not witnessed"),
            Self::At { size, by } => write!(f, "witnessed at size {size} by {by}"),
            Self::Since { size } => write!(f, "not witnessed since {size}"),
        }
    }
}

impl Reader {
    /// The newest checkpoint of a log that at least one witness cosigned.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cosigned(&self, head: &LogHead) -> Result<Option<CosignedCheckpoint>, StoreError> {
        let origin = origin_of(&head.checkpoint)?;
        let limit = u32::try_from(TRUST_WITNESSES_MAX).unwrap_or(u32::MAX);
        let kept = self
            .store()
            .newest_cosignatures(head.log, &origin, limit)
            .await?;
        // What is beyond the end of this log was kept by a database that was more than this one.
        let kept: Vec<_> = kept
            .into_iter()
            .filter(|one| one.size <= head.size)
            .collect();
        Ok(newest(&kept))
    }
}

/// The origin that a checkpoint names.
pub(crate) fn origin_of(checkpoint: &str) -> Result<String, StoreError> {
    let parsed = Note::parse(checkpoint)
        .map_err(|error| error.to_string())
        .and_then(|note| Checkpoint::parse(note.text()).map_err(|error| error.to_string()));
    match parsed {
        Ok(checkpoint) => Ok(checkpoint.origin),
        Err(what) => Err(StoreError::Corrupt { what }),
    }
}

/// Rows with the largest size first: those of that size under one note.
fn newest(kept: &[KeptCosignature]) -> Option<CosignedCheckpoint> {
    let first = kept.first()?;
    let of_it = |one: &&KeptCosignature| {
        one.size == first.size && text(&one.checkpoint) == text(&first.checkpoint)
    };
    let same: Vec<_> = kept.iter().filter(of_it).collect();
    let lines = same.iter().map(|one| one.line.as_str());
    Some(CosignedCheckpoint {
        size: first.size,
        bytes: first.bytes,
        checkpoint: std::iter::once(first.checkpoint.as_str())
            .chain(lines)
            .collect(),
        witnesses: same.iter().map(|one| one.witness.clone()).collect(),
    })
}

fn text(note: &str) -> &str {
    note.split_once("\n\n").map_or(note, |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::{CosignedCheckpoint, KeptCosignature, Witnessed, newest};

    #[test]
    fn only_cosignatures_of_one_size_and_text_stand_together() {
        let kept = |size, witness: &str, text: &str| KeptCosignature {
            origin: "o".to_owned(),
            size,
            witness: witness.to_owned(),
            bytes: size * 10,
            checkpoint: format!("{text}\n\nsigned\n"),
            line: format!("{witness}\n"),
        };
        assert_eq!(newest(&[]), None);
        let rows = [
            kept(9, "a", "text"),
            kept(9, "b", "another"),
            kept(9, "c", "text"),
            kept(8, "d", "older"),
        ];
        let expected = CosignedCheckpoint {
            size: 9,
            bytes: 90,
            checkpoint: "text\n\nsigned\na\nc\n".to_owned(),
            witnesses: vec!["a".to_owned(), "c".to_owned()],
        };
        assert_eq!(newest(&rows).as_ref(), Some(&expected));
        for (size, words) in [
            (9, "witnessed at size 9 by 2"),
            (12, "not witnessed since 9"),
        ] {
            assert_eq!(Witnessed::of(Some(&expected), size).to_string(), words);
        }
        assert_eq!(Witnessed::of(None, 9).to_string(), "not witnessed");
    }
}
