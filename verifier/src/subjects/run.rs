//! Records sorted by subject: of each the newest, and what its first one here links to. How two such lists become one.

use probity_schemas::chain::{SubjectLink, SubjectTip};
use probity_schemas::error::FormatError;
use probity_schemas::hash::Hash;
use probity_schemas::record::Record;
use probity_schemas::run::entry_hash;
use probity_schemas::tree::root_of;
use std::cmp::Ordering;

/// Entries of a segment: while runs are merged, each segment is let go as soon as it is read.
const SEGMENT_ENTRIES: usize = 512;

/// Bytes of the names of a segment for which there is room at first.
const SEGMENT_NAMES_BYTES: usize = 48 * SEGMENT_ENTRIES;

/// Neighbouring records, in order, as far as a run has them.
#[derive(Debug, Default)]
pub(super) struct Written {
    blocks: Vec<Block>,
    len: usize,
}

/// Up to [`SEGMENT_ENTRIES`] of them, so that what grows is small.
#[derive(Debug)]
struct Block {
    /// The sequence of the first.
    first: u64,
    names: String,
    records: Vec<One>,
}

#[derive(Debug)]
struct One {
    /// Where the subject's name ends.
    end: usize,
    previous: Option<Hash>,
    tip: SubjectTip,
}

impl Written {
    /// Takes the next record in, which is the one after the record before.
    pub(super) fn push(&mut self, record: &Record<'_>) {
        let previous = record.envelope.subjectprevious;
        let (subject, tip) = (&record.envelope.subject, SubjectTip::of(record));
        self.add(record.sequence, subject, previous, tip);
    }

    fn add(&mut self, sequence: u64, subject: &str, previous: Option<Hash>, tip: SubjectTip) {
        let is_full = |last: &Block| last.records.len() == SEGMENT_ENTRIES;
        if self.blocks.last().is_none_or(is_full) {
            self.blocks.push(Block {
                first: sequence,
                names: String::with_capacity(SEGMENT_NAMES_BYTES),
                records: Vec::with_capacity(SEGMENT_ENTRIES),
            });
        }
        if let Some(last) = self.blocks.last_mut() {
            last.names.push_str(subject);
            last.records.push(One {
                end: last.names.len(),
                previous,
                tip,
            });
        }
        self.len += 1;
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Takes the first `count` records out.
    pub(super) fn take(&mut self, count: usize) -> Self {
        let count = count.min(self.len);
        let (mut blocks, mut len) = (0, 0);
        while len < count {
            len += self.blocks[blocks].records.len();
            blocks += 1;
        }
        let mut rest = self.blocks.split_off(blocks);
        if let Some(last) = self.blocks.last_mut()
            && len > count
        {
            rest.insert(0, last.split_off(last.records.len() - (len - count)));
        }
        let rest = Self {
            blocks: rest,
            len: self.len - count,
        };
        self.len = count;
        std::mem::replace(self, rest)
    }

    /// Each record, in order.
    fn all(&self) -> impl Iterator<Item = Place<'_>> {
        let of = |block| (0..).map_while(move |at| Place::of(block, at));
        self.blocks.iter().flat_map(of)
    }
}

impl Block {
    /// Takes the records from this one on out.
    fn split_off(&mut self, at: usize) -> Self {
        let mut records = self.records.split_off(at);
        let names = self.records.last().map_or(0, |one| one.end);
        records.iter_mut().for_each(|one| one.end -= names);
        Self {
            first: self.first + at as u64,
            names: self.names.split_off(names),
            records,
        }
    }
}

/// A record that was written.
#[derive(Clone, Copy)]
struct Place<'w> {
    subject: &'w str,
    sequence: u64,
    one: &'w One,
}

impl<'w> Place<'w> {
    fn of(block: &'w Block, at: usize) -> Option<Self> {
        let one = block.records.get(at)?;
        let before = at.checked_sub(1);
        let begin = before.map_or(0, |before| block.records[before].end);
        Some(Self {
            subject: &block.names[begin..one.end],
            sequence: block.first + at as u64,
            one,
        })
    }

