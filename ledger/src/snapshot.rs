//! A snapshot of the state, so that a start reads only the newest records.
//!
//! Trusted for nothing: it names what it is of, carries a keyed BLAKE3 under a key derived from the signer's, and whatever does not
//! match is dropped and built again. The layout is rkyv's and belongs to one version of this program.

use crate::seal::Tip;
use crate::signer::Signer;
use probity_governance::state::{STATE_VERSION, State};
use probity_schemas::hash::Hash;
use probity_schemas::tree::CompactRange;
use thiserror::Error;

/// What the key of the seal is derived for; another one with each layout.
const SEAL_CONTEXT: &str = "probity 2026-11 state snapshot seal 2";

/// Bytes of the seal.
const SEAL_BYTES: usize = 32;

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct Stored {
    version: u32,
    origin: String,
    range: CompactRange,
    bytes: u64,
    leaf: Hash,
    state: Vec<u8>,
}

/// A snapshot that was read and believed.
pub(crate) struct Snapshot {
    pub origin: String,
    pub range: CompactRange,
    pub bytes: u64,
    pub leaf: Hash,
    pub state: State,
}

/// Why a snapshot is of no use.
#[derive(Debug, Error)]
pub(crate) enum SnapshotError {
    /// Its seal is not this signer's.
    #[error("its seal does not hold")]
    Seal,
    /// It was written by another version.
    #[error("it is of another version")]
    Version,
    /// Its bytes cannot be read.
    #[error("it cannot be read")]
    Malformed,
}

/// The bytes to keep.
pub(crate) fn encode(
    state: &State,
    tip: &Tip,
    signer: &dyn Signer,
) -> Result<Vec<u8>, SnapshotError> {
    let stored = Stored {
        version: STATE_VERSION,
        origin: tip.origin.clone(),
        range: tip.range.clone(),
        bytes: tip.bytes,
        leaf: tip.leaf,
        state: state.to_snapshot().map_err(|_| SnapshotError::Malformed)?,
    };
    let content =
        rkyv::to_bytes::<rkyv::rancor::Error>(&stored).map_err(|_| SnapshotError::Malformed)?;
    let seal = blake3::keyed_hash(&signer.derive(SEAL_CONTEXT), &content);
    Ok([seal.as_bytes(), &content[..]].concat())
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8], signer: &dyn Signer) -> Result<Snapshot, SnapshotError> {
    let (seal, content) = bytes
        .split_at_checked(SEAL_BYTES)
        .ok_or(SnapshotError::Malformed)?;
    let expected = blake3::keyed_hash(&signer.derive(SEAL_CONTEXT), content);
    // Comparison of `blake3::Hash` takes constant time.
    if blake3::Hash::from_slice(seal).map_err(|_| SnapshotError::Malformed)? != expected {
        return Err(SnapshotError::Seal);
    }
    let mut aligned = rkyv::util::AlignedVec::<16>::with_capacity(content.len());
    aligned.extend_from_slice(content);
    let stored = rkyv::from_bytes::<Stored, rkyv::rancor::Error>(&aligned)
        .map_err(|_| SnapshotError::Malformed)?;
    if stored.version != STATE_VERSION {
        return Err(SnapshotError::Version);
    }
    let state = State::from_snapshot(&stored.state).map_err(|_| SnapshotError::Malformed)?;
    Ok(Snapshot {
        origin: stored.origin,
        range: stored.range,
        bytes: stored.bytes,
        leaf: stored.leaf,
        state,
    })
}
