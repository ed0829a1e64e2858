//! C2SP tlog-cosignature v1: a witness's statement that it saw a checkpoint at a time, and that it extends every
//! checkpoint of that log that the witness saw before. Ed25519 (type 0x04) only; ML-DSA-44 (0x06) is read as a key and
//! ignored. Nothing here signs.

use crate::note::{Note, NoteError};
use crate::vkey::{KeyType, VerifierKey};

/// What a cosignature begins with: the time, 8 bytes big-endian.
const TIME_BYTES: usize = 8;

/// A cosignature as it stands in a signature line, behind the key id; not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// When the witness signed, in seconds since the epoch.
    pub time: u64,
    /// The Ed25519 signature over [`Cosignature::message`].
    pub signature: [u8; 64],
}

/// A verified cosignature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosigned<'k> {
    /// The witness's key.
    pub key: &'k VerifierKey,
    /// When it signed, in seconds since the epoch, by its own clock.
    pub time: u64,
}

impl Cosignature {
    /// Reads the 72 bytes behind the key id; `None` when they are more or fewer.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (time, signature) = bytes.split_first_chunk::<TIME_BYTES>()?;
        Some(Self {
            time: u64::from_be_bytes(*time),
            signature: signature.try_into().ok()?,
        })
    }

    /// The bytes behind the key id.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        [&self.time.to_be_bytes()[..], &self.signature].concat()
    }

    /// What is signed: the time, and the whole text of the checkpoint, lines after the third too.
    #[must_use]
    pub fn message(time: u64, text: &[u8]) -> Vec<u8> {
        [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat()
    }
}

/// The cosignatures under a note that are by one of these witnesses, in order. Keys that are not a witness's are passed
/// over.
///
/// # Errors
/// A false signature of one of `witnesses`, whatever other signatures there are.
pub fn cosigned<'k>(
    note: &Note,
    witnesses: &'k [VerifierKey],
) -> Result<Vec<Cosigned<'k>>, NoteError> {
    let signed = note.signed_by(witnesses)?.into_iter();
    let signed = signed.filter(|(_, key)| key.key_type() == KeyType::Cosignature);
    Ok(signed
        .filter_map(|(line, key)| {
            let Cosignature { time, .. } = Cosignature::parse(&line.signature)?;
            Some(Cosigned { key, time })
        })
        .collect())
}
