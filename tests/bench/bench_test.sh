#!/usr/bin/env bash
# The benchmark programs measure what they say, on toy keys, and their JSON becomes tables.
set -euo pipefail
bench=$(dirname "$SMLP")/bench
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$bench/matmul" --bits 512 --shapes 4x8x4 --most 16 --seconds 1 --threads 1 --json "$dir/matmul.json" 2>/dev/null
"$bench/training" --bits 512 --workloads A --steps 1 --protocols homomorphic,hybrid,hybrid:packed --json "$dir/training.json" 2>/dev/null
"$bench/transfers" --bits 24 --comparisons 200 --rounds 1 --json "$dir/transfers.json" >/dev/null
"$bench/ranks" --bits 1024 --rows 64 --batch 32 --sizes 30,16,2 --ranks 1,2,8 --key-holders 1,8 --json "$dir/ranks.json" >/dev/null
python3 - "$dir" <<'PYTHON'
import json, sys
matmul, training = (json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("matmul", "training"))
packed, oblivious, blinded, standard = matmul["rows"]
# Three values a ciphertext of 128 bytes. Up: 2 x 8 and 8 x 2 of the operands, two in one, 2 x 4 and 4 x 2 of the product; back: the
# last two.
assert packed["bytes"] == (16 / 2 + 16 / 2 + 2 * (8 + 8)) * 128, packed
assert packed["run"] == packed["shape"] == [4, 8, 4]
# 64 elements of 78 bits and 16 cells of 109 bits. Up: ticket, operands, elements and sums sealed, the key, messages, V; back: the
# sealed again, corrections, the product.
sealed = 2 * (89 + 73) + 64 * 10 + 16 * 14
messages = sum((109 - bit + 7) // 8 for bit in range(78)) * 64 * 4
assert oblivious["bytes"] == 32 + 16 * 128 + sealed + 16 + messages + 16 * 14 + sealed + 64 * 78 * 8 + 16 * 128, oblivious
# Both factors and the product of each of 2 x 8 multiplications, then the division of 2 cells.
assert blinded["run"] == [2, 8, 1] and blinded["bytes"] == (3 * 16 + 2 * 2) * 128, blinded
assert standard["variant"] == "standard"
for row in matmul["rows"]:
    assert 0 < row["multiplication"]["min"] <= row["multiplication"]["median"] and row["openssl"]["min"] > 0
row, hybrid, packed = training["rows"]
assert row["rows"] == 1000 and row["steps"] == 25 and row["measured_steps"] == 1 and row["rounds"] == 7, row
assert row["step"]["min"] > 0 and row["bytes_to_key_holder"] > 0
# The products that were chosen, not the wish for the cheapest.
assert row["matmul"] == packed["matmul"] == "packed" and packed["operations"]["gates"] == 9200 and set(hybrid["matmul"].split(",")) <= {"packed", "oblivious-transfer"}, hybrid
# 400 comparisons of 24 bits.
assert hybrid["operations"]["gates"] == 40 * 10 * 23 and row["operations"]["gates"] == 0, hybrid
for each in training["rows"]:
    assert 0 < each["by_count"] and 0.01 < each["once"] and each["operations"]["products mod n^2"] > 0, each
transfers = json.load(open(f"{sys.argv[1]}/transfers.json"))
ranks = {(row["key_holders"], row["ranks"]): row for row in json.load(open(f"{sys.argv[1]}/ranks.json"))["rows"]}
# One rank is predicted as it is simulated, weights that are checked once an epoch aside. Many take no longer with more key holders.
assert 0.8 < ranks[1, 1]["predicted"] / ranks[1, 1]["simulated"] < 1.3 and ranks[8, 2]["simulated"] < ranks[8, 1]["simulated"], ranks
assert ranks[8, 8]["simulated"] < ranks[1, 8]["simulated"] and ranks[1, 8]["limit"] == "key holders", ranks
# 64 bits of corrections for each of 24 bits, two blocks for each of 23 gates; one seed for 256 comparisons.
for row in transfers["rows"]:
    assert row["bytes"] == 24 * 8 + 23 * 32 + 16 / 256 and row["comparison"]["min"] > 0, row
assert {"OpenSSL's AES"} <= {row["unit"] for row in transfers["rows"]} and transfers["base_transfers"]["min"] > 0
PYTHON

tables=$(scripts/performance_tables.py "$dir/matmul.json" "$dir/training.json")
grep -q '^| 4 x 8 x 4 | packed |' <<<"$tables"
grep -q '^| A: AND, 2-10-2, 1000 rows, batch 40 | homomorphic | packed | 56 | 25 (1 run) |' <<<"$tables"
printf '# t\n<!-- matmul -->\nold\n<!-- /matmul -->\nend\n' >"$dir/document.md"
scripts/performance_tables.py --update "$dir/document.md" "$dir/matmul.json"
grep -q '4 x 8 x 4' "$dir/document.md" && ! grep -q old "$dir/document.md" && [ "$(tail -n 1 "$dir/document.md")" = end ]
if "$bench/matmul" --shapes 4x8 2>"$dir/error"; then exit 1; fi
grep -q 'the shape 4x8 is not of the form 128x784x128' "$dir/error"
