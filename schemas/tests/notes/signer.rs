//! Signers with fixed keys. The format itself never signs; its tests must.

use ed25519_dalek::{Signer as _, SigningKey};
use probity_schemas::checkpoint::Checkpoint;
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

/// The checkpoint of the log `ORIGIN` over these leaves.
pub(crate) fn checkpoint(leaves: &[Hash]) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size: leaves.len() as u64,
        root: root_of(leaves.iter().copied()),
    }
}
