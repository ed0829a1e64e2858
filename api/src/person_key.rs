//! A person's own signing key, in a file on the person's own machine: Ed25519, PKCS#8 in PEM, mode 0600, as
//! `openssl genpkey -algorithm ed25519` writes it. No server ever reads one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::actor_key::{ActorKey, ActorKeyError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What stands before the 32 bytes of the secret (RFC 8410).
const PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Bytes of the file at most.
const FILE_BYTES_MAX: u64 = 4096;

/// A person's key.
pub(crate) struct PersonKey(SigningKey);

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PersonKeyError {
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It holds no such key.
    #[error("the key file {path} holds no Ed25519 key (PKCS#8 in PEM)")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness.
    #[error("no key could be made")]
    Entropy(#[from] getrandom::Error),
    /// The public key is not safe.
    #[error("the key cannot be used")]
    Public(#[from] ActorKeyError),
}

impl PersonKey {
    /// Makes a fresh key and writes it. An existing file is never overwritten.
    ///
    /// # Errors
    /// [`PersonKeyError`].
    pub(crate) fn create(path: &Path) -> Result<Self, PersonKeyError> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        getrandom::fill(seed.as_mut())?;
        let der = Zeroizing::new([&PREFIX[..], &seed[..]].concat());
        let encoded = Zeroizing::new(STANDARD.encode(&*der));
        let text = Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", encoded.as_str()));
        let mut options = std::fs::OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(path);
        let written = opened.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|source| PersonKeyError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`PersonKeyError`].
    pub(crate) fn load(path: &Path) -> Result<Self, PersonKeyError> {
        let mut text = Zeroizing::new(String::new());
        let read = std::fs::File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        read.map_err(|source| PersonKeyError::File {
            path: path.to_owned(),
            source,
        })?;
        parse(&text).ok_or_else(|| PersonKeyError::Malformed {
            path: path.to_owned(),
        })
    }

    /// The public part.
    ///
    /// # Errors
    /// [`PersonKeyError::Public`] for a key that nobody should trust.
    pub(crate) fn public(&self) -> Result<ActorKey, PersonKeyError> {
        Ok(ActorKey::ed25519(self.0.verifying_key().as_bytes())?)
    }

    /// The signature, base64.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.0.sign(message).to_bytes())
    }
}

fn parse(text: &str) -> Option<PersonKey> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let body: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    let der = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
    let seed = Zeroizing::new(<[u8; 32]>::try_from(der.strip_prefix(&PREFIX)?).ok()?);
    Some(PersonKey(SigningKey::from_bytes(&seed)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::{PersonKey, parse};

    /// Made by `openssl genpkey -algorithm ed25519`, with its public part and its signature over `hello`.
    const BY_OPENSSL: [&str; 3] = [
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEII2py+h4iS+Zz47nqZXIopWsMSxYxRD0QXmI+oF1D5wI\n-----END PRIVATE KEY-----\n",
        "MCowBQYDK2VwAyEA+Ih2Nf+OtIPZ82VBnT0klG+rX2905HS9AcoFOyN5rmA=",
        "o4hBPKzIPxS1LOgezzdkbcSS/wP/WQoeVEJQOxtD8WMjXA93BM94iVxqVWA54QKji3osJyKqn1UETOt8xNQOAQ==",
    ];

    #[test]
    fn a_key_of_openssl_is_read_and_one_of_ours_comes_back() {
        let [pem, public, signature] = BY_OPENSSL;
        let key = parse(pem).unwrap();
        assert_eq!(key.public().unwrap().to_string(), public);
        assert_eq!(key.sign(b"hello"), signature);
        assert!(parse(&pem.replace("MC4C", "MC4D")).is_none());

        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("ann.key");
        let made = PersonKey::create(&path).unwrap();
        let loaded = PersonKey::load(&path).unwrap();
        assert_eq!(made.sign(b"m"), loaded.sign(b"m"));
        assert!(PersonKey::create(&path).is_err(), "never overwritten");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&path).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }
}
