#!/usr/bin/env bash
# run_tests.sh counts what a test program reports, and never calls a crash or an empty run a success.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# expect SUMMARY EXIT_CODE BODY: a test program with this body gives this last line and exit code.
expect() {
  local code=0 out
  printf '#!/bin/sh\n%s\n' "$3" >"$folder/tests" && chmod +x "$folder/tests"
  out=$(scripts/run_tests.sh "$folder" -tc=filter 2>/dev/null) || code=$?
  [ "${out##*$'\n'}" = "$1" ] && [ "$code" -eq "$2" ] || {
    echo "run_tests.sh ended with '${out##*$'\n'}' and $code, not '$1' and $2, for: $3" >&2
    exit 1
  }
}
line='[doctest] test cases:'
expect '12 passed, 0 failed' 0 "echo '$line 12 |  12 passed | 0 failed | 3 skipped'"
expect '11 passed, 1 failed' 1 "echo '$line 12 |  11 passed | 1 failed | 3 skipped'; exit 1"
expect '12 passed, 1 failed' 1 "echo '$line 12 |  12 passed | 0 failed |'; exit 66"
expect '0 passed, 1 failed' 1 'kill -9 $$'
expect '0 passed, 0 failed' 1 "echo '$line 0 | 0 passed | 0 failed | 9 skipped'"

# In halves, each of which has to end as it should.
count='[doctest] unskipped test cases passing the current filters: 5'
halves() { echo "case \"\$*\" in *--count*) echo '$count' ;; *--last=2\ *) $1 ;; *--first=3\ *) $2 ;; *) exit 7 ;; esac"; }
good="echo '$line 5 | 5 passed | 0 failed |'"
expect '5 passed, 0 failed' 0 "$(halves "$good" "$good")"
expect '2 passed, 1 failed' 1 "$(halves "$good" 'exit 0')"
expect '3 passed, 1 failed' 1 "$(halves 'kill -9 $$' "$good")"
expect '4 passed, 1 failed' 1 "$(halves "$good" "echo '$line 5 | 4 passed | 1 failed |'; exit 1")"
