//! What is kept beside the records: what others said of checkpoints, for good, and what opens personal values, until its person is erased.

use probity_schemas::time::Time;

/// What one witness said of one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCosignature {
    /// The log's origin.
    pub origin: String,
    /// The checkpoint's size.
    pub size: u64,
    /// Name and id of the witness's key, `name+id`.
    pub witness: String,
    /// Bytes of all lines up to that size, line feeds included.
    pub bytes: u64,
    /// The checkpoint as the log signed it, a note.
    pub checkpoint: String,
    /// The witness's signature line, with its line feed.
    pub line: String,
}

/// What an authority said of one checkpoint (RFC 3161).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptTimestamp {
    /// The log's origin.
    pub origin: String,
    /// The checkpoint's size.
    pub size: u64,
    /// When, by the authority's clock.
    pub time: Time,
    /// The checkpoint as the log signed it, a note: what is stamped.
    pub checkpoint: String,
    /// The authority's reply, as it came.
    pub reply: Vec<u8>,
}

/// What stands for a person beside the disclosures: random, so that it says nothing once the person's key is gone.
pub type PersonToken = [u8; 16];

/// A disclosure, sealed under its person's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedDisclosure {
    /// The record in which its digest stands.
    pub sequence: u64,
    /// Its place among the record's, from 0.
    pub place: u32,
    /// Whose it is.
    pub person: PersonToken,
    /// Disclosure and person's id, sealed.
    pub sealed: Vec<u8>,
}
