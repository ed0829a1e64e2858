//! Minted keys: `pk_<tenant>_<credential id>_<secret>`.
//!
//! A tenant's name and the secret may hold underscores, so a key is read from the right: the secret has 43 characters
//! (32 random bytes, base64url), the id 36 (a UUID), and what is left is the tenant. The ledger keeps only the BLAKE3 of
//! the whole key; the key is shown once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use probity_schemas::subject::Tenant;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::Zeroizing;

const PREFIX: &str = "pk_";
const ID_BYTES: usize = 36;
const SECRET_BYTES: usize = 43;

/// A key that was just made.
pub struct MintedKey {
    /// The credential's id.
    pub id: Uuid,
    /// The key: to be shown once and forgotten.
    pub key: Zeroizing<String>,
    /// What the ledger keeps.
    pub digest: String,
}

/// A key as somebody presents it. That it is well formed says nothing yet.
pub struct PresentedKey {
    /// Whose ledger it is for.
    pub tenant: Tenant,
    /// The credential it claims to be.
    pub id: String,
    digest: String,
}

impl MintedKey {
    /// Makes a key for a tenant.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn mint(tenant: &Tenant) -> Result<Self, getrandom::Error> {
        let mut secret = Zeroizing::new([0_u8; 32]);
        getrandom::fill(secret.as_mut())?;
        let id = Uuid::now_v7();
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_ref()));
        let key = Zeroizing::new(format!("{PREFIX}{tenant}_{id}_{}", secret.as_str()));
        let digest = digest(&key);
        Ok(Self { id, key, digest })
    }
}

impl PresentedKey {
    /// Reads a key; `None` when it is none of ours.
    #[must_use]
    pub fn parse(key: &str) -> Option<Self> {
        let rest = key.strip_prefix(PREFIX)?;
        let (rest, secret) = split_right(rest, SECRET_BYTES)?;
        let (tenant, id) = split_right(rest, ID_BYTES)?;
        URL_SAFE_NO_PAD.decode(secret).ok()?;
        Some(Self {
            tenant: Tenant::parse(tenant).ok()?,
            id: id.to_owned(),
            digest: digest(key),
        })
    }

    /// Whether it is the key that the ledger knows by this digest. Takes the same time whatever the answer.
    #[must_use]
    pub fn matches(&self, digest: &str) -> bool {
        self.digest.as_bytes().ct_eq(digest.as_bytes()).into()
    }
}

/// Splits `left_right` where `right` has so many bytes.
fn split_right(text: &str, bytes: usize) -> Option<(&str, &str)> {
    let at = text.len().checked_sub(bytes)?;
    let (left, right) = text.split_at_checked(at)?;
    Some((left.strip_suffix('_')?, right))
}

fn digest(key: &str) -> String {
    blake3::hash(key.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{MintedKey, PresentedKey};
    use probity_schemas::subject::Tenant;

    #[test]
    fn a_minted_key_is_read_back() {
        for name in ["local", "a_b", "a-_.b_", "pk_pk_"] {
            let tenant = Tenant::parse(name).unwrap();
            let minted = MintedKey::mint(&tenant).unwrap();
            let presented = PresentedKey::parse(&minted.key).unwrap();
            assert_eq!(
                (presented.tenant.as_str(), presented.id),
                (name, minted.id.to_string())
            );
        }
    }

    #[test]
    fn only_the_very_key_matches() {
        let tenant = Tenant::parse("local").unwrap();
        let (one, other) = (
            MintedKey::mint(&tenant).unwrap(),
            MintedKey::mint(&tenant).unwrap(),
        );
        let presented = PresentedKey::parse(&one.key).unwrap();
        assert!(presented.matches(&one.digest));
        assert!(!presented.matches(&other.digest) && !presented.matches(""));
    }

    #[test]
    fn what_is_no_key_is_not_read() {
        let key = MintedKey::mint(&Tenant::parse("local").unwrap())
            .unwrap()
            .key;
        for bad in [
            "",
            "pk_",
            &key[1..],
            &key[..key.len() - 1],
            &key.replace("pk_local_", "pk__"),
            &format!("{}!", &key[..key.len() - 1]),
        ] {
            assert!(PresentedKey::parse(bad).is_none(), "{bad}");
        }
    }
}
