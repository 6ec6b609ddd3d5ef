#!/usr/bin/env bash
# Runs the fuzzers of a build; the last line is "N passed, M failed".
#   scripts/fuzz.sh BUILD_DIR/fuzz [NAME...]
# Each takes FUZZ_RUNS inputs (500), the same in every run, or goes on for FUZZ_SECONDS and keeps what it finds in
# BUILD_DIR/fuzz/corpus/NAME. Inputs that once failed lie in tests/fuzz/corpus/NAME, and the input of a failure in
# BUILD_DIR/fuzz/NAME-*.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:?usage: $0 BUILD_DIR/fuzz [NAME...]}
shift
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls -- *_fuzz.cpp | sed 's/_fuzz\.cpp$//')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch OMP_NUM_THREADS=1 LSAN_OPTIONS=print_suppressions=0
"$folder/seeds" "$scratch/seeds"

passed=0 failed=0
for name in "$@"; do
  limits=(-runs="${FUZZ_RUNS:-500}" -seed=1)
  found=$scratch/found
  if [ -n "${FUZZ_SECONDS:-}" ]; then
    limits=(-max_total_time="$FUZZ_SECONDS")
    found=$folder/corpus/$name
  fi
  corpora=("$scratch/seeds/$name")
  [ ! -d "tests/fuzz/corpus/$name" ] || corpora+=("tests/fuzz/corpus/$name")
  rm -rf "$scratch/found" && mkdir -p "$found"
  started=$SECONDS
  if "$folder/$name" "${limits[@]}" -timeout=20 -rss_limit_mb=1024 -malloc_limit_mb=256 -max_len=65536 -len_control=0 -verbosity=0 \
    -artifact_prefix="$folder/$name-" "$found" "${corpora[@]}" >"$scratch/log" 2>&1; then
    passed=$((passed + 1))
    echo "passed: $name, $((SECONDS - started)) s"
  else
    failed=$((failed + 1))
    tail -n 60 "$scratch/log"
    echo "FAILED: $name"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
