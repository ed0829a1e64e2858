//! Verifier keys in the text form of C2SP signed notes: `name+keyid+base64(type ‖ key)`. Ed25519 over the text (0x01, of
//! logs) and Ed25519 cosignatures (0x04, of witnesses) verify; other known types are read, so that an auditor may bring
//! them, and then ignored. No secret key is known here.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::cosignature::Cosignature;
use crate::hash::sha256;
use crate::limits::NAME_BYTES_MAX;

/// First bytes of a hash over name, type and key: a hint which key a signature is for, not a proof.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash)]
pub struct KeyId(
    /// The four bytes.
    pub [u8; 4],
);

/// A key that can verify signatures of a note, and the name it signs under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    material: Material,
}

/// The types of keys that C2SP defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// 0x01: Ed25519 over the text of the note.
    Ed25519,
    /// 0x02: ECDSA.
    Ecdsa,
    /// 0x04: Ed25519 cosignature with a time.
    Cosignature,
    /// 0x05: RFC 6962 tree head signature.
    TreeHead,
    /// 0x06: ML-DSA-44 cosignature.
    MlDsa44,
    /// 0xff and a longer identifier: anything else.
    Extended,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Ed25519(VerifyingKey),
    Cosignature(VerifyingKey),
    Ignored { kind: KeyType, key: Vec<u8> },
}

/// Why a text is not a verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifierKeyError {
    /// Not three parts joined by `+`.
    #[error(
        "a verifier key is name+keyid+base64, with a key id of 8 lower-case hexadecimal digits"
    )]
    Shape,
    /// A name that is empty, too long, or has a space, a control character or a `+`.
    #[error(
        "the key's name is empty, longer than {NAME_BYTES_MAX} bytes, or has a space, a control character or a plus sign"
    )]
    Name,
    /// The key is not canonical base64.
    #[error("the key is not canonical base64")]
    Base64,
    /// A type of key that C2SP does not define.
    #[error("unknown type of key 0x{found:02x}")]
    UnknownType {
        /// The first byte of the key.
        found: u8,
    },
    /// A key of the wrong length for its type.
    #[error("wrong length for this type of key")]
    Length,
    /// The key id does not belong to this name and key.
    #[error("the key id does not belong to this name and key")]
    KeyId,
    /// Not a point of the curve, not canonically encoded, or of small order: anything may verify under it.
    #[error("not a safe Ed25519 public key")]
    UnsafeKey,
}

impl VerifierKey {
    /// The verifier key of an Ed25519 public key.
    ///
    /// # Errors
    /// A name that cannot stand in a note, or a public key that is not safe to trust.
    pub fn ed25519(name: &str, public: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        if !is_name(name) {
            return Err(VerifierKeyError::Name);
        }
        let key = safe_key(public)?;
        Ok(Self {
            name: name.to_owned(),
            id: key_id(name, KeyType::Ed25519, public),
            material: Material::Ed25519(key),
        })
    }

    /// The verifier key of a witness that cosigns with an Ed25519 key.
    ///
    /// # Errors
    /// As [`Self::ed25519`].
    pub fn cosigner(name: &str, public: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        if !is_name(name) {
            return Err(VerifierKeyError::Name);
        }
        let key = safe_key(public)?;
        Ok(Self {
            name: name.to_owned(),
            id: key_id(name, KeyType::Cosignature, public),
            material: Material::Cosignature(key),
        })
    }

    /// Name of the key; of a log's key, the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of the key, as it stands before each of its signatures.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Type of the key.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        match self.material {
            Material::Ed25519(_) => KeyType::Ed25519,
            Material::Cosignature(_) => KeyType::Cosignature,
            Material::Ignored { kind, .. } => kind,
        }
    }

    /// The Ed25519 public key, if it is one that can verify.
    #[must_use]
    pub fn public(&self) -> Option<&[u8; 32]> {
        match &self.material {
            Material::Ed25519(key) | Material::Cosignature(key) => Some(key.as_bytes()),
            Material::Ignored { .. } => None,
        }
    }

    /// Whether `signature`, in the form of this type of key, is this key's under the text of a note; `None` if keys of
    /// this type are not used here.
    #[must_use]
    pub fn verify(&self, text: &[u8], signature: &[u8]) -> Option<bool> {
        match &self.material {
            Material::Ed25519(key) => Some(is_signed(key, text, signature)),
            Material::Cosignature(key) => Some(Cosignature::parse(signature).is_some_and(|one| {
                is_signed(key, &Cosignature::message(one.time, text), &one.signature)
            })),
            Material::Ignored { .. } => None,
        }
    }
}

