//! Signing checkpoints: the trait, and the keys kept as files.
//!
//! The form of a key file is `keyfile.rs`'s. A key is made only together with record 0 of its log; a node without the key its log
//! names reads and never signs.

use crate::keyfile;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::note::{Note, NoteError, signature_line};
use probity_schemas::subject::Tenant;
use probity_schemas::vkey::{VerifierKey, VerifierKeyError};
use std::fs;
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
    /// Makes a fresh key for a log and writes it; it is durable when this returns.
    ///
    /// # Errors
    /// [`KeyError`]; an existing file is never overwritten.
    pub fn create(directory: &Path, tenant: &Tenant, origin: &str) -> Result<Self, KeyError> {
        let seed = Zeroizing::new(crate::ids::salt()?.0);
        let signer = Self::from_seed(&seed, origin)?;
        signer.write(directory, tenant)?;
        Ok(signer)
    }

    /// The key of a log; `None` when this node does not hold it.
    ///
    /// # Errors
    /// [`KeyError`] for a file that is there and cannot be used.
    pub fn load(directory: &Path, tenant: &Tenant) -> Result<Option<Self>, KeyError> {
        let path = key_path(directory, tenant);
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

    /// The same secret under another origin, written in place of the old file: for a log that goes on after a loss.
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
        let path = key_path(directory, tenant);
        let old = path.with_extension(format!("key.{}", self.verifier.id()));
        fs::rename(&path, &old).map_err(|source| KeyError::File {
            path: old.clone(),
            source,
        })?;
        signer.write(directory, tenant)?;
        Ok(signer)
    }

    fn from_seed(seed: &[u8; 32], origin: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::ed25519(origin, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    fn write(&self, directory: &Path, tenant: &Tenant) -> Result<(), KeyError> {
        let seed = Zeroizing::new(self.key.to_bytes());
        keyfile::create(
            &key_path(directory, tenant),
            KEY_TYPE,
            &self.verifier,
            &seed,
        )
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

/// The signed note of a checkpoint.
///
/// # Errors
/// [`NoteError`] when the origin is not one.
pub fn sign_checkpoint(signer: &dyn Signer, checkpoint: &Checkpoint) -> Result<String, NoteError> {
    let text = checkpoint.text();
    let key = signer.verifier_key();
    let line = signature_line(key.name(), key.id(), &signer.sign(text.as_bytes()));
    Note::build(&text, &[line]).map(|note| note.to_string())
}

fn key_path(directory: &Path, tenant: &Tenant) -> PathBuf {
    directory.join(format!("{tenant}.key"))
}
