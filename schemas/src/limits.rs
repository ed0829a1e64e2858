//! Every bound of the format, by name, with the relations between them proved at compile time. Not the limits
//! of a server (queues, rates, time): those belong to the crates that enforce them.

/// Bytes of one record line, without its line feed: a C2SP entry bundle has a 16-bit length.
pub const RECORD_BYTES_MAX: usize = 65_535;

/// Objects and arrays nested in one another, in a record or in foreign JSON.
pub const JSON_DEPTH_MAX: usize = 64;

/// Bytes of a foreign JSON text that may be canonicalised.
pub const FOREIGN_JSON_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Largest integer in JSON that every reader keeps exactly: 2^53 − 1.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Significant digits of the shortest decimal form of any double.
pub const NUMBER_DIGITS_MAX: usize = 17;

/// Digits of a sequence number in a record, padded with zeros so that it sorts as text.
pub const SEQUENCE_DIGITS: usize = 16;

/// Records of one log: what its sequence digits can count.
pub const LOG_RECORDS_MAX: u64 = 10_u64.pow(16);

/// Leaves of a tree whose proofs this format can carry.
pub const TREE_SIZE_MAX: u64 = 1 << 63;

/// Runs of one seal: one for each binary digit of the number of seals.
pub const SEALED_RUNS_MAX: usize = 64;

/// Hashes of an inclusion or consistency proof.
pub const PROOF_HASHES_MAX: usize = 63;

/// Bytes of a signed note.
pub const NOTE_BYTES_MAX: usize = 1_000_000;

/// Signatures of a note that are read; C2SP asks for at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 64;

/// Bytes of a request that asks a witness for its cosignature: a proof, and a note with some signatures.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// Bytes of a tlog-policy file.
pub const TRUST_POLICY_BYTES_MAX: usize = 256 * 1024;

/// Logs of a tlog-policy file; C2SP asks for at least 32, and so for witnesses and groups.
pub const TRUST_LOGS_MAX: usize = 64;

/// Witnesses of a tlog-policy file.
pub const TRUST_WITNESSES_MAX: usize = 64;

/// Groups of a tlog-policy file.
pub const TRUST_GROUPS_MAX: usize = 64;

/// Bytes of a key name or origin.
pub const NAME_BYTES_MAX: usize = 255;

/// Bytes of a tenant: one letter or digit, then up to 62 of `a-z 0-9 . _ -`.
pub const TENANT_BYTES_MAX: usize = 63;

/// Bytes of a subject or an actor.
pub const SUBJECT_BYTES_MAX: usize = 1024;

/// Bytes of a label: a surface, a correlation or causation id, a `traceparent`.
pub const LABEL_BYTES_MAX: usize = 1024;

/// Bytes of a report's body with its producer's signature and all that is signed: what is left is the record's other
/// attributes.
pub const SIGNED_REPORT_BYTES_MAX: usize = 56 * 1024;

/// Bytes of a version or a time in an envelope, and of its signature as text.
pub const ENVELOPE_TEXT_BYTES_MAX: usize = 256;

/// Bytes of the facts of one decision.
pub const FACTS_BYTES_MAX: usize = 32 * 1024;

/// Lines of one batch of observations.
pub const BATCH_LINES_MAX: usize = 10_000;

/// Bytes of one batch of observations.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of an attachment that comes with the request whose record names it.
pub const ATTACHMENT_INLINE_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of any attachment: what a plain tar header can say, halved.
pub const ATTACHMENT_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// Attachments that one record names.
pub const RECORD_ATTACHMENTS_MAX: usize = 16;

/// Bytes of a media type.
pub const MEDIA_TYPE_BYTES_MAX: usize = 255;

/// Attachments that one erasure names.
pub const ERASED_ATTACHMENTS_MAX: usize = 256;

/// Bytes of a disclosure as text; a line of `disclosures.jsonl` adds less than [`DISCLOSURE_LINE_BYTES_MAX`] allows.
pub const DISCLOSURE_BYTES_MAX: usize = 96 * 1024;

/// Bytes of a line of `disclosures.jsonl`, without its line feed.
pub const DISCLOSURE_LINE_BYTES_MAX: usize = DISCLOSURE_BYTES_MAX + 64;

/// Characters of a disclosure's salt: 128 bits as base64url.
pub const DISCLOSURE_SALT_CHARACTERS_MIN: usize = 22;

/// Personal values of one body.
pub const POINTERS_MAX: usize = 256;

/// Bytes of a pointer to a personal value.
pub const POINTER_BYTES_MAX: usize = 1024;

/// Bytes of a line of `proofs.jsonl`: two entries of a run, each with a path of 63 hashes.
pub const PROOF_LINE_BYTES_MAX: usize = 16 * 1024;

/// Bytes of `bundle.json`.
pub const MANIFEST_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an RFC 3161 time-stamp token.
pub const TIMESTAMP_BYTES_MAX: usize = 64 * 1024;

/// Bytes of the JSON Schema of one event type.
pub const SCHEMA_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of the path of a bundle's member: what a plain tar header holds.
pub const MEMBER_PATH_BYTES_MAX: usize = 100;

const _: () = assert!(RECORD_BYTES_MAX == u16::MAX as usize);
const _: () = assert!(FACTS_BYTES_MAX < RECORD_BYTES_MAX);
const _: () = assert!(RECORD_BYTES_MAX < ATTACHMENT_INLINE_BYTES_MAX);
const _: () = assert!(
    ATTACHMENT_INLINE_BYTES_MAX <= BATCH_BYTES_MAX && BATCH_BYTES_MAX <= FOREIGN_JSON_BYTES_MAX
);
const _: () = assert!(ATTACHMENT_BYTES_MAX < 8 * 1024 * 1024 * 1024);
// A reference takes its media type and less than 160 bytes.
const _: () = assert!(RECORD_ATTACHMENTS_MAX * (MEDIA_TYPE_BYTES_MAX + 160) < RECORD_BYTES_MAX / 2);
const _: () = assert!(SIGNED_REPORT_BYTES_MAX + 6 * LABEL_BYTES_MAX < RECORD_BYTES_MAX);
const _: () =
    assert!(LOG_RECORDS_MAX <= TREE_SIZE_MAX && TREE_SIZE_MAX.ilog2() as usize == PROOF_HASHES_MAX);
const _: () = assert!(LOG_RECORDS_MAX.ilog10() as usize == SEQUENCE_DIGITS);
// A run takes at most 160 bytes of a record; what else the record has takes less than half of it.
const _: () = assert!(SEALED_RUNS_MAX * 160 < RECORD_BYTES_MAX / 2);
const _: () = assert!(NOTE_SIGNATURES_MAX >= 16);
// Whatever fits into a record as a value fits into a disclosure, with a salt and a name.
const _: () = assert!((RECORD_BYTES_MAX + POINTER_BYTES_MAX + 64) * 4 / 3 < DISCLOSURE_BYTES_MAX);
// A digest takes 46 bytes: all of them fit into a record.
const _: () = assert!(POINTERS_MAX * 64 < RECORD_BYTES_MAX);
const _: () = assert!(TENANT_BYTES_MAX < NAME_BYTES_MAX);
const _: () = assert!(ADD_CHECKPOINT_BYTES_MAX > PROOF_HASHES_MAX * 45 + 16 * 1024);
