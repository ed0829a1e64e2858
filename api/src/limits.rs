//! Every bound of the edge, by name, units last. What the format itself bounds is in `probity_schemas::limits`.

use probity_ledger::limits::UPLOAD_HOURS_MAX;
use probity_schemas::limits::{ATTACHMENT_BYTES_MAX, BATCH_BYTES_MAX, RECORD_BYTES_MAX};

/// Bytes of a request's body, unless configured otherwise.
pub const BODY_BYTES_MAX: usize = BATCH_BYTES_MAX;

/// Bytes of the body of a native request that is not a batch.
pub const SMALL_BODY_BYTES_MAX: usize = RECORD_BYTES_MAX;

/// Bytes of a request's head, unless configured otherwise.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;

/// The least that the head may be limited to: ordinary clients and proxies send that much.
pub const HEADER_BYTES_MIN: usize = 8 * 1024;

/// Seconds in which a request's head must have arrived.
pub const HEADER_SECONDS_MAX: u64 = 10;

/// Seconds until a request is answered, unless configured otherwise. A stream's time ends with its head.
pub const REQUEST_SECONDS_MAX: u64 = 30;

/// Seconds that an upload may take, all pieces together.
pub const UPLOAD_SECONDS_MAX: u64 = 3_600;

/// Bytes of one uploaded attachment, unless configured otherwise.
pub const UPLOAD_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of all uploaded attachments of one log, unless configured otherwise.
pub const UPLOAD_QUOTA_BYTES: u64 = 1024 * 1024 * 1024;

/// Seconds that requests under way get at a stop.
pub const STOP_SECONDS_MAX: u64 = 30;

/// Seconds in which another node must take a connection.
pub const NODE_CONNECT_SECONDS_MAX: u64 = 2;

/// Seconds in which a witness that we run answers.
pub const WITNESS_SECONDS_MAX: u64 = 5;

/// Seconds in which a witness or a time-stamp authority that we ask must answer.
pub const COURIER_SECONDS_MAX: u64 = 5;

/// Bytes of such an answer: a few signature lines, or a token with its certificates.
pub const COURIER_ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Seconds in which the server of a person who approves must answer.
pub const APPROVE_SECONDS_MAX: u64 = 30;

/// Bytes of such an answer: one record, or a checkpoint with its signatures.
pub const APPROVE_ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Requests that a witness looks at at once.
pub const WITNESS_REQUESTS_MAX: usize = 64;

/// Pieces of evidence that a witness keeps.
pub const EVIDENCE_MAX: usize = 1_000;

/// Commands that wait for one log's writer, unless configured otherwise.
pub const QUEUE_COMMANDS_MAX: usize = 4_096;

/// Bytes of a request id that is taken over from a caller.
pub const REQUEST_ID_BYTES_MAX: usize = 128;

/// Bytes of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Records of one page that a stream of records reads.
pub const PAGE_RECORDS_MAX: u32 = 1_000;

/// Bytes of one page that a stream of records reads.
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// Rows of one page of a view.
pub const PAGE_ROWS_MAX: u32 = 500;

/// Rows of one page of a view, unless asked otherwise.
pub const PAGE_ROWS_DEFAULT: u32 = 50;

/// Receipts that one write may ask for.
pub const RECEIPTS_MAX: u64 = 100;

/// Milliseconds between two looks for records of other nodes.
pub const FOLLOW_POLL_MILLIS: u64 = 200;

/// Milliseconds that a read waits for the position it was asked for, or for what is committed.
pub const POSITION_WAIT_MILLIS: u64 = 2_000;

/// Seconds between two times that measurements are folded.
pub const METRICS_UPKEEP_SECONDS: u64 = 5;

/// Bytes of a bundle on their way to a client.
pub const BUNDLE_CHUNK_BYTES: usize = 64 * 1024;

// An upload that is given up here is not yet taken for one that a crash left behind.
const _: () = assert!(UPLOAD_SECONDS_MAX < UPLOAD_HOURS_MAX.cast_unsigned() * 3600);
const _: () =
    assert!(UPLOAD_BYTES_MAX <= ATTACHMENT_BYTES_MAX && UPLOAD_BYTES_MAX <= UPLOAD_QUOTA_BYTES);
const _: () = assert!(HEADER_BYTES_MIN <= HEADER_BYTES_MAX);
const _: () = assert!(SMALL_BODY_BYTES_MAX <= BODY_BYTES_MAX);
const _: () = assert!(PAGE_ROWS_DEFAULT <= PAGE_ROWS_MAX);
const _: () = assert!(POSITION_WAIT_MILLIS < REQUEST_SECONDS_MAX * 1_000);
