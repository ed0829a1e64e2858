//! The one hash of the format: SHA-256, with the domain bytes of RFC 6962 for leaves and nodes. Not a general
//! digest module (BLAKE3 names attachments elsewhere), so that a reader needs one hash function to judge a log.
//! In text a hash is standard base64 with padding, and only the canonical spelling is read.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Characters of a hash in base64.
const BASE64_BYTES: usize = 44;

/// A SHA-256 digest: of a leaf, of a tree node, or of plain bytes.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    std::hash::Hash,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Hash(
    /// The 32 bytes of the digest.
    pub [u8; 32],
);

/// Why a text is not a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 32 bytes in canonical standard base64: 44 characters, padded")]
pub struct HashTextError;

impl Hash {
    /// SHA-256 of the empty string: the root of the empty tree, and `previous` of record 0.
    pub const EMPTY: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ]);

    /// The digest in lower-case hexadecimal, as `sha256sum` prints it.
    #[must_use]
    pub fn to_hex(&self) -> String {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        let digit = |half: u8| DIGITS[usize::from(half & 0x0f)];
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, *byte]);
        digits.map(digit).collect()
    }

    /// Appends the digest in its one spelling as text.
    pub fn write_base64(&self, text: &mut String) {
        STANDARD.encode_string(self.0, text);
    }

    /// Tells the digest in its one spelling as text. Every record has several: nothing is allocated for it.
    fn with_base64<T>(&self, tell: impl FnOnce(&str) -> T) -> T {
        let mut text = [0; BASE64_BYTES];
        let length = STANDARD.encode_slice(self.0, &mut text).unwrap_or_default();
        tell(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }

    /// The digest as raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Leaf hash of a record line (without its line feed): SHA-256(0x00 ‖ line).
#[must_use]
pub fn leaf_hash(line: &[u8]) -> Hash {
    sha256(&[&[0x00], line])
}

/// Hash of an interior node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [0x01; 65];
    node[1..33].copy_from_slice(&left.0);
    node[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(node).into())
}

/// SHA-256 of the concatenation of `parts`.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    Hash(digest.finalize().into())
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_base64(|text| f.write_str(text))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HashTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // 44 characters of base64 are at most 33 bytes; the exact length is checked after decoding.
        let mut bytes = [0; 33];
        match STANDARD.decode_slice(text, &mut bytes) {
            Ok(32) => bytes.first_chunk().copied().map(Self).ok_or(HashTextError),
            _ => Err(HashTextError),
        }
    }
}

impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_base64(|text| serializer.serialize_str(text))
    }
}

impl<'de> serde::Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Hash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a SHA-256 digest in canonical base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hash, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl schemars::JsonSchema for Hash {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hash".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A SHA-256 digest in standard base64 with padding.",
            "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        assert_eq!(sha256(&[]), Hash::EMPTY);
        assert_eq!(
            Hash::EMPTY.to_string(),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
        assert_eq!(
            sha256(&[b"a", b"bc"]).to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            leaf_hash(b"").to_hex(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            node_hash(&Hash([1; 32]), &Hash([2; 32])),
            sha256(&[&[1], &[1; 32], &[2; 32]])
        );
    }

    #[test]
    fn text_is_read_back_and_only_one_spelling_is_read() {
        let text = Hash::EMPTY.to_string();
        assert_eq!(text.parse::<Hash>().unwrap(), Hash::EMPTY);
        assert_eq!(
            serde_json::from_str::<Hash>(&format!("\"{text}\"")).unwrap(),
            Hash::EMPTY
        );
        assert_eq!(
            serde_json::to_string(&Hash::EMPTY).unwrap(),
            format!("\"{text}\"")
        );
        for (wrong, why) in [
            ("", "empty"),
            ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "no padding"),
            (
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
                "stray bits after the last byte",
            ),
            (
                "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
                "the URL alphabet",
            ),
            ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==", "31 bytes"),
            ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA", "33 bytes"),
            (
                " 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "white space",
            ),
        ] {
            assert!(wrong.parse::<Hash>().is_err(), "{why}: {wrong}");
        }
    }
}
