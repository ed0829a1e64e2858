//! Every bound of the stores, by name. Not the format's (those are in `schemas`), nor the writer's.

/// Records of one log that share a commit with other logs.
pub(super) const TURN_RECORDS_MAX: usize = 512;

/// Bytes of one log that share a commit with other logs.
pub(super) const TURN_BYTES_MAX: usize = 1024 * 1024;

/// Bytes after which a commit takes no further log in.
pub(super) const COMMIT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Appends waiting for the committer; whoever brings another waits in line.
pub(super) const COMMIT_QUEUE_MAX: usize = 1024;

/// Rows of one prepared INSERT.
pub(super) const INSERT_ROWS_MAX: usize = 64;

/// Bytes of write-ahead log after which it is copied back into the database file beside the writer.
pub(super) const WAL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Pages that even the smallest append writes anew: the log's row, the record and the ends of two indexes.
pub(super) const APPEND_PAGES_MIN: usize = 4;

/// Pages of write-ahead log at which the writer itself copies back, should the task beside it not keep up.
pub(super) const WAL_PAGES_MAX: u32 = 16_384;

/// Bytes of one page of the database file.
pub(super) const PAGE_BYTES: u32 = 8192;

/// Pages of a SQLite file that is written anew when attachments were erased: 512 MiB, some seconds.
pub(super) const VACUUM_PAGES_MAX: i64 = 65_536;

/// Connections that read a SQLite file.
pub(super) const READERS_MAX: u32 = 4;

/// Statements one connection keeps prepared.
pub(super) const STATEMENTS_MAX: usize = 512;

/// Seconds to wait for another process that holds the database.
pub(super) const BUSY_SECONDS_MAX: u64 = 5;

/// Idempotency rows forgotten at once.
pub(super) const FORGET_ROWS_MAX: i64 = 10_000;

/// Uploads deleted at once.
pub(super) const SWEEP_UPLOADS_MAX: i64 = 100;

/// Connections to a server that write.
pub(super) const WRITING_CONNECTIONS_MAX: u32 = 12;

/// Connections to a server that read.
pub(super) const READING_CONNECTIONS_MAX: u32 = 8;

/// Seconds to wait for a connection.
pub(super) const ACQUIRE_SECONDS_MAX: u64 = 5;

/// Seconds a connection may have been idle before it is used without a test.
pub(super) const UNTESTED_IDLE_SECONDS_MAX: u64 = 10;

/// Seconds after which the server gives a statement up.
pub(super) const STATEMENT_SECONDS_MAX: u64 = 20;

/// Seconds after which the server is no longer waited for.
pub(super) const ANSWER_SECONDS_MAX: u64 = 30;

// The server gives up first, so that what becomes of a slow append is known.
const _: () = assert!(ACQUIRE_SECONDS_MAX + STATEMENT_SECONDS_MAX < ANSWER_SECONDS_MAX);
const _: () = assert!(WAL_BYTES_MAX < WAL_PAGES_MAX as usize * PAGE_BYTES as usize);
const _: () = assert!(TURN_BYTES_MAX <= COMMIT_BYTES_MAX);
const _: () = assert!(TURN_RECORDS_MAX.is_multiple_of(INSERT_ROWS_MAX));
