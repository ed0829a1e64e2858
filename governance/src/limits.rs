//! Every bound of the rules, by name. The bounds of the format itself are in `probity_schemas::limits`.

use probity_schemas::limits::{FACTS_BYTES_MAX, RECORD_BYTES_MAX};

/// Decisions that wait for a person, are approved and unused, or were denied a short while ago, at once.
pub const OPEN_CASES_MAX: usize = 100_000;

/// Cases that one `ExpireDue` records; what is left waits for the next.
pub const EXPIRED_PER_CALL_MAX: usize = 1_000;

/// Bytes of the body of one `decision.made`, so that its record's other attributes have room.
pub const DECISION_BYTES_MAX: usize = 56 * 1024;

/// Bytes of the matched policies that one decision lists; the strongest come first.
pub const MATCHED_BYTES_MAX: usize = 16 * 1024;

/// Bytes of one policy, as JSON.
pub const POLICY_BYTES_MAX: usize = 12 * 1024;

/// Bytes of a policy's explanation.
pub const EXPLANATION_BYTES_MAX: usize = 2 * 1024;

/// Bytes of a setting's name or value.
pub const SETTING_BYTES_MAX: usize = 4 * 1024;

/// Bytes of a justification, a note or a reason.
pub const NOTE_BYTES_MAX: usize = 4 * 1024;

/// Keys of actors in force at once.
pub const KEYS_MAX: usize = 10_000;

/// Keys that a log's signer has, one after the other.
pub const SIGNERS_MAX: usize = 1_000;

/// Bytes of a key's label or version.
pub const LABEL_BYTES_MAX: usize = 255;

/// Seconds that a decision may wait for a person, or a grant may hold: 30 days.
pub const WINDOW_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;

/// Seconds by which a producer's clock may be allowed to differ from the ledger's.
pub const SKEW_SECONDS_MAX: u32 = 60 * 60;

/// Steps granted when the request names no number.
pub const STEPS_DEFAULT: u32 = 100;

const _: () =
    assert!(FACTS_BYTES_MAX < DECISION_BYTES_MAX && DECISION_BYTES_MAX < RECORD_BYTES_MAX);
const _: () = assert!(SKEW_SECONDS_MAX < WINDOW_SECONDS_MAX);
const _: () = assert!(POLICY_BYTES_MAX < MATCHED_BYTES_MAX);
const _: () = assert!(EXPLANATION_BYTES_MAX < POLICY_BYTES_MAX);