fn is_signed(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}

/// Whether `name` can name a key: not empty, no Unicode space, no control character, no `+`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'+';
    let allowed =
        |character: char| !character.is_whitespace() && !character.is_control() && character != '+';
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && (name.bytes().all(plain) || name.chars().all(allowed))
}

/// A public key that is canonically encoded and not of small order, so that a signature under it means something.
pub(crate) fn safe_key(public: &[u8; 32]) -> Result<VerifyingKey, VerifierKeyError> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| VerifierKeyError::UnsafeKey)?;
    let canonical = key.to_edwards().compress().to_bytes() == *public;
    if canonical && !key.is_weak() {
        Ok(key)
    } else {
        Err(VerifierKeyError::UnsafeKey)
    }
}

/// SHA-256(name ‖ 0x0A ‖ type ‖ key)[..4]; for ECDSA, of the key alone.
fn key_id(name: &str, kind: KeyType, key: &[u8]) -> KeyId {
    let digest = match kind {
        KeyType::Ecdsa => sha256(&[key]),
        _ => sha256(&[name.as_bytes(), b"\n", &[kind.byte()], key]),
    };
    let [a, b, c, d, ..] = digest.0;
    KeyId([a, b, c, d])
}

impl KeyType {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Ecdsa => 0x02,
            Self::Cosignature => 0x04,
            Self::TreeHead => 0x05,
            Self::MlDsa44 => 0x06,
            Self::Extended => 0xff,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Ed25519,
            0x02 => Self::Ecdsa,
            0x04 => Self::Cosignature,
            0x05 => Self::TreeHead,
            0x06 => Self::MlDsa44,
            0xff => Self::Extended,
            _ => return None,
        })
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rest) = text.split_once('+').ok_or(VerifierKeyError::Shape)?;
        let (id, key) = rest.split_once('+').ok_or(VerifierKeyError::Shape)?;
        let id = id.parse::<KeyId>()?;
        if !is_name(name) {
            return Err(VerifierKeyError::Name);
        }
        let bytes = STANDARD.decode(key).map_err(|_| VerifierKeyError::Base64)?;
        let (&first, key) = bytes.split_first().ok_or(VerifierKeyError::Length)?;
        let kind =
            KeyType::from_byte(first).ok_or(VerifierKeyError::UnknownType { found: first })?;
        if id != key_id(name, kind, key) {
            return Err(VerifierKeyError::KeyId);
        }
        let public = || key.try_into().map_err(|_| VerifierKeyError::Length);
        match kind {
            KeyType::Ed25519 => return Self::ed25519(name, public()?),
            KeyType::Cosignature => return Self::cosigner(name, public()?),
            _ => {}
        }
        Ok(Self {
            name: name.to_owned(),
            id,
            material: Material::Ignored {
                kind,
                key: key.to_vec(),
            },
        })
    }
}

impl FromStr for KeyId {
    type Err = VerifierKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match u32::from_str_radix(text, 16) {
            Ok(id) if text.len() == 8 && text.bytes().all(is_digit) => Ok(Self(id.to_be_bytes())),
            _ => Err(VerifierKeyError::Shape),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = match &self.material {
            Material::Ed25519(key) | Material::Cosignature(key) => key.as_bytes().as_slice(),
            Material::Ignored { key, .. } => key,
        };
        let typed: Vec<u8> = std::iter::once(self.key_type().byte())
            .chain(key.iter().copied())
            .collect();
        write!(f, "{}+{}+{}", self.name, self.id, STANDARD.encode(typed))
    }
}
