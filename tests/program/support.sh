# Sourced by the tests of the program: a directory of their own, and checks that print only what fails.
#   SMLP names the program. Each test ends with `finish`.
set -uo pipefail
smlp=$(realpath "${SMLP:?SMLP must name the program}")
datasets=$(realpath datasets)
dir=$(mktemp -d)
said=$(mktemp -d)
trap 'rm -rf "$dir" "$said"' EXIT
failures=0

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  failures=$((failures + 1))
}

finish() { [ "$failures" -eq 0 ]; }

# Names and contents of all files of the directory.
snapshot() { (cd "$dir" && find . \( -type f -exec sha256sum {} + \) -o -print | sort); }

# refuses CODE PATTERN WORD...: the program exits with CODE, says nothing on standard output and one line that has PATTERN
# (grep -E) on standard error, and leaves no file behind. Notes and warnings of a run that had begun may stand before that line.
refuses() {
  local code=$1 pattern=$2 before status=0
  shift 2
  before=$(snapshot)
  "$smlp" "$@" >"$said/out" 2>"$said/err" </dev/null || status=$?
  [ "$status" -eq "$code" ] || fail "exit code $status, not $code: smlp $*: $(cat "$said/err")"
  [ ! -s "$said/out" ] || fail "says on standard output: smlp $*: $(head -n 3 "$said/out")"
  [ "$(grep -vcE '^smlp: (note|warning): ' "$said/err")" -eq 1 ] || fail "not one line: smlp $*: $(cat "$said/err")"
  grep -qE "^smlp: .*$pattern" "$said/err" || fail "no '$pattern': smlp $*: $(cat "$said/err")"
  [ $# -eq 0 ] || options_exist "$1"
  [ "$before" = "$(snapshot)" ] || fail "left or changed a file: smlp $*: $(diff <(echo "$before") <(snapshot))"
}

# options_exist COMMAND: every option that the refusal names is one of the command, of another that it names ("smlp serve --allow"),
# or of encrypt where it speaks of encrypting. What stands in quotes is the user's.
options_exist() {
  local sentence commands option command known
  sentence=$(grep -vE '^smlp: (note|warning): ' "$said/err" | sed "s/'[^']*'//g")
  commands="$1 $(grep -oE 'smlp [a-z]+' <<<"${sentence#smlp: }" | sed 's/smlp //')"
  [[ $sentence == *encrypt* ]] && commands+=" encrypt"
  for option in $(grep -oE -- '(^|[ (])--[a-z][a-z-]*' <<<"$sentence" | tr -d ' ('); do
    [ "$option" != --help ] || continue  # of every command, and of none
    known=0
    for command in $commands; do
      [ -f "$said/help.$command" ] || "$smlp" "$command" --help >"$said/help.$command" 2>/dev/null </dev/null
      grep -qE -- "^  $option( |$)" "$said/help.$command" && known=1
    done
    [ $known -eq 1 ] || fail "smlp $1 names $option, which it does not have: $sentence"
  done
}

# accepts WORD...: the program exits with 0; its standard output comes out.
accepts() {
  "$smlp" "$@" 2>"$said/err" </dev/null || fail "exit code $?: smlp $*: $(cat "$said/err")"
}

# holds PYTHON-EXPRESSION FILE: true of the JSON in the file, as `j`.
holds() {
  python3 -c 'import json, sys
j = json.load(open(sys.argv[2]))
sys.exit(0 if eval(sys.argv[1]) else 1)' "$1" "$2" || fail "does not hold: $1: $(head -c 2000 "$2")"
}

# begins_with PYTHON-EXPRESSION FILE.jsonl: true of each line of metrics that a start or a resumption wrote, as `j`; there is one.
begins_with() {
  python3 -c 'import json, sys
heads = [j for j in map(json.loads, open(sys.argv[2])) if "command" in j]
sys.exit(0 if heads and all(eval(sys.argv[1]) for j in heads) else 1)' "$1" "$2" || fail "does not hold: $1: $(grep '^{"command"' "$2" | head -c 2000)"
}

# toy_keys: from here on the program takes the keys of `keygen --insecure-key`, wherever it takes keys from a file; $program is
# what it is without.
toy_keys() {
  program=$smlp
  smlp=$said/smlp
  cat >"$smlp" <<SCRIPT
#!/bin/sh
case \$1 in
  encrypt | serve | train | predict | release | decrypt | export) exec "$program" "\$@" --insecure-key ;;
  *) exec "$program" "\$@" ;;
esac
SCRIPT
  chmod 700 "$smlp"
}

# own_clock SETTING...: `clock` becomes the words before a program whose clock is its own (libfaketime, as the environment
# settings say), never the machine's. Time since start (CLOCK_MONOTONIC) does not jump on any machine.
own_clock() {
  local library
  library=$(find /usr/lib /usr/lib64 -name 'libfaketimeMT.so.1' 2>/dev/null | head -n 1)
  [ -n "$library" ] || { fail 'libfaketime is missing: scripts/install_dependencies.sh --tests installs it'; finish; exit; }
  clock=(env LD_PRELOAD="$library" FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_XRESET=1 "$@")
}

# rows COUNT FROM TO: the header of a data set and every COUNT-th row.
rows() { awk -v n="$1" 'NR == 1 || NR % n == 0' "$datasets/$2" >"$dir/$3"; }

# outputs_match MODEL.json PROFILE QUERIES.csv ANSWERS.csv: the exported model gives the decrypted outputs, in doubles (to the
# carries of the fixed-point numbers). Queries have features alone.
outputs_match() {
  python3 - "$@" <<'PYTHON' || fail "the exported model $1 does not give the outputs $4"
import csv, json, sys
model, profile = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
kinds = {"relu": lambda z: max(z, 0), "leaky-relu": lambda z: max(z, z / 8), "linear": lambda z: z,
         "hard-tanh": lambda z: min(max(z, -1), 1), "hard-sigmoid": lambda z: min(max(z / 4 + 0.5, 0), 1)}
queries, answers = (list(csv.reader(open(path)))[1:] for path in sys.argv[3:5])
assert len(queries) == len(answers) > 0
for query, answer in zip(queries, answers):
    values = [(float(v) - o) * f for v, o, f in zip(query, profile["offset"], profile["factor"])]
    for layer in model["layers"]:
        values = [kinds[layer["kind"]](sum(v * w for v, w in zip(values, column)) + b)
                  for column, b in zip(zip(*layer["weights"]), layer["biases"])]
    assert all(abs(v - float(a)) < 0.02 for v, a in zip(values, answer[2:])), (values, answer)
PYTHON
}
