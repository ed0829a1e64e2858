//! Between rows and types, the same for both databases. Not SQL: that is each store's own.

use std::sync::Arc;

use probity_schemas::hash::Hash;
use probity_schemas::subject::Tenant;
use probity_schemas::time::Time;
use probity_schemas::tree::CompactRange;

use super::{
    Append, Head, IdempotencyRow, KeptAttachment, KeptCosignature, KeptTimestamp, LogNumber,
    PersonToken, SealedDisclosure, StoreError, StoredRecord, SubjectEntry,
};

/// Columns of a log's row: log, tenant, size, root, range, bytes, epoch, checkpoint.
pub(super) type HeadRow = (LogNumber, String, i64, Vec<u8>, Vec<u8>, i64, i64, String);

/// Columns of an idempotency row: key, fingerprint, first, count, time, reply.
pub(super) type KeyRow = (String, Vec<u8>, i64, i64, i64, String);

/// Columns of a cosignature: origin, size, witness, bytes, checkpoint, line.
pub(super) type CosignatureRow = (String, i64, String, i64, String, String);

/// A cosignature.
pub(super) fn cosignature(row: CosignatureRow) -> Result<KeptCosignature, StoreError> {
    let (origin, size, witness, bytes, checkpoint, line) = row;
    Ok(KeptCosignature {
        origin,
        size: unsigned(size)?,
        witness,
        bytes: unsigned(bytes)?,
        checkpoint,
        line,
    })
}

/// Columns of a time-stamp: origin, size, time, checkpoint, reply.
pub(super) type TimestampRow = (String, i64, i64, String, Vec<u8>);

/// A time-stamp.
pub(super) fn timestamp(row: TimestampRow) -> Result<KeptTimestamp, StoreError> {
    let (origin, size, time, checkpoint, reply) = row;
    Ok(KeptTimestamp {
        origin,
        size: unsigned(size)?,
        time: Time::from_micros(time),
        checkpoint,
        reply,
    })
}

/// Columns of an attachment: name, size, upload.
pub(super) type KeptRow = (String, i64, Option<i64>);

/// An attachment.
pub(super) fn kept(log: LogNumber, row: KeptRow) -> Result<KeptAttachment, StoreError> {
    let (blake3, size, upload) = row;
    Ok(KeptAttachment {
        log,
        blake3,
        bytes: unsigned(size)?,
        upload,
    })
}

/// Columns of the newest record of a subject: subject, revision, sequence, leaf.
pub(super) type SubjectRow = (String, i64, i64, Vec<u8>);

/// The newest record of a subject.
pub(super) fn subject(row: SubjectRow) -> Result<SubjectEntry, StoreError> {
    let (subject, revision, sequence, leaf) = row;
    Ok(SubjectEntry {
        subject,
        revision: unsigned(revision)?,
        sequence: unsigned(sequence)?,
        leaf: hash(&leaf)?,
    })
}

/// A number as databases keep it.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::TooLarge { number })
}

/// A number as it was kept.
pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| corrupt("a number below zero"))
}

/// A hash as it was kept.
pub(super) fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes
        .try_into()
        .map(Hash)
        .map_err(|_| corrupt("a hash that is not 32 bytes long"))
}

/// A compact range as it is kept; its size has a column of its own.
pub(super) fn range_bytes(range: &CompactRange) -> Vec<u8> {
    range.hashes().iter().flat_map(|hash| hash.0).collect()
}

/// A log's row.
pub(super) fn head(row: HeadRow) -> Result<Head, StoreError> {
    let (log, tenant, size, root, range, bytes, epoch, checkpoint) = row;
    let hashes = range.chunks(32).map(hash).collect::<Result<_, _>>()?;
    let range = CompactRange::from_parts(unsigned(size)?, hashes)
        .map_err(|error| corrupt(&format!("log {log}: {error}")))?;
    if range.root() != hash(&root)? {
        return Err(corrupt(&format!(
            "log {log}: a root that is not its range's"
        )));
    }
    Ok(Head {
        log,
        tenant: Tenant::parse(&tenant).map_err(|error| corrupt(&format!("log {log}: {error}")))?,
        range,
        bytes: unsigned(bytes)?,
        epoch,
        checkpoint,
    })
}

