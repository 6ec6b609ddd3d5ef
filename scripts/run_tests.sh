#!/usr/bin/env bash
# Runs the doctest binary and the test scripts of a build; the last line is "N passed, M failed".
#   scripts/run_tests.sh BUILD_DIR [DOCTEST_OPTION...]
# With options (a filter) the scripts tests/**/*_test.sh are left out; without, two of them run at a time. A script
# passes when it exits 0; it runs in the repository root with SMLP (the program) and CXX (the compiler) in its
# environment.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:?usage: $0 BUILD_DIR [DOCTEST_OPTION...]}
shift
# Threads that wait between small loops would spin, and slow each other down on a busy machine.
export OMP_WAIT_POLICY=passive
export SMLP=$build/smlp CXX=${CXX:-g++}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

status=0
"$build/tests" --no-colors --duration=true "$@" </dev/null 2>&1 | tee "$log" || status=$?
# [doctest] test cases:  12 |  11 passed | 1 failed | 3 skipped
passed=$(sed -n 's/^\[doctest\] test cases:.*| *\([0-9]*\) passed.*/\1/p' "$log" | tail -n 1)
failed=$(sed -n 's/^\[doctest\] test cases:.*| *\([0-9]*\) failed.*/\1/p' "$log" | tail -n 1)
passed=${passed:-0} failed=${failed:-0}
# A crash, or a sanitizer's verdict after the summary.
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1

# What a script says comes when it has ended, since two run at a time.
run_script() {
  local started=$SECONDS verdict=passed said
  said=$(bash "$1" 2>&1 </dev/null) || verdict=FAILED
  [ -z "$said" ] || said+=$'\n'
  printf '%s%s: %s, %d s\n' "$said" "$verdict" "$1" $((SECONDS - started))
}
export -f run_script
if [ $# -eq 0 ]; then
  find tests -name '*_test.sh' | sort | xargs -P 2 -I{} bash -c 'run_script {}' | tee "$log"
  passed=$((passed + $(grep -c '^passed: tests/' "$log" || true)))
  failed=$((failed + $(grep -c '^FAILED: tests/' "$log" || true)))
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
