#!/usr/bin/env bash
# Every experiment of the project runs, in its small version, and is drawn; all files are sound in their full version too.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "experiments_test.sh: $1" >&2; exit 1; }

scripts/reproduce.py --list --store "$dir/store" >"$dir/list"
[ "$(wc -l <"$dir/list")" -eq "$(find bench/experiments -name '*.toml' | wc -l)" ] || fail "lists $(<"$dir/list")"
scripts/reproduce.py --quick --out "$dir/out" --store "$dir/store" 2>"$dir/err" || fail "$(tail -n 3 "$dir/err")"
for file in bench/experiments/*.toml; do
  name=$(basename "$file" .toml)
  grep -q "^<!-- experiment $name -->\$" "$dir/out/README.md" || fail "no section of $name"
  for figure in $(sed -n '/^\[\[figures\]\]/,$s/^name = "\(.*\)"/\1/p' "$file"); do
    [ -s "$dir/out/$name-$figure.svg" ] && [ "$(wc -l <"$dir/out/$name-$figure.csv")" -gt 1 ] || fail "no figure $figure of $name"
  done
done
# Every registered protocol is measured.
"$SMLP" protocols --json >"$dir/protocols.json"
python3 - "$dir" <<'PYTHON'
import csv, json, sys
folder = sys.argv[1]
for family, file in {"comparison": "protocols-comparison-time", "selection": "protocols-selection-time",
                     "activation": "protocols-activation-time", "truncation": "protocols-truncation-time",
                     "matmul": "products-time"}.items():
    registered = {p["name"] for p in json.load(open(f"{folder}/protocols.json"))["protocols"] if p["family"] == family}
    measured = {row["protocol"] for row in csv.DictReader(open(f"{folder}/out/{file}.csv"))}
    assert registered == measured, (family, registered, measured)
# A table that does not fit its numbers is a point too.
assert {row["diverged"] for row in csv.DictReader(open(f"{folder}/out/precision-accuracy.csv"))} == {"True", "False"}
# The link between the parties is felt: 40 ms in each of the rounds of an epoch.
(measured,) = (row for row in csv.DictReader(open(f"{folder}/out/network-round-trip-time.csv")) if row["points"] == "measured")
assert float(measured["measured"]) > 10 * 0.04, measured
PYTHON
