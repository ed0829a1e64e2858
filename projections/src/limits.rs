//! Every bound of the read side, by name, with the relations between them proved at compile time.

use std::time::Duration;

/// Records that are decoded, folded and written at once.
pub const BATCH_RECORDS_MAX: u32 = 5_000;

/// Bytes of the lines of such a batch.
pub const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long a follower sleeps when nobody in this process wakes it: other nodes append too.
pub const POLL: Duration = Duration::from_millis(200);

/// How long a follower lets commits gather before it follows them, unless somebody waits: each pass costs a transaction a view, however few records it is of.
pub const GATHER: Duration = Duration::from_millis(25);

/// How long a follower rests after its database failed.
pub const REST: Duration = Duration::from_secs(1);

/// How long it takes an asker who waits for a rebuild to look again.
pub const REBUILD_POLL: Duration = Duration::from_millis(20);

/// Bytes of a text in an indexed column; a longer one is cut and ends in its hash. PostgreSQL refuses an index entry
/// above 2,704 bytes, and a refused row would stop its view for good.
pub const INDEXED_TEXT_BYTES_MAX: usize = 512;

/// Texts in one index, the tenant apart.
pub const INDEXED_TEXTS_MAX: usize = 3;

/// Rows of one statement on SQLite.
pub const STATEMENT_ROWS_MAX: usize = 128;

/// Values of one statement on SQLite (its own limit is 32,766).
pub const STATEMENT_VALUES_MAX: usize = 32_766;

/// Columns of a view.
pub const COLUMNS_MAX: usize = 64;

/// Rows of a page, and of a step of a digest.
pub const PAGE_ROWS_MAX: u32 = 1_000;

/// Rows that SQLite's thread hands over before it waits for their reader: a page.
pub const ROWS_AT_ONCE: usize = 512;

/// Connections that read views at once.
pub const READERS_MAX: u32 = 8;

const _: () = assert!(STATEMENT_ROWS_MAX.is_power_of_two());
const _: () = assert!(STATEMENT_ROWS_MAX * (COLUMNS_MAX + 1) <= STATEMENT_VALUES_MAX);
const _: () = assert!(INDEXED_TEXTS_MAX * INDEXED_TEXT_BYTES_MAX + 256 < 2_704);
