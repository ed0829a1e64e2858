//! Seeds that once found something, and what: played first, always.
//!
//! A seed means the same run only as long as the simulation draws in the same order, so what each found has a test of its own where it
//! was mended, as far as one can be written; here it costs nothing to keep looking.

/// Seed, and what it found.
pub(crate) const REGRESSIONS: &[(u64, &str)] = &[
    (
        21,
        "a clock that had leapt was believed once its log was taken again",
    ),
    (
        23,
        "a lookup failed between two records of one command, and the first stayed on the tip",
    ),
    (
        324,
        "a guard ahead of a row that was read before another node went on was an alarm",
    ),
    (
        573,
        "a batch was there, could not be looked for, and was said not to be recorded",
    ),
    (
        4316,
        "a late snapshot had the time of its writer, and the records after it went back in time",
    ),
    (
        14228,
        "a first key could not be read, and a retry with the same key and body was a mismatch",
    ),
    (
        16948,
        "a writer that was not the newest any more repeated an answer with a checkpoint that did not cover its records",
    ),
    (
        19317,
        "a writer that was not the newest any more refused a request for a case that the newest had made, instead of having it sent again",
    ),
];
