//! A witness's key: it cosigns checkpoints with their time (C2SP tlog-cosignature v1). When it may, is the witness's to decide.

use crate::keyfile;
use crate::signer::KeyError;
use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::cosignature::Cosignature;
use probity_schemas::note::signature_line;
use probity_schemas::vkey::VerifierKey;
use std::path::Path;
use zeroize::Zeroizing;

/// The type of a witness's key: Ed25519 over a cosignature's message.
const KEY_TYPE: u8 = 0x04;

/// A witness's key.
pub struct Cosigner {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Cosigner {
    /// The key in a file, made with this name when there is none.
    ///
    /// # Errors
    /// [`KeyError`]; a key of another name is malformed.
    pub fn open(path: &Path, name: &str) -> Result<Self, KeyError> {
        if let Some(kept) = keyfile::read(path, KEY_TYPE)? {
            let cosigner = Self::from_seed(&kept.seed, &kept.name)?;
            let same = kept.name == name && cosigner.verifier.id().to_string() == kept.id;
            return same.then_some(cosigner).ok_or_else(|| KeyError::Malformed {
                path: path.to_owned(),
            });
        }
        let seed = Zeroizing::new(crate::ids::salt()?.0);
        let cosigner = Self::from_seed(&seed, name)?;
        keyfile::create(path, KEY_TYPE, &cosigner.verifier, &seed)?;
        Ok(cosigner)
    }

    /// A key from its secret.
    ///
    /// # Errors
    /// [`KeyError::Name`] when the name cannot be a key's.
    pub fn from_seed(seed: &[u8; 32], name: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::cosigner(name, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// The key that verifies what this cosigns.
    #[must_use]
    pub const fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature line under a checkpoint's text, at a time in seconds since the epoch.
    #[must_use]
    pub fn cosign(&self, text: &str, time: u64) -> String {
        let message = Cosignature::message(time, text.as_bytes());
        let signature = self.key.sign(&message).to_bytes();
        let bytes = Cosignature { time, signature }.bytes();
        signature_line(self.verifier.name(), self.verifier.id(), &bytes)
    }
}
