#!/usr/bin/env bash
# Puts every promise of tests/fuzz to libFuzzer, on the stable toolchain.
#
#   tests/scripts/fuzz.sh [SECONDS]    so long for each target; without it, at most 5,000 runs of each, and a minute for all together
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

programs=(tests/fuzz/fuzz_targets/*.rs)
limits=(-runs=5000 "-max_total_time=$((60 / ${#programs[@]} + 1))")
[ $# -eq 0 ] || limits=("-max_total_time=$1")

# What cargo-fuzz passes, but for the sanitizer, which needs another toolchain.
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters'
coverage+=' -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares'
flags="$coverage --cfg fuzzing -Cdebug-assertions -Coverflow-checks -Ccodegen-units=16"
RUSTFLAGS=$flags cargo build --release --locked --manifest-path tests/fuzz/Cargo.toml --target-dir target/fuzz \
  --target "$(rustc -vV | sed -n 's/^host: //p')"

for program in "${programs[@]}"; do
  name=$(basename "$program" .rs)
  found=target/fuzz/found/$name
  mkdir -p "$found"
  # New inputs go to the first directory; the committed corpus is only read.
  if ! "target/fuzz/$(rustc -vV | sed -n 's/^host: //p')/release/$name" "${limits[@]}" -seed=1 -max_len=65536 -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$found/" "$found" "tests/fuzz/corpus/$name" >"target/fuzz/$name.log" 2>&1; then
    tail -n 30 "target/fuzz/$name.log" >&2
    echo "fuzz: $name: a promise does not hold; the input is in $found" >&2
    exit 1
  fi
  printf '%-12s %s\n' "$name" "$(grep -o 'Done [0-9]* runs.*' "target/fuzz/$name.log")"
done
