//! Public keys of actors: of people who answer, of producers that report. They verify what an actor signed; who an actor
//! is, and whether a key is in force, the log says and not this file. No secret key is known here.
//!
//! In text a key is the standard base64 of its DER SubjectPublicKeyInfo, as `openssl pkey -pubout -outform DER` writes
//! it, and there is one spelling of each key: Ed25519, or a point of P-256 that is not compressed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use p256::ecdsa::signature::Verifier as _;

use crate::hash::sha256;
use crate::vkey::safe_key;
use crate::vocabulary::KeyAlgorithm;

/// What stands before the 32 bytes of an Ed25519 key (RFC 8410).
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What stands before the 65 bytes of an uncompressed point of P-256 (RFC 5480).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key of an actor, safe to verify with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorKey(Material);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Ed25519(VerifyingKey),
    Es256(Box<p256::ecdsa::VerifyingKey>),
}

/// Why a text is not a key of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActorKeyError {
    /// Not canonical base64.
    #[error("the key is not canonical base64")]
    Base64,
    /// Not the SubjectPublicKeyInfo of a kind of key that is used here.
    #[error("not the SubjectPublicKeyInfo of an Ed25519 key or of an uncompressed point of P-256")]
    Kind,
    /// Not a point of the curve, not canonically encoded, or of small order: anything may verify under it.
    #[error("not a safe public key")]
    Unsafe,
}

impl ActorKey {
    /// The key of an Ed25519 public key.
    ///
    /// # Errors
    /// [`ActorKeyError::Unsafe`].
    pub fn ed25519(public: &[u8; 32]) -> Result<Self, ActorKeyError> {
        safe_key(public)
            .map(|key| Self(Material::Ed25519(key)))
            .map_err(|_| ActorKeyError::Unsafe)
    }

    /// The key of a point of P-256, by its coordinates.
    ///
    /// # Errors
    /// [`ActorKeyError::Unsafe`] when it is no point of the curve.
    pub fn p256(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, ActorKeyError> {
        let point = [&[0x04][..], x, y].concat();
        p256::ecdsa::VerifyingKey::from_sec1_bytes(&point)
            .map(|key| Self(Material::Es256(Box::new(key))))
            .map_err(|_| ActorKeyError::Unsafe)
    }

    /// Reads a key.
    ///
    /// # Errors
    /// The way in which it is none.
    pub fn parse(text: &str) -> Result<Self, ActorKeyError> {
        let der = STANDARD.decode(text).map_err(|_| ActorKeyError::Base64)?;
        if let Some(public) = der.strip_prefix(&ED25519_PREFIX) {
            return Self::ed25519(public.try_into().map_err(|_| ActorKeyError::Kind)?);
        }
        let point = der.strip_prefix(&P256_PREFIX).ok_or(ActorKeyError::Kind)?;
        let (&[0x04], coordinates) = point.split_first_chunk().ok_or(ActorKeyError::Kind)? else {
            return Err(ActorKeyError::Kind);
        };
        match coordinates.split_first_chunk() {
            Some((x, y)) => Self::p256(x, y.try_into().map_err(|_| ActorKeyError::Kind)?),
            None => Err(ActorKeyError::Kind),
        }
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        match self.0 {
            Material::Ed25519(_) => KeyAlgorithm::Ed25519,
            Material::Es256(_) => KeyAlgorithm::Es256,
        }
    }

    /// SHA-256 of the DER, in lower-case hexadecimal: how a signature names its key.
    #[must_use]
    pub fn id(&self) -> String {
        sha256(&[&self.der()]).to_hex()
    }

    /// Whether `signature` over `message` is this key's. Of ES256 it is the DER form over SHA-256.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Material::Ed25519(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Material::Es256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }

    fn der(&self) -> Vec<u8> {
        match &self.0 {
            Material::Ed25519(key) => [&ED25519_PREFIX[..], key.as_bytes()].concat(),
            Material::Es256(key) => {
                [&P256_PREFIX[..], key.to_encoded_point(false).as_bytes()].concat()
            }
        }
    }
}

impl std::fmt::Display for ActorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode(self.der()))
    }
}

impl std::str::FromStr for ActorKey {
    type Err = ActorKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{ActorKey, ActorKeyError, ED25519_PREFIX};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    /// Made by `openssl genpkey`, `openssl pkey -pubout -outform DER` and `openssl pkeyutl -sign -rawin` over `hello`.
    const BY_OPENSSL: [(&str, &str); 2] = [
        (
            "MCowBQYDK2VwAyEA+Ih2Nf+OtIPZ82VBnT0klG+rX2905HS9AcoFOyN5rmA=",
            "o4hBPKzIPxS1LOgezzdkbcSS/wP/WQoeVEJQOxtD8WMjXA93BM94iVxqVWA54QKji3osJyKqn1UETOt8xNQOAQ==",
        ),
        (
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyfP4J9cJ0aLGVgfKwl8kH7aFdjZaU6vh2c1yJdudsDLp5hJGOZ2IUtAqvnIGj04cmiur4I5D/nXLRAfNH58xjg==",
            "MEQCICQQsnmuWxAiJooqmlHtoL8fs4wN7Fp6HkvPTcWfr2AdAiB3EywHInp67ZLWYxVQfh10UyUvQ8U1M/y99py4m0W37w==",
        ),
    ];

    #[test]
    fn signatures_of_another_program_hold_for_their_message_only() {
        for (text, signature) in BY_OPENSSL {
            let key = ActorKey::parse(text).unwrap();
            let signature = STANDARD.decode(signature).unwrap();
            assert_eq!(key.to_string(), text);
            assert!(key.verify(b"hello", &signature), "{text}");
            assert!(!key.verify(b"hullo", &signature), "{text}");
            for at in 0..signature.len() {
                let mut other = signature.clone();
                other[at] ^= 1;
                assert!(!key.verify(b"hello", &other), "{text} byte {at}");
            }
        }
    }

    #[test]
    fn a_key_has_one_spelling_and_is_safe() {
        let point = |bytes: [u8; 32]| STANDARD.encode([&ED25519_PREFIX[..], &bytes].concat());
        let mut identity = [0; 32];
        identity[0] = 1;
        let (ed25519, p256) = (BY_OPENSSL[0].0, BY_OPENSSL[1].0);
        let mut compressed = STANDARD.decode(p256).unwrap();
        compressed[26] = 0x02;
        let mut elsewhere = STANDARD.decode(p256).unwrap();
        elsewhere[60] ^= 1;
        for (text, expected) in [
            (point(identity), ActorKeyError::Unsafe),
            (point([0xff; 32]), ActorKeyError::Unsafe),
            (STANDARD.encode(elsewhere), ActorKeyError::Unsafe),
            (STANDARD.encode(compressed), ActorKeyError::Kind),
            (
                ed25519.trim_end_matches('=').to_owned(),
                ActorKeyError::Base64,
            ),
            (
                STANDARD.encode(&STANDARD.decode(ed25519).unwrap()[..43]),
                ActorKeyError::Kind,
            ),
            (
                STANDARD.encode(&STANDARD.decode(p256).unwrap()[..90]),
                ActorKeyError::Kind,
            ),
            (String::new(), ActorKeyError::Kind),
        ] {
            assert_eq!(ActorKey::parse(&text), Err(expected), "{text}");
        }
    }
}
