//! The links between records of a log, checked record by record: order, ids, time, `previous`, and the subject's own
//! `revision` and `subjectprevious`.
//!
//! Where each subject stands is remembered by the reader, in the way that suits it.

use crate::error::FormatError;
use crate::event::Event;
use crate::event::log::{LogOpened, LogRestored};
use crate::hash::Hash;
use crate::record::Record;
use crate::time::Time;
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

/// Where a subject stands: what its next record must link to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectTip {
    /// The revision of its newest record.
    pub revision: u64,
    /// The leaf hash of that record.
    pub leaf: Hash,
}

/// A record's own link inside its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectLink {
    /// The record.
    pub sequence: u64,
    /// Its revision.
    pub revision: u64,
    /// Its `subjectprevious`.
    pub previous: Option<Hash>,
}

impl SubjectTip {
    /// Where the subject stands after this record.
    #[must_use]
    pub const fn of(record: &Record<'_>) -> Self {
        Self {
            revision: record.revision,
            leaf: record.leaf,
        }
    }
}

impl SubjectLink {
    /// The link of this record.
    #[must_use]
    pub const fn of(record: &Record<'_>) -> Self {
        Self {
            sequence: record.sequence,
            revision: record.revision,
            previous: record.envelope.subjectprevious,
        }
    }

    /// Checks that the record is the next of its subject after `before`; the first, if there is none.
    ///
    /// # Errors
    /// [`FormatError::RevisionGap`] or [`FormatError::BadSubjectPrevious`].
    pub fn follows(&self, before: Option<&SubjectTip>) -> Result<(), FormatError> {
        let sequence = self.sequence;
        if self.revision != before.map_or(0, |before| before.revision + 1) {
            return Err(FormatError::RevisionGap { sequence });
        }
        if self.previous != before.map(|before| before.leaf) {
            return Err(FormatError::BadSubjectPrevious { sequence });
        }
        Ok(())
    }
}
