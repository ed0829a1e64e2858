//! C2SP signed notes: a text and the signatures under it. This reads, builds and verifies; it never signs, for the
//! format knows no secret key. A signature by a key that the reader did not bring says nothing and is passed over; a
//! signature by a key that the reader brought must hold.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX};
use crate::vkey::{KeyId, VerifierKey, is_name};

/// What every signature line begins with: U+2014 and a space.
const LINE_START: &str = "\u{2014} ";

/// A note: its text, and signatures that are not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key that is said to have signed.
    pub name: String,
    /// Id of that key.
    pub key_id: KeyId,
    /// The signature, in the form of the key's type.
    pub signature: Vec<u8>,
}

/// Why a note is malformed, or not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Above the size limit.
    #[error("the note is longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// A control character other than the line feed.
    #[error("the note has a control character")]
    ControlCharacter,
    /// No empty line between a text and at least one signature line.
    #[error("the note has no text, or no empty line and signatures after it")]
    NoSignatures,
    /// A signature line that is not one.
    #[error("signature line {line} is malformed")]
    BadSignatureLine {
        /// Which line of the signatures, from 1.
        line: usize,
    },
    /// More signatures than are read.
    #[error("the note has more than {NOTE_SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// Two different keys were brought that a signature cannot tell apart.
    #[error("two different keys share the name {name} and id {key_id}")]
    AmbiguousKey {
        /// Their name.
        name: String,
        /// Their id.
        key_id: KeyId,
    },
    /// A signature of a key that was brought is false.
    #[error("the signature of {name} ({key_id}) is false")]
    BadSignature {
        /// Name of the key.
        name: String,
        /// Id of the key.
        key_id: KeyId,
    },
    /// No signature is by a key that was brought.
    #[error("no signature is by a trusted key")]
    NoTrustedKey,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// The way in which it is malformed.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(NoteError::ControlCharacter);
        }
        let empty_line = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, lines) = (&note[..=empty_line], &note[empty_line + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        if lines.split('\n').count() > NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = lines.split('\n').zip(1..).map(|(line, number)| {
            NoteSignature::parse(line).ok_or(NoteError::BadSignatureLine { line: number })
        });
        Ok(Self {
            text: text.to_owned(),
            signatures: signatures.collect::<Result<_, _>>()?,
        })
    }

    /// A note from its text and its signature lines (see [`signature_line`]), read back as any other.
    ///
    /// # Errors
    /// The way in which the result would be malformed.
    pub fn build<L: AsRef<str>>(text: &str, signature_lines: &[L]) -> Result<Self, NoteError> {
        let mut note = format!("{text}\n");
        signature_lines
            .iter()
            .for_each(|line| note.push_str(line.as_ref()));
        let note = Self::parse(&note)?;
        if note.text == text {
            Ok(note)
        } else {
            Err(NoteError::NoSignatures)
        }
    }

    /// The text that is signed, with its final line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, none of them verified.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The keys among `keys` that signed this note, in order of their signatures.
    ///
    /// # Errors
    /// A false signature of a key in `keys`, or no signature of any of them.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let mut verified = Vec::new();
        for (_, key) in self.signed_by(keys)? {
            if !verified.contains(&key) {
                verified.push(key);
            }
        }
        if verified.is_empty() {
            Err(NoteError::NoTrustedKey)
        } else {
            Ok(verified)
        }
    }

    /// The signatures that are by a key among `keys`, with that key, in order; none is no error.
    ///
    /// # Errors
    /// A false signature of a key in `keys`.
    pub fn signed_by<'k>(
        &self,
        keys: &'k [VerifierKey],
    ) -> Result<Vec<(&NoteSignature, &'k VerifierKey)>, NoteError> {
        let mut verified = Vec::new();
        for signature in &self.signatures {
            let Some(key) = signature.key_among(keys)? else {
                continue;
            };
            match key.verify(self.text.as_bytes(), &signature.signature) {
                Some(true) => verified.push((signature, key)),
                Some(false) => {
                    return Err(NoteError::BadSignature {
                        name: signature.name.clone(),
                        key_id: signature.key_id,
                    });
                }
                None => {}
            }
        }
        Ok(verified)
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|one| f.write_str(&signature_line(&one.name, one.key_id, &one.signature)))
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(LINE_START)?.split_once(' ')?;
        let blob = STANDARD.decode(encoded).ok()?;
        let (key_id, signature) = blob.split_first_chunk()?;
        let whole = is_name(name) && !signature.is_empty();
        whole.then(|| Self {
            name: name.to_owned(),
            key_id: KeyId(*key_id),
            signature: signature.to_vec(),
        })
    }

    /// The one key among `keys` that this signature names.
    fn key_among<'k>(&self, keys: &'k [VerifierKey]) -> Result<Option<&'k VerifierKey>, NoteError> {
        let mut named = keys
            .iter()
            .filter(|key| key.name() == self.name && key.id() == self.key_id);
        let key = named.next();
        if named.any(|other| Some(other) != key) {
            return Err(NoteError::AmbiguousKey {
                name: self.name.clone(),
                key_id: self.key_id,
            });
        }
        Ok(key)
    }
}

/// The line, with its line feed, that puts a signature under a note.
#[must_use]
pub fn signature_line(name: &str, key_id: KeyId, signature: &[u8]) -> String {
    format!(
        "{LINE_START}{name} {}\n",
        STANDARD.encode([&key_id.0, signature].concat())
    )
}
