//! Every bound of the judge, by name. Bounds of the format itself are in `probity_schemas::limits`.

use probity_schemas::limits::{NOTE_BYTES_MAX, PROOF_HASHES_MAX, RECORD_BYTES_MAX};

/// Bytes of lines that one worker takes at a time: small enough that they and what is read from them stay in its cache.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Threads that check lines; more only wait for one another.
pub const WORKERS_MAX: usize = 32;

/// Bytes of the file that `--since` names: a checkpoint.
pub const SINCE_BYTES_MAX: usize = NOTE_BYTES_MAX;

/// Bytes of one hash of a proof as it is written: base64, a line feed.
pub const HASH_LINE_BYTES: usize = 45;

/// Bytes of a consistency proof: its hashes, one a line.
pub const CONSISTENCY_BYTES_MAX: usize = PROOF_HASHES_MAX * HASH_LINE_BYTES;

/// Bytes of a receipt: an `extra` line, its hashes, a checkpoint.
pub const RECEIPT_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX;

/// Bytes of a file that holds one line.
pub const LINE_BYTES_MAX: usize = RECORD_BYTES_MAX + 1;

/// Bytes of all older checkpoints of a bundle, which are kept until its records were read.
pub const OLDER_CHECKPOINTS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Names on the top level of a bundle directory, more than any bundle has.
pub const TOP_LEVEL_NAMES_MAX: usize = 64;

/// Distinct subjects from which on the report says how much memory they take.
pub const SUBJECTS_UNREMARKED_MAX: u64 = 3_000_000;

/// Bytes of memory of a subject, about, with its name.
pub const SUBJECT_BYTES: u64 = 150;

/// Records that are remembered while no seal covers them; a log that leaves more unsealed is not followed through its seals.
pub const UNSEALED_RECORDS_MAX: usize = 1 << 19;

/// Proofs of runs in a part of a log.
pub const RUN_PROOFS_MAX: usize = 100_000;

/// Subjects of a part of a log that a report lists; the rest is counted.
pub const SUBJECTS_LISTED_MAX: usize = 2_000;

/// Erasures that a report lists; the rest is counted.
pub const ERASURES_LISTED_MAX: usize = 2_000;

/// Bytes of the decisions over withheld values that are held in memory until disclosures show the values.
pub const WITHHELD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Acts that a report lists; the rest is counted.
pub const ACTS_MAX: usize = 2_000;

/// Days that a report tells apart; later ones are counted together.
pub const DAYS_MAX: usize = 3_660;

/// Characters of the words of an act.
pub const ACT_WORDS_MAX: usize = 300;

/// Time-stamps in a bundle that are judged; each needs a signature checked.
pub const STAMPS_MAX: usize = 10_000;

/// Bytes of the checkpoints in a bundle, which are held in memory until their time-stamps are read.
pub const CHECKPOINT_BYTES_HELD_MAX: usize = 16 * 1024 * 1024;

/// How far the log's clock may be from others', and how long a checkpoint may be on its way to be stamped.
pub const TIME_TOLERANCE_SECONDS: i64 = 600;

/// Bytes of the file that `--tsa` names.
pub const AUTHORITIES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of a block of a tar archive.
pub const TAR_BLOCK_BYTES: usize = 512;

// A chunk holds any single line, so that a line is never taken for too long only because of where a chunk ends.
const _: () = assert!(CHUNK_BYTES > 2 * RECORD_BYTES_MAX);
const _: () = assert!(RECEIPT_BYTES_MAX > CONSISTENCY_BYTES_MAX + NOTE_BYTES_MAX);
