# Sourced by the tests of the program: a directory of their own, and checks that print only what fails.
#   SMLP names the program. Each test ends with `finish`.
set -uo pipefail
smlp=$(realpath "${SMLP:?SMLP must name the program}")
datasets=$(realpath datasets)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  failures=$((failures + 1))
}

finish() { [ "$failures" -eq 0 ]; }

# Names and contents of all files of the directory.
snapshot() { (cd "$dir" && find . \( -type f -exec sha256sum {} + \) -o -print | sort); }

# refuses CODE PATTERN WORD...: the program exits with CODE, says nothing on standard output and one line that has PATTERN
# (grep -E) on standard error, and leaves no file behind. Notes of a run that had begun may stand before that line.
refuses() {
  local code=$1 pattern=$2 before status=0
  shift 2
  before=$(snapshot)
  "$smlp" "$@" >/tmp/smlp-out.$$ 2>/tmp/smlp-err.$$ </dev/null || status=$?
  [ "$status" -eq "$code" ] || fail "exit code $status, not $code: smlp $*: $(cat /tmp/smlp-err.$$)"
  [ ! -s /tmp/smlp-out.$$ ] || fail "says on standard output: smlp $*: $(head -n 3 /tmp/smlp-out.$$)"
  [ "$(grep -vc '^smlp: note: ' /tmp/smlp-err.$$)" -eq 1 ] || fail "not one line: smlp $*: $(cat /tmp/smlp-err.$$)"
  grep -qE "^smlp: .*$pattern" /tmp/smlp-err.$$ || fail "no '$pattern': smlp $*: $(cat /tmp/smlp-err.$$)"
  [ "$before" = "$(snapshot)" ] || fail "left or changed a file: smlp $*: $(diff <(echo "$before") <(snapshot))"
  rm -f /tmp/smlp-out.$$ /tmp/smlp-err.$$
}

# accepts WORD...: the program exits with 0; its standard output comes out.
accepts() {
  "$smlp" "$@" 2>"$dir/.err" </dev/null || fail "exit code $?: smlp $*: $(cat "$dir/.err")"
  rm -f "$dir/.err"
}

# holds PYTHON-EXPRESSION FILE: true of the JSON in the file, as `j`.
holds() {
  python3 -c 'import json, sys
j = json.load(open(sys.argv[2]))
sys.exit(0 if eval(sys.argv[1]) else 1)' "$1" "$2" || fail "does not hold: $1: $(head -c 2000 "$2")"
}

# rows COUNT FROM TO: the header of a data set and every COUNT-th row.
rows() { awk -v n="$1" 'NR == 1 || NR % n == 0' "$datasets/$2" >"$dir/$3"; }
