//! Signing checkpoints: the trait, and the keys kept as files.
//!
//! The form of a key file is `keyfile.rs`'s. A log's first key, `<tenant>.key`, is made only together with record 0; a later one,
//! `<tenant>.key.<key id>`, before the record that names it. Which of them signs is said by the log's records (`history.rs`), so
//! a key that no record came to name is passed over. A node without the key its log names reads and never signs. No key file
//! is ever changed or removed here.

use crate::keyfile;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::note::{Note, NoteError, signature_line};
use probity_schemas::subject::Tenant;
use probity_schemas::vkey::{VerifierKey, VerifierKeyError};
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::Zeroizing;

/// The type of a log's key: Ed25519 over the text of a note.
const KEY_TYPE: u8 = 0x01;

/// Signs for one log.
pub trait Signer: Send + Sync + 'static {
    /// The key that verifies what this signs.
    fn verifier_key(&self) -> &VerifierKey;

    /// Signs bytes.
    fn sign(&self, message: &[u8]) -> [u8; 64];

    /// A secret of its own for another purpose (BLAKE3 key derivation with this context).
    fn derive(&self, context: &str) -> Zeroizing<[u8; 32]>;
}

/// A key that cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file does not hold a signer key.
    #[error("the key file {path} does not hold a signer key")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The name cannot be a key's name.
    #[error("the key's name is not one")]
    Name(#[from] VerifierKeyError),
    /// There is no random number to make a key of.
    #[error("no key could be made")]
    Entropy(#[from] crate::ids::EntropyError),
}

/// An Ed25519 key from a file.
pub struct FileSigner {
    key: SigningKey,
    verifier: VerifierKey,
}

impl FileSigner {
    /// Makes a log's first key and writes it; it is durable when this returns.
    ///
    /// # Errors
    /// [`KeyError`]; an existing file is never overwritten.
    pub fn create(directory: &Path, tenant: &Tenant, origin: &str) -> Result<Self, KeyError> {
        let signer = Self::fresh(origin)?;
        signer.write(&first_path(directory, tenant))?;
        Ok(signer)
    }

    /// Makes a key to follow the one in force and writes it; it is durable when this returns.
    ///
    /// # Errors
    /// [`KeyError`]; an existing file is never overwritten.
    pub fn create_next(directory: &Path, tenant: &Tenant, origin: &str) -> Result<Self, KeyError> {
        let signer = Self::fresh(origin)?;
        signer.write(&later_path(directory, tenant, &signer.verifier))?;
        Ok(signer)
    }

    /// The first key of a log; `None` when this node does not hold it.
    ///
    /// # Errors
    /// [`KeyError`] for a file that is there and cannot be used.
    pub fn load(directory: &Path, tenant: &Tenant) -> Result<Option<Self>, KeyError> {
        Self::read(first_path(directory, tenant))
    }

    /// The key of a log that has this verifier key; `None` when this node does not hold it.
    ///
    /// # Errors
    /// [`KeyError`] for a file that is there and cannot be used, and for a text that is no verifier key.
    pub fn named(directory: &Path, tenant: &Tenant, key: &str) -> Result<Option<Self>, KeyError> {
        let key: VerifierKey = key.parse()?;
        for path in [
            first_path(directory, tenant),
            later_path(directory, tenant, &key),
        ] {
            let found = Self::read(path)?;
            if let Some(signer) = found.filter(|signer| signer.verifier == key) {
                return Ok(Some(signer));
            }
        }
        Ok(None)
    }

    /// The same secret under another origin, durably: for a log that goes on after a loss.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn rename(
        &self,
        directory: &Path,
        tenant: &Tenant,
        origin: &str,
    ) -> Result<Self, KeyError> {
        let signer = Self::from_seed(&Zeroizing::new(self.key.to_bytes()), origin)?;
        let held = Self::named(directory, tenant, &signer.verifier.to_string())?;
        if held.is_none() {
            signer.write(&later_path(directory, tenant, &signer.verifier))?;
        }
        Ok(signer)
    }

    fn read(path: PathBuf) -> Result<Option<Self>, KeyError> {
        let Some(kept) = keyfile::read(&path, KEY_TYPE)? else {
            return Ok(None);
        };
        let signer = Self::from_seed(&kept.seed, &kept.name)?;
        if signer.verifier.id().to_string() == kept.id {
            Ok(Some(signer))
        } else {
            Err(KeyError::Malformed { path })
        }
    }

    fn fresh(origin: &str) -> Result<Self, KeyError> {
        Self::from_seed(&Zeroizing::new(crate::ids::salt()?.0), origin)
    }

    fn from_seed(seed: &[u8; 32], origin: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::ed25519(origin, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    fn write(&self, path: &Path) -> Result<(), KeyError> {
        let seed = Zeroizing::new(self.key.to_bytes());
        keyfile::create(path, KEY_TYPE, &self.verifier, &seed)
    }
}

impl Signer for FileSigner {
    fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    fn derive(&self, context: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key(context, &self.key.to_bytes()))
    }
}

/// The note of a checkpoint, signed by each of these in order.
///
/// # Errors
/// [`NoteError`] when the origin is not one.
pub fn sign_checkpoint(
    signers: &[&dyn Signer],
    checkpoint: &Checkpoint,
) -> Result<String, NoteError> {
    let text = checkpoint.text();
    let line = |signer: &&dyn Signer| {
        let key = signer.verifier_key();
        signature_line(key.name(), key.id(), &signer.sign(text.as_bytes()))
    };
    let lines: Vec<String> = signers.iter().map(line).collect();
    Note::build(&text, &lines).map(|note| note.to_string())
}

/// The keys of a log that are here and that a checkpoint is said to be signed by.
pub(crate) fn held(
    directory: &Path,
    tenant: &Tenant,
    checkpoint: &Note,
) -> Result<Vec<VerifierKey>, KeyError> {
    let origin = checkpoint.text().lines().next().unwrap_or_default();
    let mut keys: Vec<VerifierKey> = Vec::new();
    let lines = checkpoint.signatures().iter();
    for line in lines.filter(|line| line.name == origin) {
        let later = directory.join(format!("{tenant}.key.{}", line.key_id));
        for path in [first_path(directory, tenant), later] {
            let found = FileSigner::read(path)?.map(|signer| signer.verifier);
            let fits = |key: &VerifierKey| key.id() == line.key_id && key.name() == origin;
            keys.extend(found.filter(|key| fits(key) && !keys.contains(key)));
        }
    }
    Ok(keys)
}

fn first_path(directory: &Path, tenant: &Tenant) -> PathBuf {
    directory.join(format!("{tenant}.key"))
}

/// No other tenant's file: a key id ends in no `.key`.
fn later_path(directory: &Path, tenant: &Tenant, key: &VerifierKey) -> PathBuf {
    directory.join(format!("{tenant}.key.{}", key.id()))
}
