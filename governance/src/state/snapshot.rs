//! The register as bytes: a snapshot to start from, and a digest to compare.
//!
//! A snapshot (rkyv) is a cache: its layout belongs to one [`STATE_VERSION`], it is checked when it is read, and what
//! does not fit is dropped by the caller and folded again. The digest is of another form on purpose, one that does not
//! depend on a library's layout: SHA-256 of the register as JSON, all keys in byte order, derived members and closed cases
//! left out. FORMAT.md has it member by member, for `state.sealed` commits to it.

use super::{Budget, Directory, OpenCase, Sealed, State};
use probity_schemas::hash::{Hash, sha256};
use rkyv::rancor;
use rkyv::util::AlignedVec;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Version of the snapshot's layout. It grows with every change of a type in it.
pub const STATE_VERSION: u32 = 5;

/// Why a snapshot was not made or not taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes are not a register of this version.
    #[error("not a snapshot of the register: {0}")]
    Malformed(#[source] rancor::Error),
    /// The register could not be written.
    #[error("the register could not be written: {0}")]
    Unwritable(#[source] rancor::Error),
}

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct Register {
    directory: Directory,
    open: BTreeMap<u128, OpenCase>,
    budget: Option<Budget>,
    sealed: Option<Sealed>,
    size: u64,
}

#[derive(Serialize)]
struct DigestForm<'a> {
    budget: Option<&'a Budget>,
    directory: &'a Directory,
    open: BTreeMap<String, &'a OpenCase>,
    sealed: Option<&'a Sealed>,
    size: u64,
}

impl State {
    /// The register as bytes.
    ///
    /// # Errors
    /// [`SnapshotError::Unwritable`] when memory does not suffice.
    pub fn to_snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let register = Register {
            directory: Directory::clone(&self.directory),
            open: self
                .open
                .iter()
                .map(|(id, case)| (id.as_u128(), case.clone()))
                .collect(),
            budget: self.budget.clone(),
            sealed: self.sealed.clone(),
            size: self.size,
        };
        rkyv::to_bytes::<rancor::Error>(&register)
            .map(AlignedVec::into_vec)
            .map_err(SnapshotError::Unwritable)
    }

    /// The state of a snapshot; no closed case is in it.
    ///
    /// # Errors
    /// [`SnapshotError::Malformed`] for bytes that are not a register of this version.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut aligned = AlignedVec::<16>::with_capacity(bytes.len());
        aligned.extend_from_slice(bytes);
        let register: Register = rkyv::from_bytes::<Register, rancor::Error>(&aligned)
            .map_err(SnapshotError::Malformed)?;
        let mut state = Self {
            directory: Arc::new(register.directory),
            open: register
                .open
                .into_iter()
                .map(|(id, case)| (Uuid::from_u128(id), case))
                .collect(),
            budget: register.budget,
            sealed: register.sealed,
            size: register.size,
            closed: HashMap::new(),
            ..Self::default()
        };
        state.collect_deadlines();
        Ok(state)
    }

    /// SHA-256 of the register; the same however the state was reached.
    #[must_use]
    pub fn digest(&self) -> Hash {
        sha256(&[&self.register()])
    }

    /// The register as JSON without white space, every key in byte order.
    #[must_use]
    pub fn register(&self) -> Vec<u8> {
        let form = DigestForm {
            budget: self.budget.as_ref(),
            directory: &self.directory,
            open: self
                .open
                .iter()
                .map(|(id, case)| (id.to_string(), case))
                .collect(),
            sealed: self.sealed.as_ref(),
            size: self.size,
        };
        // Text keys and plain members only: writing them to memory cannot fail.
        serde_json::to_vec(&form).unwrap_or_default()
    }
}
