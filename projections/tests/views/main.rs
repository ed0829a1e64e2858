//! The read side, told as stories: given these records, the lists show this. Every story that stores rows is told on
//! both databases. PostgreSQL is named by `PROBITY_TEST_POSTGRES`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod accounts;
mod decisions;
mod following;
mod ledgers;
mod log;
mod parking;
mod place;
mod rebuilding;
mod registers;
#[path = "../../../schemas/tests/events/seeds.rs"]
mod seeds;
mod specimens;
mod splitting;
