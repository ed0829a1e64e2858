//! Sealing: XChaCha20-Poly1305 with a fresh random nonce before the sealed text. What is sealed is bound to a token.

use super::PersonError;
use crate::ids::EntropyError;
use crate::store::PersonToken;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// Fresh random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn seal(
    key: &[u8; 32],
    token: &PersonToken,
    content: &[u8],
) -> Result<Vec<u8>, PersonError> {
    let nonce: [u8; NONCE_BYTES] = random()?;
    let payload = Payload {
        msg: content,
        aad: token,
    };
    let sealed = XChaCha20Poly1305::new(&(*key).into())
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| PersonError::Changed)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

pub(super) fn open(
    key: &[u8; 32],
    token: &PersonToken,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PersonError> {
    let (nonce, sealed) = sealed
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(PersonError::Changed)?;
    let payload = Payload {
        msg: sealed,
        aad: token,
    };
    XChaCha20Poly1305::new(&(*key).into())
        .decrypt(&XNonce::from(*nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| PersonError::Changed)
}
