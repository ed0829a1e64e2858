//! Signers with fixed keys. The format itself never signs; its tests must.

use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::checkpoint::Checkpoint;
use probity_schemas::cosignature::Cosignature;
use probity_schemas::hash::Hash;
use probity_schemas::note::signature_line;
use probity_schemas::tree::root_of;
use probity_schemas::vkey::VerifierKey;

pub(crate) const ORIGIN: &str = "ledger.example/acme";

/// A signer with a fixed key, told apart by one byte.
pub(crate) struct Signer {
    pub(crate) key: SigningKey,
    pub(crate) vkey: VerifierKey,
}

impl Signer {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let vkey = VerifierKey::ed25519(name, key.verifying_key().as_bytes()).unwrap();
        Self { key, vkey }
    }

    pub(crate) fn line(&self, text: &str) -> String {
        let signature = self.key.sign(text.as_bytes());
        signature_line(self.vkey.name(), self.vkey.id(), &signature.to_bytes())
    }
}

/// A witness with a fixed key, told apart by one byte.
pub(crate) struct Cosigner(pub(crate) Signer);

impl Cosigner {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        let mut signer = Signer::new(name, seed);
        signer.vkey = VerifierKey::cosigner(name, signer.key.verifying_key().as_bytes()).unwrap();
        Self(signer)
    }

    pub(crate) fn line(&self, text: &str, time: u64) -> String {
        let message = Cosignature::message(time, text.as_bytes());
        let signature = self.0.key.sign(&message).to_bytes();
        let bytes = Cosignature { time, signature }.bytes();
        signature_line(self.0.vkey.name(), self.0.vkey.id(), &bytes)
    }
}

/// The checkpoint of the log `ORIGIN` over these leaves.
pub(crate) fn checkpoint(leaves: &[Hash]) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size: leaves.len() as u64,
        root: root_of(leaves.iter().copied()),
    }
}
