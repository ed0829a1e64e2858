//! Runs of sealed subjects: what an entry is, and how runs follow one another.
//!
//! A run is a tree over sorted entries, so that it proves both that a subject is in it and that one is not. Runs merge
//! like the digits of a binary counter: each seal adds a run of length 1, and as long as the two newest are equally long
//! they become one. So a log of any size has at most 64 of them. Not here: where the entries come from.

use crate::event::seal::SealedRun;
use crate::hash::{Hash, leaf_hash};
use std::fmt::Write as _;

/// Bytes of the longest revision and the hash of an entry, with a space before each.
const NUMBER_AND_HASH_BYTES: usize = 1 + 20 + 1 + 64;

/// The leaf of a run's tree: the leaf hash of `subject SP revision SP leaf`, the newest record of the subject in the run.
///
/// No character of a subject is below the space, so entries sort as their subjects do.
#[must_use]
pub fn entry_hash(subject: &str, revision: u64, leaf: &Hash) -> Hash {
    let mut entry = String::with_capacity(subject.len() + NUMBER_AND_HASH_BYTES);
    entry.push_str(subject);
    // Writing to a string cannot fail.
    let _ = write!(entry, " {revision} ");
    leaf.write_base64(&mut entry);
    leaf_hash(entry.as_bytes())
}

/// What a seal does to the runs before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many of them stay, from the oldest on; the others become part of the new one.
    pub kept: usize,
    /// The first record of the new run.
    pub first: u64,
    /// Its length.
    pub length: u64,
}

/// How the runs go on that cover the first `size` records.
#[must_use]
pub fn step(runs: &[SealedRun], size: u64) -> Step {
    let mut step = Step {
        kept: runs.len(),
        first: size,
        length: 1,
    };
    for run in runs.iter().rev() {
        if run.length != step.length {
            break;
        }
        step = Step {
            kept: step.kept - 1,
            first: run.first,
            length: step.length.saturating_mul(2),
        };
    }
    step
}

#[cfg(test)]
mod tests {
    use super::{Step, step};
    use crate::event::seal::SealedRun;
    use crate::hash::Hash;

    #[test]
    fn runs_merge_as_a_binary_counter_does() {
        let mut runs: Vec<SealedRun> = Vec::new();
        for seals in 1..=200_u64 {
            let Step {
                kept,
                first,
                length,
            } = step(&runs, (seals - 1) * 10);
            runs.truncate(kept);
            runs.push(SealedRun {
                count: 1,
                first,
                length,
                root: Hash::EMPTY,
            });
            assert_eq!(runs.len(), seals.count_ones() as usize, "{seals}");
            assert_eq!(runs.iter().map(|run| run.length).sum::<u64>(), seals);
            let mut next = 0;
            for run in &runs {
                assert_eq!(run.first, next, "{seals}");
                next += run.length * 10;
            }
        }
    }
}