    const fn link(&self) -> SubjectLink {
        SubjectLink {
            sequence: self.sequence,
            revision: self.one.tip.revision,
            previous: self.one.previous,
        }
    }
}

/// The first record, by sequence, that does not follow the one before of its subject.
#[derive(Debug, Default)]
pub(super) struct Links(Option<(u64, FormatError)>);

impl Links {
    fn check(&mut self, link: &SubjectLink, before: Option<&SubjectTip>) {
        if let Err(error) = link.follows(before)
            && self
                .0
                .as_ref()
                .is_none_or(|(first, _)| link.sequence < *first)
        {
            self.0 = Some((link.sequence, error));
        }
    }

    pub(super) fn broken(self) -> Option<(u64, FormatError)> {
        self.0
    }
}

/// The newest record of each subject, by subject.
#[derive(Debug, Default)]
pub(super) struct Run {
    segments: Vec<Segment>,
}

/// Names one after the other, where each ends, and the entries.
#[derive(Debug, Default)]
struct Segment {
    names: String,
    ends: Vec<usize>,
    entries: Vec<Entry>,
}

impl Segment {
    /// The last subject.
    fn last(&self) -> Option<&str> {
        let (_, before) = self.ends.split_last()?;
        self.names.get(before.last().copied().unwrap_or(0)..)
    }
}

/// A subject.
#[derive(Clone, Debug)]
struct Entry {
    /// Its first record in this run.
    first: First,
    /// Its newest.
    tip: SubjectTip,
    hash: Hash,
}

/// What the first record of a subject in a run links to: mostly nothing, which takes no room.
#[derive(Clone, Debug)]
enum First {
    /// It begins its subject, and has this sequence.
    Begins(u64),
    GoesOn(Box<SubjectLink>),
}

impl First {
    fn of(link: SubjectLink) -> Self {
        match link.follows(None) {
            Ok(()) => Self::Begins(link.sequence),
            Err(_) => Self::GoesOn(Box::new(link)),
        }
    }

    fn link(&self) -> SubjectLink {
        match self {
            Self::Begins(sequence) => SubjectLink {
                sequence: *sequence,
                revision: 0,
                previous: None,
            },
            Self::GoesOn(link) => **link,
        }
    }
}

impl Run {
    /// The run of these records alone.
    pub(super) fn of(written: &Written, links: &mut Links) -> Self {
        let mut places: Vec<Place<'_>> = written.all().collect();
        // The sort is stable: of one subject the newest comes last.
        places.sort_by(|one, other| one.subject.cmp(other.subject));
        let mut run = Self::default();
        for records in places.chunk_by(|one, other| one.subject == other.subject) {
            for pair in records.windows(2) {
                links.check(&pair[1].link(), Some(&pair[0].one.tip));
            }
            if let (Some(first), Some(newest)) = (records.first(), records.last()) {
                let (subject, tip) = (newest.subject, newest.one.tip);
                let entry = Entry {
                    first: First::of(first.link()),
                    tip,
                    hash: entry_hash(subject, tip.revision, &tip.leaf),
                };
                run.push(subject, entry);
            }
        }
        run
    }

    /// Both, and of a subject that is in both the newest of the newer, which must go on from the older.
    pub(super) fn merged(self, newer: Self, links: &mut Links) -> Self {
        let mut merged = Self::default();
        let (mut old, mut new) = (Cursor::new(self), Cursor::new(newer));
        loop {
            let order = match (old.subject(), new.subject()) {
                (None, None) => return merged,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => before.cmp(after),
            };
            let (next, other) = match order {
                Ordering::Less => (&mut old, &new),
                Ordering::Greater => (&mut new, &old),
                Ordering::Equal => {
                    new.go_on(&mut old, links);
                    (&mut new, &old)
                }
            };
            match next.segment_before(other.subject()) {
                Some(segment) => merged.segments.push(segment),
                None => next.give(&mut merged),
            }
        }
    }

