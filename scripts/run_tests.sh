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
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0

# run_half LOG DOCTEST_OPTION...
run_half() {
  local log=$1 status=0
  shift
  "$build/tests" --no-colors --duration=true "$@" </dev/null >"$log" 2>&1 || status=$?
  echo "$status" >"$log.status"
}

# count_half LOG CASES: says what was said, and adds what passed and failed. CASES are those of the other half, which
# doctest counts as passed.
count_half() {
  local half_passed half_failed
  cat "$1"
  # [doctest] test cases:  12 |  11 passed | 1 failed | 3 skipped
  half_passed=$(sed -n 's/^\[doctest\] test cases:.*| *\([0-9]*\) passed.*/\1/p' "$1" | tail -n 1)
  half_failed=$(sed -n 's/^\[doctest\] test cases:.*| *\([0-9]*\) failed.*/\1/p' "$1" | tail -n 1)
  # A crash, an end without a summary, or a sanitizer's verdict after it.
  [ "$(cat "$1.status")" -eq 0 ] && [ -n "$half_passed" ] || [ "${half_failed:-0}" -gt 0 ] || half_failed=1
  passed=$((passed + ${half_passed:-$2} - $2)) failed=$((failed + half_failed))
}

# Two halves of the cases at a time: much of most runs on one thread.
cases=$("$build/tests" --no-colors --count "$@" </dev/null 2>/dev/null | sed -n 's/.* current filters: //p' || true)
middle=$((${cases:-0} / 2))
if [ "$middle" -gt 0 ]; then
  run_half "$logs/second" --first=$((middle + 1)) "$@" &
  run_half "$logs/first" --last=$middle "$@"
  wait
  count_half "$logs/first" $((cases - middle))
  count_half "$logs/second" "$middle"
else
  run_half "$logs/first" "$@"
  count_half "$logs/first" 0
fi

# What a script says comes when it has ended, since two run at a time.
run_script() {
  local started=$SECONDS verdict=passed said
  said=$(bash "$1" 2>&1 </dev/null) || verdict=FAILED
  [ -z "$said" ] || said+=$'\n'
  printf '%s%s: %s, %d s\n' "$said" "$verdict" "$1" $((SECONDS - started))
}
export -f run_script
if [ $# -eq 0 ]; then
  find tests -name '*_test.sh' | sort | xargs -P 2 -I{} bash -c 'run_script {}' | tee "$logs/scripts"
  passed=$((passed + $(grep -c '^passed: tests/' "$logs/scripts" || true)))
  failed=$((failed + $(grep -c '^FAILED: tests/' "$logs/scripts" || true)))
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
