//! The promises of `probity_fuzz::report`, put to libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| probity_fuzz::report(data));
