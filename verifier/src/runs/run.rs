//! The entries of a run, sorted by subject, and how two runs become one.

use probity_schemas::hash::Hash;
use probity_schemas::run::entry_hash;
use probity_schemas::tree::root_of;
use std::cmp::Ordering;

/// Entries of a segment: while runs are merged, each segment is let go as soon as it is read.
const SEGMENT_ENTRIES: usize = 4096;

/// Records, in order, as far as a run has them.
#[derive(Debug, Default)]
pub(super) struct Written {
    names: String,
    records: Vec<One>,
}

#[derive(Debug)]
struct One {
    /// Where the subject's name ends.
    end: usize,
    revision: u64,
    leaf: Hash,
}

impl Written {
    pub(super) fn push(&mut self, subject: &str, revision: u64, leaf: Hash) {
        self.names.push_str(subject);
        self.records.push(One {
            end: self.names.len(),
            revision,
            leaf,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Takes the first `count` records out.
    pub(super) fn take(&mut self, count: usize) -> Self {
        let mut rest = self.records.split_off(count.min(self.len()));
        let names = self.records.last().map_or(0, |one| one.end);
        rest.iter_mut().for_each(|one| one.end -= names);
        let rest = Self {
            names: self.names.split_off(names),
            records: rest,
        };
        std::mem::replace(self, rest)
    }

    fn name(&self, at: usize) -> &str {
        let begin = at
            .checked_sub(1)
            .map_or(0, |before| self.records[before].end);
        &self.names[begin..self.records[at].end]
    }
}

/// A run: the newest record of each subject.
#[derive(Debug, Default)]
pub(super) struct Run {
    segments: Vec<Segment>,
}

/// Names one after the other, where each ends, and the hashes of the entries.
#[derive(Debug, Default)]
struct Segment {
    names: String,
    ends: Vec<usize>,
    hashes: Vec<Hash>,
}

impl Run {
    /// The run of these records alone.
    pub(super) fn of(written: &Written) -> Self {
        let mut order: Vec<usize> = (0..written.len()).collect();
        // The sort is stable: of one subject the newest comes last.
        order.sort_by(|one, other| written.name(*one).cmp(written.name(*other)));
        let mut run = Self::default();
        for (at, one) in order.iter().enumerate() {
            let subject = written.name(*one);
            let next = order.get(at + 1).map(|next| written.name(*next));
            if next != Some(subject) {
                let One { revision, leaf, .. } = &written.records[*one];
                run.push(subject, entry_hash(subject, *revision, leaf));
            }
        }
        run
    }

    /// Both, and of a subject that is in both the entry of the newer.
    pub(super) fn merged(self, newer: Self) -> Self {
        let mut merged = Self::default();
        let (mut old, mut new) = (Cursor::new(self), Cursor::new(newer));
        loop {
            let from = match (old.subject(), new.subject()) {
                (Some(before), Some(after)) => match before.cmp(after) {
                    Ordering::Less => &mut old,
                    Ordering::Greater => &mut new,
                    Ordering::Equal => {
                        old.advance();
                        &mut new
                    }
                },
                (Some(_), None) => &mut old,
                (None, Some(_)) => &mut new,
                (None, None) => return merged,
            };
            from.give(&mut merged);
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.segments.iter().map(|one| one.ends.len() as u64).sum()
    }

    /// The root of the tree over the entries.
    pub(super) fn root(&self) -> Hash {
        root_of(
            self.segments
                .iter()
                .flat_map(|one| one.hashes.iter().copied()),
        )
    }

    fn push(&mut self, subject: &str, hash: Hash) {
        let is_full = |last: &Segment| last.ends.len() == SEGMENT_ENTRIES;
        if self.segments.last().is_none_or(is_full) {
            if let Some(full) = self.segments.last_mut() {
                full.names.shrink_to_fit();
            }
            self.segments.push(Segment {
                names: String::new(),
                ends: Vec::with_capacity(SEGMENT_ENTRIES),
                hashes: Vec::with_capacity(SEGMENT_ENTRIES),
            });
        }
        if let Some(last) = self.segments.last_mut() {
            last.names.push_str(subject);
            last.ends.push(last.names.len());
            last.hashes.push(hash);
        }
    }
}

/// The place in a run up to which it was read. What is before it is let go, segment by segment.
struct Cursor {
    rest: std::vec::IntoIter<Segment>,
    segment: Option<Segment>,
    at: usize,
    begin: usize,
}

impl Cursor {
    fn new(run: Run) -> Self {
        let mut rest = run.segments.into_iter();
        Self {
            segment: rest.next(),
            rest,
            at: 0,
            begin: 0,
        }
    }

    /// The entry here.
    fn entry(&self) -> Option<(&str, Hash)> {
        let segment = self.segment.as_ref()?;
        let end = *segment.ends.get(self.at)?;
        Some((&segment.names[self.begin..end], segment.hashes[self.at]))
    }

    fn subject(&self) -> Option<&str> {
        self.entry().map(|(subject, _)| subject)
    }

    /// Adds the entry here to a run, and moves on.
    fn give(&mut self, to: &mut Run) {
        if let Some((subject, hash)) = self.entry() {
            to.push(subject, hash);
        }
        self.advance();
    }

    fn advance(&mut self) {
        let Some(segment) = &self.segment else { return };
        self.begin = segment.ends[self.at];
        self.at += 1;
        if self.at == segment.ends.len() {
            self.segment = self.rest.next();
            (self.at, self.begin) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Run, SEGMENT_ENTRIES, Written};
    use probity_schemas::hash::{Hash, sha256};
    use probity_schemas::run::entry_hash;
    use probity_schemas::tree::root_of;
    use std::collections::BTreeMap;

    /// Records of many subjects, some of them again and again, the names out of order.
    fn written(from: usize, count: usize, subjects: usize) -> Vec<(String, u64, Hash)> {
        (from..from + count)
            .map(|at| {
                let subject = format!("note/{}", at * 7919 % subjects);
                (subject, at as u64, sha256(&[&at.to_be_bytes()]))
            })
            .collect()
    }

    fn collected(records: &[(String, u64, Hash)]) -> Written {
        let mut all = Written::default();
        for (subject, revision, leaf) in records {
            all.push(subject, *revision, *leaf);
        }
        all
    }

    /// The same without any sharing of work: the newest of each subject, by name.
    fn expected(records: &[(String, u64, Hash)]) -> (u64, Hash) {
        let newest: BTreeMap<_, _> = records
            .iter()
            .map(|(subject, revision, leaf)| (subject, entry_hash(subject, *revision, leaf)))
            .collect();
        (newest.len() as u64, root_of(newest.into_values()))
    }

    #[test]
    fn a_merged_run_is_the_run_of_all() {
        for (count, subjects) in [
            (1, 10),
            (100, 10),
            (SEGMENT_ENTRIES, 1 << 20),
            (SEGMENT_ENTRIES + 1, 1 << 20),
            (3 * SEGMENT_ENTRIES, 5000),
        ] {
            let (old, new) = (written(0, count, subjects), written(count, count, subjects));
            let merged = Run::of(&collected(&old)).merged(Run::of(&collected(&new)));
            let all = [old, new].concat();
            assert_eq!((merged.len(), merged.root()), expected(&all), "{count}");
            let once = Run::of(&collected(&all));
            assert_eq!((once.len(), once.root()), expected(&all), "{count}");
        }
    }

    #[test]
    fn records_are_taken_from_the_front() {
        let records = written(0, 100, 1000);
        let mut rest = collected(&records);
        let first = rest.take(30);
        assert_eq!(Run::of(&first).root(), expected(&records[..30]).1);
        assert_eq!(Run::of(&rest).root(), expected(&records[30..]).1);
        assert_eq!(rest.take(1000).len(), 70);
        assert_eq!(rest.len(), 0);
    }
}
