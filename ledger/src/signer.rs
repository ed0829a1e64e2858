//! Signing checkpoints: the trait, and the keys kept as files.
//!
//! A key file is one line in the encoding that Go's `sumdb/note` calls a signer key,
//! `PRIVATE+KEY+<name>+<key id>+<base64(0x01 ‖ seed)>`, mode 0600. A key is made only together with record 0 of its log; a node
//! without the key its log names reads and never signs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::note::{Note, NoteError, signature_line};
use probity_schemas::subject::Tenant;
use probity_schemas::vkey::{VerifierKey, VerifierKeyError};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::Zeroizing;

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
        let text = match fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyError::File { path, source }),
        };
        let malformed = || KeyError::Malformed { path: path.clone() };
        let rest = text
            .trim_end()
            .strip_prefix("PRIVATE+KEY+")
            .ok_or_else(malformed)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(id), Some(secret)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed());
        };
        let bytes = Zeroizing::new(STANDARD.decode(secret).map_err(|_| malformed())?);
        let Some((1, seed)) = bytes.split_first().map(|(kind, seed)| (*kind, seed)) else {
            return Err(malformed());
        };
        let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).map_err(|_| malformed())?);
        let signer = Self::from_seed(&seed, name)?;
        if signer.verifier.id().to_string() == id {
            Ok(Some(signer))
        } else {
            Err(malformed())
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
        let path = key_path(directory, tenant);
        let secret = Zeroizing::new([&[1u8][..], &self.key.to_bytes()].concat());
        let encoded = Zeroizing::new(STANDARD.encode(&*secret));
        let text = Zeroizing::new(format!(
            "PRIVATE+KEY+{}+{}+{}\n",
            self.verifier.name(),
            self.verifier.id(),
            &*encoded
        ));
        let written = fs::create_dir_all(directory).and_then(|()| {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::File::open(directory)?.sync_all()
        });
        written.map_err(|source| KeyError::File { path, source })
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