    /// No record is before these: each subject must begin here.
    pub(super) fn begin(&self, links: &mut Links) {
        let entries = self.segments.iter().flat_map(|one| &one.entries);
        entries.for_each(|entry| links.check(&entry.first.link(), None));
    }

    pub(super) fn len(&self) -> u64 {
        self.segments.iter().map(|one| one.ends.len() as u64).sum()
    }

    /// The root of the tree over the entries.
    pub(super) fn root(&self) -> Hash {
        let entries = self.segments.iter().flat_map(|one| &one.entries);
        root_of(entries.map(|entry| entry.hash))
    }

    fn push(&mut self, subject: &str, entry: Entry) {
        let is_full = |last: &Segment| last.ends.len() == SEGMENT_ENTRIES;
        if self.segments.last().is_none_or(is_full) {
            if let Some(full) = self.segments.last_mut() {
                full.names.shrink_to_fit();
            }
            self.segments.push(Segment {
                names: String::with_capacity(SEGMENT_NAMES_BYTES),
                ends: Vec::with_capacity(SEGMENT_ENTRIES),
                entries: Vec::with_capacity(SEGMENT_ENTRIES),
            });
        }
        if let Some(last) = self.segments.last_mut() {
            last.names.push_str(subject);
            last.ends.push(last.names.len());
            last.entries.push(entry);
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

    /// The subject here.
    fn subject(&self) -> Option<&str> {
        let segment = self.segment.as_ref()?;
        let end = *segment.ends.get(self.at)?;
        Some(&segment.names[self.begin..end])
    }

    fn entry(&mut self) -> Option<&mut Entry> {
        self.segment.as_mut()?.entries.get_mut(self.at)
    }

    /// The entry here goes on from the one of the same subject in an older run, which is passed.
    fn go_on(&mut self, older: &mut Self, links: &mut Links) {
        if let (Some(newer), Some(older)) = (self.entry(), older.entry()) {
            links.check(&newer.first.link(), Some(&older.tip));
            newer.first = older.first.clone();
        }
        older.advance();
    }

    /// Adds the entry here to a run, and moves on.
    fn give(&mut self, to: &mut Run) {
        if let (Some(subject), Some(segment)) = (self.subject(), &self.segment) {
            to.push(subject, segment.entries[self.at].clone());
        }
        self.advance();
    }

    /// The segment that begins here, taken out, if all of it is before this subject: lists of subjects that came one after
    /// the other are not merged entry by entry.
    fn segment_before(&mut self, subject: Option<&str>) -> Option<Segment> {
        let last = self.segment.as_ref().filter(|_| self.at == 0)?.last()?;
        match subject {
            Some(subject) if last >= subject => None,
            _ => std::mem::replace(&mut self.segment, self.rest.next()),
        }
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
    use super::{Links, Run, SEGMENT_ENTRIES, Written};
    use probity_schemas::chain::SubjectTip;
    use probity_schemas::error::FormatError;
    use probity_schemas::hash::{Hash, sha256};
    use probity_schemas::run::entry_hash;
    use probity_schemas::tree::root_of;
    use std::collections::{BTreeMap, HashMap};

    type Linked = (String, Option<Hash>, SubjectTip);

    /// Records of many subjects, some of them again and again, the names out of order, each linked to the one before.
    fn linked(count: usize, subjects: usize) -> Vec<Linked> {
        let mut tips: HashMap<String, SubjectTip> = HashMap::new();
        let one = |at: usize| {
            let subject = format!("note/{}", at * 7919 % subjects);
            let before = tips.get(&subject).copied();
            let tip = SubjectTip {
                revision: before.map_or(0, |before| before.revision + 1),
                leaf: sha256(&[&at.to_be_bytes()]),
            };
            tips.insert(subject.clone(), tip);
            (subject, before.map(|before| before.leaf), tip)
        };
        (0..count).map(one).collect()
    }

    fn collected(from: usize, records: &[Linked]) -> Written {
        let from = from as u64;
        let mut all = Written::default();
        for (at, (subject, previous, tip)) in records.iter().enumerate() {
            all.add(from + at as u64, subject, *previous, *tip);
        }
        all
    }

    /// The same without any sharing of work: the newest of each subject, by name.
    fn expected(records: &[Linked]) -> (u64, Hash) {
        let newest: BTreeMap<_, _> = records
            .iter()
            .map(|(subject, _, tip)| (subject, entry_hash(subject, tip.revision, &tip.leaf)))
            .collect();
        (newest.len() as u64, root_of(newest.into_values()))
    }

    /// The run of the records in two lists, and the first record whose link does not hold.
    fn in_two(records: &[Linked], cut: usize) -> (Run, Option<(u64, FormatError)>) {
        let mut links = Links::default();
        let old = Run::of(&collected(0, &records[..cut]), &mut links);
        let new = Run::of(&collected(cut, &records[cut..]), &mut links);
        let merged = old.merged(new, &mut links);
        merged.begin(&mut links);
        (merged, links.broken())
    }

    #[test]
    fn a_merged_run_is_the_run_of_all() {
        for (count, subjects) in [
            (2, 10),
            (200, 10),
            (2 * SEGMENT_ENTRIES, 1 << 20),
            (2 * SEGMENT_ENTRIES + 2, 1 << 20),
            (6 * SEGMENT_ENTRIES, 700),
        ] {
            let records = linked(count, subjects);
            for cut in [0, count / 2, count] {
                let (run, broken) = in_two(&records, cut);
                assert_eq!((run.len(), run.root()), expected(&records), "{count}");
                assert_eq!(broken, None, "{count}");
            }
        }
    }

    #[test]
    fn the_first_record_that_does_not_follow_is_named_wherever_the_lists_are_cut() {
        let whole = linked(60, 10);
        for cut in 0..=60 {
            for at in 0..60 {
                let sequence = at as u64;
                let mut other = whole.clone();
                other[at].1 = other[at].1.map(|_| Hash::EMPTY);
                let is_linked = whole[at].1.is_some();
                let fault = (sequence, FormatError::BadSubjectPrevious { sequence });
                assert_eq!(in_two(&other, cut).1, is_linked.then_some(fault), "{cut}");
                let mut skipping = whole.clone();
                skipping[at].2.revision += 1;
                let fault = (sequence, FormatError::RevisionGap { sequence });
                assert_eq!(in_two(&skipping, cut).1, Some(fault), "{cut} {at}");
                let mut removed = whole.clone();
                removed[at].0 = "note/other".to_owned();
                let next = whole[at + 1..].iter().position(|one| one.0 == whole[at].0);
                let own = (whole[at].2.revision > 0).then_some(sequence);
                let first = own.or(next.map(|after| sequence + 1 + after as u64));
                let broken = in_two(&removed, cut).1.map(|(sequence, _)| sequence);
                assert_eq!(broken, first, "{cut} {at}");
            }
        }
    }

    #[test]
    fn records_are_taken_from_the_front() {
        let records = linked(3 * SEGMENT_ENTRIES, 1 << 20);
        let root = |written: &Written| Run::of(written, &mut Links::default()).root();
        for cut in [1, 30, SEGMENT_ENTRIES, SEGMENT_ENTRIES + 1] {
            let mut rest = collected(0, &records);
            let first = rest.take(cut);
            assert_eq!(root(&first), expected(&records[..cut]).1, "{cut}");
            let second = rest.take(SEGMENT_ENTRIES);
            let end = cut + SEGMENT_ENTRIES;
            assert_eq!(root(&second), expected(&records[cut..end]).1, "{cut}");
            assert_eq!(rest.len(), records.len() - end, "{cut}");
            let sequences: Vec<u64> = rest.all().map(|place| place.sequence).collect();
            assert_eq!(
                sequences,
                (end as u64..records.len() as u64).collect::<Vec<_>>()
            );
            assert_eq!(rest.take(usize::MAX).len(), records.len() - end, "{cut}");
            assert_eq!(rest.len(), 0, "{cut}");
        }
    }
}
