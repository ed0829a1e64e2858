//! The links between records of a log, checked record by record: order, ids, time, `previous`, and the subject's own
//! `revision` and `subjectprevious`.
//!
//! Memory: one small entry a distinct subject, [`SubjectLinks`]; a reader of a part of a log brings none.

use crate::error::FormatError;
use crate::event::Event;
use crate::event::log::{LogOpened, LogRestored};
use crate::hash::Hash;
use crate::record::Record;
use crate::time::Time;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
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

/// The origin that the records of one log name as their `source`: stated by record 0, changed only by a restoration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginLink(Option<String>);

impl OriginLink {
    /// Checks that a record is of this log and moves on to it. A reader of a part of a log takes the first origin it sees.
    ///
    /// # Errors
    /// [`FormatError::BadOpening`] or [`FormatError::OtherOrigin`]; for a record that states an origin, what is wrong with
    /// its body.
    pub fn follow(&mut self, record: &Record<'_>) -> Result<(), FormatError> {
        let source = record.envelope.source.as_ref();
        let opening = record.envelope.type_name == LogOpened::TYPE;
        if opening != (record.sequence == 0) {
            return Err(FormatError::BadOpening);
        }
        if opening || record.envelope.type_name == LogRestored::TYPE {
            match record.event()? {
                Event::LogOpened(body) if body.origin != source => {
                    return Err(FormatError::BadOpening);
                }
                Event::LogRestored(body) if !self.restored_as(&body, source) => {
                    return Err(FormatError::OtherOrigin);
                }
                _ => {}
            }
        } else if self.0.as_ref().is_some_and(|origin| origin != source) {
            return Err(FormatError::OtherOrigin);
        }
        if self.0.as_deref() != Some(source) {
            self.0 = Some(source.to_owned());
        }
        Ok(())
    }

    /// Whether a restoration names its own record's source, and goes on from the origin before.
    fn restored_as(&self, body: &LogRestored, source: &str) -> bool {
        body.origin == source
            && self
                .0
                .as_ref()
                .is_none_or(|before| *before == body.previous_origin)
    }
}

/// The newest record of every subject seen: revision and leaf hash, by a hash of the subject's name.
///
/// Many small tables, so that one that grows is copied and not all.
#[derive(Debug)]
pub struct SubjectLinks([HashMap<SubjectKey, Newest>; SUBJECT_TABLES]);

/// A subject's newest record: its revision (little-endian: in bytes, so that an entry has no gap) and the head of its leaf hash.
type Newest = ([u8; 8], [u8; 20]);

/// Tables of [`SubjectLinks`], by the first bits of the key.
const SUBJECT_TABLES: usize = 64;

/// The first 16 bytes of the SHA-256 of a subject's name.
///
/// The name is hashed to bound the entry; a log's owner who finds two names with one such hash could only make his own
/// honest log fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, std::hash::Hash)]
pub struct SubjectKey([u8; 16]);

impl SubjectKey {
    /// The key of a subject.
    #[must_use]
    pub fn of(subject: &str) -> Self {
        let name = crate::hash::sha256(&[subject.as_bytes()]);
        Self(std::array::from_fn(|at| name.0[at]))
    }
}

impl Default for SubjectLinks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| HashMap::new()))
    }
}

impl SubjectLinks {
    /// Checks a record's links inside its subject and moves on to it.
    ///
    /// # Errors
    /// [`FormatError::RevisionGap`] or [`FormatError::BadSubjectPrevious`].
    pub fn follow(&mut self, record: &Record<'_>) -> Result<(), FormatError> {
        self.follow_as(SubjectKey::of(&record.envelope.subject), record)
    }

    /// [`Self::follow`], for one who has the key of the record's subject at hand.
    ///
    /// # Errors
    /// As [`Self::follow`].
    pub fn follow_as(&mut self, key: SubjectKey, record: &Record<'_>) -> Result<(), FormatError> {
        let sequence = record.sequence;
        let leaf: [u8; 20] = std::array::from_fn(|at| record.leaf.0[at]);
        let entry = self.0[usize::from(key.0[0]) % SUBJECT_TABLES].entry(key);
        let before = match &entry {
            Entry::Occupied(known) => {
                let (revision, leaf) = *known.get();
                Some((u64::from_le_bytes(revision), leaf))
            }
            Entry::Vacant(_) => None,
        };
        if record.revision != before.map_or(0, |(revision, _)| revision + 1) {
            return Err(FormatError::RevisionGap { sequence });
        }
        let linked = match (before, record.envelope.subjectprevious) {
            (None, None) => true,
            (Some((_, before)), Some(stated)) => stated.0.starts_with(&before),
            _ => false,
        };
        if !linked {
            return Err(FormatError::BadSubjectPrevious { sequence });
        }
        entry.insert_entry((record.revision.to_le_bytes(), leaf));
        Ok(())
    }

    /// How many distinct subjects were seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(HashMap::len).sum()
    }

    /// Whether none was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
