//! Every bound of the append path, by name. The format's own bounds are in `probity_schemas::limits`.

use probity_schemas::limits::ATTACHMENT_BYTES_MAX;

/// Subjects that are read at once where those with one beginning are looked for: what follows the last of them is read in vain.
pub const STREAMS_A_PAGE: u32 = 64;

/// Aliases that are looked up in one question to the store, about: those of the last request may be above.
pub const ALIASES_A_QUESTION_MAX: usize = 512;

/// Records one batch of one log holds at most; one all-or-nothing command may exceed it.
pub const BATCH_RECORDS_MAX: usize = 512;

/// Bytes of lines one batch of one log holds at most; one all-or-nothing command may exceed it.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// Commands one batch holds at most.
pub const BATCH_COMMANDS_MAX: usize = 512;

/// Commands that wait for a log's writer, unless configured otherwise; one more is refused.
pub const QUEUE_COMMANDS_MAX: usize = 4096;

/// What a client whose command did not fit the queue is told to wait.
pub const QUEUE_RETRY_SECONDS: u32 = 1;

/// Records for which the writer remembers what it touched; lookups older than that are made again.
pub const RECENT_RECORDS_MAX: u64 = 16_384;

/// Records between two snapshots of the state.
pub const SNAPSHOT_RECORDS: u64 = 50_000;

/// Records read at once when state is folded from the log.
pub const REPLAY_RECORDS: u32 = 5_000;

/// Bytes read at once when state is folded from the log, or a bundle is written.
pub const REPLAY_BYTES: usize = 8 * 1024 * 1024;

/// Records of one case: more would mean that a case never ends.
pub const CASE_RECORDS_MAX: u32 = 10_000;

/// How long an idempotency key is remembered.
pub const IDEMPOTENCY_DAYS: i64 = 7;

/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// A clock that is this far behind the last record stops appends.
pub const CLOCK_BEHIND_SECONDS_MAX: i64 = 10;

/// A clock that is this far ahead of the monotonic one stops the writer.
pub const CLOCK_AHEAD_SECONDS_MAX: i64 = 60;

/// How long a node's lease holds.
pub const LEASE_SECONDS: u32 = 10;

/// How long before its end a node stops relying on its lease.
pub const LEASE_MARGIN_SECONDS: u32 = 3;

/// How often a node renews its lease, and the guard is written.
pub const HEARTBEAT_SECONDS: u64 = 1;

/// How long a witness that did not answer is left alone, but for exports.
pub const WITNESS_SILENCE_SECONDS: u64 = 30;

/// Cosignatures that are looked through for what each witness cosigned last.
pub const WITNESS_ROWS_MAX: u32 = 256;

/// How often it is looked whether a log is due to be stamped with the time.
pub const STAMP_LOOK_SECONDS: u64 = 60;

/// Time-stamps read at once for a bundle.
pub const STAMPS_A_PAGE: u32 = 100;

/// Records after which a log's subjects are sealed.
pub const SEAL_RECORDS: u64 = 65_536;

/// How long a record waits for its seal in a log that is seldom written.
pub const SEAL_DELAY_SECONDS_MAX: i64 = 24 * 3600;

/// How often it is looked whether a log is to be sealed.
pub const SEAL_LOOK_SECONDS: u64 = 5;

/// Records of a run whose entries are sorted in memory, about 150 bytes each; those of a longer one come sorted from the
/// index of subjects.
pub const RUN_RECORDS_IN_MEMORY_MAX: u64 = 4 * SEAL_RECORDS;

/// Subjects of a run that are read at once.
pub const RUN_SUBJECTS_A_PAGE: u32 = 10_000;

/// Erased persons read at once.
pub const ERASED_A_PAGE: u32 = 10_000;

/// Disclosures read at once.
pub const DISCLOSURES_A_PAGE: u32 = 1_000;

/// Tiles kept from one proof to the next, 8 KiB each.
pub const TILES_KEPT_MAX: usize = 512;

/// Roots of tiles of leaves kept from one receipt to the next, over all logs; about 100 bytes each.
pub const TILE_ROOTS_KEPT_MAX: usize = 32_768;

/// Revisions of the log's own stream that are read at once when its newest seal is looked for.
pub const SEAL_SEARCH_RECORDS: u32 = 32;

/// Hashes of a full tile.
pub const TILE_HASHES: u64 = 256;

/// Tiles of one level that are written at once.
pub const TILES_A_ROUND: u64 = 64;

/// How often at most tiles are written in one heartbeat of a log: with the two above, 262,144 records a second.
pub const TILE_ROUNDS_A_BEAT: u64 = 16;

/// Attachments a command brings at most.
pub const COMMAND_ATTACHMENTS_MAX: usize = 16;

/// Attachments uploaded before that the records of one command name.
pub const COMMAND_NAMED_ATTACHMENTS_MAX: usize = 1_000;

/// Bytes of a part of an uploaded attachment; an upload or a download needs a few of them in memory.
pub const ATTACHMENT_PART_BYTES: usize = 256 * 1024;

/// How long an attachment that no record names is kept.
pub const ATTACHMENT_ORPHAN_HOURS: i64 = 24;

/// How long an upload may take before whoever began it is thought to be gone.
pub const UPLOAD_HOURS_MAX: i64 = 2;

/// Uploads that one node takes in at once.
pub const UPLOADS_MAX: usize = 16;

const _: () = assert!(UPLOAD_HOURS_MAX < ATTACHMENT_ORPHAN_HOURS);
// Parts are numbered by 32 bits.
const _: () =
    assert!(ATTACHMENT_BYTES_MAX.div_ceil(ATTACHMENT_PART_BYTES as u64) < i32::MAX as u64);
const _: () = assert!(LEASE_MARGIN_SECONDS + 2 * (HEARTBEAT_SECONDS as u32) < LEASE_SECONDS);
const _: () = assert!((BATCH_RECORDS_MAX as u64) < RECENT_RECORDS_MAX);
const _: () = assert!(RECENT_RECORDS_MAX < SNAPSHOT_RECORDS);
