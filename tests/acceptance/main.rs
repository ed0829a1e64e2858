//! Acceptance: the shipped binaries, used as their users use them. One test binary; each story is a file.
//!
//! `target/release/probity` and `target/release/probity-verify` must have been built (`tests/run` does). PostgreSQL is the server that
//! `PROBITY_TEST_POSTGRES` names; each test makes a database of its own there and drops it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod attachments;
mod cluster;
mod crash;
mod decisions;
mod erasure;
mod evidence;
mod faults;
mod forger;
mod forgotten;
mod fuzzed;
mod harness;
mod insider;
mod judges;
mod load;
mod overload;
mod parts;
mod player;
mod plugin;
mod producers;
mod readme;
mod rebuild;
mod rotation;
mod signed;
mod tenants;
mod tiles;
mod timestamps;
mod witness;
