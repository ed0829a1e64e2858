//! What libFuzzer calls.

mod promises;

pub use promises::*;
