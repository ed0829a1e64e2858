//! The links between records of a log, checked record by record: order, ids, time, `previous`, and the subject's own
//! `revision` and `subjectprevious`.
//!
//! Memory: one small entry a distinct subject, [`SubjectLinks`]; a reader of a part of a log brings none.

use crate::error::FormatError;
use crate::hash::Hash;
use crate::record::Record;
use crate::time::Time;
use std::collections::HashMap;
use uuid::Uuid;

/// Where a chain of records stands: what the next record must link to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainTip {
    /// The sequence the next record must have.
    pub next: u64,
    /// The leaf hash it must name as `previous`.
    pub previous: Hash,
    /// Its id must be greater.
    pub id: Uuid,
    /// Its time must not be less.
    pub time: Time,
}

impl ChainTip {
    /// Before record 0.
    pub const START: Self = Self {
        next: 0,
        previous: Hash::EMPTY,
        id: Uuid::nil(),
        time: Time::from_micros(i64::MIN),
    };

    /// Checks a record's links to the one before and moves on to it.
    ///
    /// # Errors
    /// The first link that does not hold.
    pub fn follow(&mut self, record: &Record<'_>) -> Result<(), FormatError> {
        let sequence = record.sequence;
        if sequence != self.next {
            return Err(FormatError::SequenceGap {
                expected: self.next,
                found: sequence,
            });
        }
        if record.envelope.previous != self.previous {
            return Err(FormatError::BadPrevious { sequence });
        }
        if record.id <= self.id {
            return Err(FormatError::IdNotIncreasing { sequence });
        }
        if record.envelope.time < self.time {
            return Err(FormatError::TimeGoesBack { sequence });
        }
        *self = Self {
            next: sequence + 1,
            previous: record.leaf,
            id: record.id,
            time: record.envelope.time,
        };
        Ok(())
    }
}

/// The newest record of every subject seen: revision and leaf hash, by a hash of the subject's name.
///
/// The name is hashed (SHA-256, first 16 bytes) to bound the entry; a log's owner who finds two names with one such hash
/// could only make his own honest log fail.
#[derive(Debug, Default)]
pub struct SubjectLinks(HashMap<[u8; 16], (u64, [u8; 20])>);

impl SubjectLinks {
    /// Checks a record's links inside its subject and moves on to it.
    ///
    /// # Errors
    /// [`FormatError::RevisionGap`] or [`FormatError::BadSubjectPrevious`].
    pub fn follow(&mut self, record: &Record<'_>) -> Result<(), FormatError> {
        let sequence = record.sequence;
        let name = crate::hash::sha256(&[record.envelope.subject.as_bytes()]);
        let key: [u8; 16] = std::array::from_fn(|at| name.0[at]);
        let leaf: [u8; 20] = std::array::from_fn(|at| record.leaf.0[at]);
        let expected = self.0.get(&key).map_or(0, |(revision, _)| revision + 1);
        if record.revision != expected {
            return Err(FormatError::RevisionGap { sequence });
        }
        let linked = match (self.0.get(&key), record.envelope.subjectprevious) {
            (None, None) => true,
            (Some((_, before)), Some(stated)) => stated.0.starts_with(before),
            _ => false,
        };
        if !linked {
            return Err(FormatError::BadSubjectPrevious { sequence });
        }
        self.0.insert(key, (record.revision, leaf));
        Ok(())
    }

    /// How many distinct subjects were seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
