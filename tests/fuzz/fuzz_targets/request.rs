//! The promises of `probity_fuzz::request`, put to libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| probity_fuzz::request(data));
