//! How property tests are run, in every crate: from a committed seed, so that a run can be repeated, unless the environment asks
//! for another (`PROPTEST_RNG_SEED`) or for more (`PROPTEST_CASES`). docs/RELIABILITY.md has the command for the full count.

use proptest::test_runner::{Config, RngSeed};

/// So many cases from this seed, unless the environment says otherwise.
pub(crate) fn seeded(cases: u32, seed: u64) -> Config {
    let environment = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if asked { environment.cases } else { cases },
        rng_seed: match environment.rng_seed {
            RngSeed::Random => RngSeed::Fixed(seed),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        failure_persistence: None,
        ..environment
    }
}
