//! The key that signs a log's checkpoints: which one may take the place of which, and which may be called compromised. One set
//! of rules for the writer and for the judge. Nothing is signed or verified here: whether both keys signed is between the
//! checkpoints and the judge.

use crate::limits::SIGNERS_MAX;
use crate::state::{Directory, SignerTerm};
use probity_schemas::event::signer::{SignerCompromised, SignerRotated};
use probity_schemas::vkey::{KeyType, VerifierKey, VerifierKeyError};

/// Why a key does not become the signer's, or is not called compromised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerFault {
    /// Another key is in force than the record says.
    #[error("the key before is not the one in force")]
    Previous,
    /// Not a key.
    #[error(transparent)]
    Key(#[from] VerifierKeyError),
    /// Not a key that a log signs with.
    #[error("a log signs with Ed25519 (type 0x01)")]
    Type,
    /// A key of another name.
    #[error("the key's name is not the log's origin")]
    Name,
    /// A key that signed already.
    #[error("the key was this log's before")]
    Known,
    /// Too many.
    #[error("a log has at most {SIGNERS_MAX} keys")]
    TooMany,
    /// The key never was the log's.
    #[error("the key never was this log's")]
    Unknown,
    /// The key still signs: what reports it would stand under its own signature.
    #[error("the key is in force: rotate it first")]
    InForce,
    /// A size that the key never signed, or one that says less than an earlier report.
    #[error(
        "the last trusted size is above what the key signed, or not below the one reported before"
    )]
    Size,
}

/// Whether a key may take the place of the one in force.
pub(crate) fn rotate(directory: &Directory, rotated: &SignerRotated) -> Result<(), SignerFault> {
    let before = directory.signers.last().ok_or(SignerFault::Previous)?;
    let key: VerifierKey = rotated.signer.parse()?;
    if key_id(&before.key) != Some(&rotated.previous) {
        Err(SignerFault::Previous)
    } else if key.key_type() != KeyType::Ed25519 {
        Err(SignerFault::Type)
    } else if directory
        .log
        .as_ref()
        .is_none_or(|log| log.origin != key.name())
    {
        Err(SignerFault::Name)
    } else if directory
        .signers
        .iter()
        .any(|term| term.key == rotated.signer)
    {
        Err(SignerFault::Known)
    } else if directory.signers.len() >= SIGNERS_MAX {
        Err(SignerFault::TooMany)
    } else {
        Ok(())
    }
}

/// Whether a key may be called compromised, after so many records.
pub(crate) fn compromise(
    directory: &Directory,
    compromised: &SignerCompromised,
) -> Result<(), SignerFault> {
    let place = place(&directory.signers, &compromised.key).ok_or(SignerFault::Unknown)?;
    let (Some(term), Some(next)) = (
        directory.signers.get(place),
        directory.signers.get(place + 1),
    ) else {
        return Err(SignerFault::InForce);
    };
    // The last that the key signed is the checkpoint right after the record that put another in its place.
    let most = term
        .last_trusted_size
        .map_or(next.sequence + 1, |size| size.saturating_sub(1));
    let said_less = term.last_trusted_size == Some(0);
    if compromised.last_trusted_size > most || said_less {
        Err(SignerFault::Size)
    } else {
        Ok(())
    }
}

/// Where a key stands among the log's.
pub(crate) fn place(signers: &[SignerTerm], key: &str) -> Option<usize> {
    signers.iter().position(|term| term.key == key)
}

/// The key id in the text of a verifier key.
pub(crate) fn key_id(key: &str) -> Option<&str> {
    key.split('+').nth(1)
}