/// A record's row.
pub(super) fn record(sequence: i64, leaf: &[u8], line: &[u8]) -> Result<StoredRecord, StoreError> {
    Ok(StoredRecord {
        sequence: unsigned(sequence)?,
        leaf: hash(leaf)?,
        line: Arc::from(line),
    })
}

/// An idempotency row.
pub(super) fn key(row: KeyRow) -> Result<IdempotencyRow, StoreError> {
    let (key, fingerprint, first, count, time_micros, reply) = row;
    Ok(IdempotencyRow {
        key,
        fingerprint: hash(&fingerprint)?.0,
        first: unsigned(first)?,
        count: unsigned(count)?,
        time_micros,
        reply,
    })
}

/// Puts answers where they were asked for: `found` pairs a place with what was found there.
pub(super) fn placed<T>(
    places: usize,
    found: impl IntoIterator<Item = Result<(i64, T), StoreError>>,
) -> Result<Vec<Option<T>>, StoreError> {
    let mut answers: Vec<Option<T>> = std::iter::repeat_with(|| None).take(places).collect();
    for answer in found {
        let (place, value) = answer?;
        let slot = usize::try_from(place)
            .ok()
            .and_then(|place| answers.get_mut(place));
        *slot.ok_or_else(|| corrupt("an answer to a question that was not asked"))? = Some(value);
    }
    Ok(answers)
}

/// Refuses an append that contradicts itself or holds a number no database keeps: the last look before it is durable.
pub(super) fn check(append: &Append) -> Result<(), StoreError> {
    let (before, after) = (&append.expected, &append.next);
    let lines: u64 = append
        .records
        .iter()
        .map(|record| record.line.len() as u64 + 1)
        .sum();
    if (before.log, before.epoch, &before.tenant) != (after.log, after.epoch, &after.tenant) {
        return Err(StoreError::BadAppend {
            what: "its rows are of two logs or epochs",
        });
    }
    if before.range.size() + append.records.len() as u64 != after.range.size() {
        return Err(StoreError::BadAppend {
            what: "its records are not the ones between its sizes",
        });
    }
    if before.bytes + lines != after.bytes {
        return Err(StoreError::BadAppend {
            what: "its lines are not the bytes between its rows",
        });
    }
    let revisions = append.records.iter().map(|record| record.revision);
    let keys = append
        .idempotency
        .iter()
        .flat_map(|row| [row.first, row.count]);
    let named = append.named.iter().map(|attachment| attachment.bytes);
    let numbers = [after.range.size(), after.bytes]
        .into_iter()
        .chain(named)
        .chain(revisions)
        .chain(keys);
    numbers.map(signed).try_for_each(|number| number.map(drop))
}

/// Columns of a sealed disclosure: sequence, place, person, sealed.
pub(super) type DisclosureRow = (i64, i64, Vec<u8>, Vec<u8>);

/// A sealed disclosure.
pub(super) fn disclosure(row: DisclosureRow) -> Result<SealedDisclosure, StoreError> {
    let (sequence, place, person, sealed) = row;
    Ok(SealedDisclosure {
        sequence: unsigned(sequence)?,
        place: u32::try_from(place).map_err(|_| corrupt("a place out of range"))?,
        person: self::person(person)?,
        sealed,
    })
}

/// What stands for a person.
pub(super) fn person(bytes: Vec<u8>) -> Result<PersonToken, StoreError> {
    let token = bytes.try_into();
    token.map_err(|_| corrupt("a person's token that is not 16 bytes long"))
}

/// A store that holds what this program never wrote.
pub(super) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
    }
}
