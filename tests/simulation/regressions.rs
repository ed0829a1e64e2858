//! Seeds that once found something, and what: played first, always.
//!
//! A seed means the same run only as long as the simulation draws in the same order, so what each found has a test of its own where it
//! was mended; here it costs nothing to keep looking.

/// Seed, and what it found.
pub(crate) const REGRESSIONS: &[(u64, &str)] = &[];
