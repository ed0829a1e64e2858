//! The rules as tables and stories: what is given, what is asked, what is recorded. Every story runs on one harness
//! that proves everything again after each step.

#![expect(clippy::unwrap_used, reason = "tests")]

mod approvals;
mod authority;
mod budgets;
mod conditions;
mod holes;
mod model;
mod modes;
mod posture;
mod reports;
mod risk;
mod runs;
mod sealing;
#[path = "../../../schemas/tests/events/seeds.rs"]
mod seeds;
mod signers;
mod support;
mod tampering;
mod vectors;
mod withheld;
