//! C2SP checkpoints: what a log's signer commits to, as the three lines of a note's text. No extension lines: they
//! are neither written nor read, because not every type of signature covers them.

use std::fmt;

use crate::hash::Hash;
use crate::limits::{NAME_BYTES_MAX, TREE_SIZE_MAX};
use crate::note::{Note, NoteError};
use crate::vkey::{KeyType, VerifierKey};

/// Which log, how many records, and the root of the tree over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's origin, which is also the name of its key.
    pub origin: String,
    /// Number of records.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

/// Why a note is not a checkpoint that can be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not three lines.
    #[error("a checkpoint has exactly three lines: origin, size, root")]
    Shape,
    /// An empty or overlong origin.
    #[error("the checkpoint's origin is empty or longer than {NAME_BYTES_MAX} bytes")]
    Origin,
    /// A size that is not a plain decimal number, or too large.
    #[error(
        "the checkpoint's size is not a decimal number without leading zeros, at most {TREE_SIZE_MAX}"
    )]
    Size,
    /// A root that is not a hash.
    #[error("the checkpoint's root is not a hash")]
    Root,
    /// Size 0 with a root other than that of the empty tree.
    #[error("the root of the empty tree is another")]
    EmptyRoot,
    /// The note around it is malformed or not trusted.
    #[error("the checkpoint's note: {0}")]
    Note(#[from] NoteError),
    /// Trusted keys signed, but none of them is the log's own.
    #[error("no trusted key of the name {origin} signed the checkpoint")]
    NotByTheLog {
        /// The origin that the checkpoint claims.
        origin: String,
    },
}

impl Checkpoint {
    /// Reads the text of a checkpoint, without its signatures.
    ///
    /// # Errors
    /// The way in which it is malformed.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        if text.lines().count() > 3 {
            return Err(CheckpointError::Shape);
        }
        Self::parse_foreign(text)
    }

    /// Reads the text of any log's checkpoint: lines after the third, which others may write, are passed over.
    ///
    /// # Errors
    /// The way in which it is malformed.
    pub fn parse_foreign(text: &str) -> Result<Self, CheckpointError> {
        let text = text.strip_suffix('\n').ok_or(CheckpointError::Shape)?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Shape);
        };
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Shape);
        }
        if origin.is_empty() || origin.len() > NAME_BYTES_MAX {
            return Err(CheckpointError::Origin);
        }
        let size = decimal(size)
            .filter(|size| *size <= TREE_SIZE_MAX)
            .ok_or(CheckpointError::Size)?;
        let root = root.parse().map_err(|_| CheckpointError::Root)?;
        if size == 0 && root != Hash::EMPTY {
            return Err(CheckpointError::EmptyRoot);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// The checkpoint in a note that the log's own key, one of `keys`, signed.
    ///
    /// # Errors
    /// The way in which the note or checkpoint is malformed or not trusted.
    pub fn open(note: &Note, keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(note.text())?;
        let verified = note.verify(keys)?;
        if verified.iter().any(|key| checkpoint.is_of(key)) {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::NotByTheLog {
                origin: checkpoint.origin,
            })
        }
    }

    /// Whether this key is one a log signs with, and names this log. A witness's key never is.
    #[must_use]
    pub fn is_of(&self, key: &VerifierKey) -> bool {
        key.key_type() == KeyType::Ed25519 && key.name() == self.origin
    }

    /// The text that is signed, three lines each with a line feed.
    #[must_use]
    pub fn text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}

/// A decimal number in its only spelling: no sign, no leading zero.
#[must_use]
pub fn decimal(text: &str) -> Option<u64> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
