#!/usr/bin/env bash
# The generated tables are what generate.py writes, and every table has the checksum that its README states.
set -euo pipefail
datasets=$(cd "$(dirname "$0")/../../datasets" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 "$datasets/generate.py" "$folder"
for table in and or xor parity friedman; do
  cmp "$folder/$table.csv" "$datasets/$table.csv"
done

cd "$datasets"
grep -oE '[0-9a-f]{64}  [a-z_]+\.csv' README.md >"$folder/checksums"
sha256sum --check --quiet --strict "$folder/checksums"
[ "$(wc -l <"$folder/checksums")" -eq "$(ls ./*.csv | wc -l)" ] || { echo "a table without a checksum" >&2; exit 1; }

# Facts that the README states: rows, columns with the label, classes or different numbers.
while read -r file rows columns classes; do
  awk -F, -v file="$file" -v rows="$rows" -v columns="$columns" -v classes="$classes" '
    NF != columns { print file ": line " NR " has " NF " columns"; exit_code = 1 }
    NR > 1 { seen[$NF] = 1 }
    END {
      if (NR - 1 != rows) { print file ": " NR - 1 " rows"; exit_code = 1 }
      if (length(seen) != classes) { print file ": " length(seen) " classes"; exit_code = 1 }
      exit exit_code
    }' "$file" >&2
done <<'TABLES'
and.csv 1000 3 2
or.csv 1000 3 2
xor.csv 1000 3 2
parity.csv 1000 5 2
iris.csv 150 5 3
breast_cancer.csv 569 31 2
digits.csv 1797 65 10
diabetes.csv 442 11 214
friedman.csv 500 11 422
TABLES
