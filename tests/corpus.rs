//! Plays again, on every run, what fuzzing started from and what it found: each input of `tests/fuzz/corpus`, and
//! variants of it that are made the same way every time. Looking for new inputs is libFuzzer's work (tests/fuzz).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests"
)]

#[path = "fuzz/src/promises.rs"]
mod promises;

use promises::PROMISES;
use std::path::Path;

/// Variants of each input.
const VARIANTS: u64 = 64;

#[test]
fn every_promise_holds_for_its_corpus_and_for_variants_of_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, promise) in PROMISES {
        let mut inputs = 0;
        for entry in std::fs::read_dir(root.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            println!("{}", path.display());
            promise(&input);
            (1..=VARIANTS).for_each(|seed| promise(&variant(&input, seed)));
            inputs += 1;
        }
        assert!(inputs > 0, "{name} has no corpus");
    }
}

/// The input with a few bytes changed, taken out, doubled, or cut off: xorshift from the seed.
fn variant(input: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 11).unwrap() % below.max(1)
    };
    let mut bytes = input.to_vec();
    for _ in 0..=next(3) {
        let at = next(bytes.len());
        match next(4) {
            _ if bytes.is_empty() => return bytes,
            0 => bytes[at] = b"\"\\{}[],:0\n\x00\xff/-x"[next(15)],
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

#[test]
fn each_promise_has_a_program_for_the_fuzzer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/fuzz_targets");
    let mut programs: Vec<String> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    programs.sort();
    let promises: Vec<String> = PROMISES
        .iter()
        .map(|(name, _)| format!("{name}.rs"))
        .collect();
    assert_eq!(programs, promises);
}
