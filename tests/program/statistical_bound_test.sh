#!/usr/bin/env bash
# The bound of a whole run: refused where it is passed, added up by --resume, and what chooses sigma by it. Toy keys.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
rows 12 iris.csv train.csv
rows 20 iris.csv queries.csv
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts keygen --bits 1024 --insecure-key --out owner >/dev/null
toy_keys
encrypt=(encrypt --key keys/public.json --batch 4)
train=(train --network N-2-C --secret-key keys/secret.json --quiet)

# A small sigma needs a word.
accepts "${encrypt[@]}" --data train.csv --sigma 40 --out narrow.h5 >/dev/null
passed='comes to a distance of 2\^-[0-9.]* from a view that shows nothing, allowed is 2\^-40'
refuses 1 "this training $passed; encrypt the table with a --sigma above 40" "${train[@]}" --data narrow.h5 --epochs 1 --out model.h5
accepts "${train[@]}" --data narrow.h5 --epochs 1 --out model.h5 --statistical-bound 30 --json >one.json
holds '-37 < j["statistical_bits"] < -30' one.json
accepts "${train[@]}" --data narrow.h5 --epochs 2 --out model.h5 --resume --statistical-bound 30 --json >two.json
accepts "${train[@]}" --data narrow.h5 --epochs 2 --out model.h5 --resume >/dev/null  # nothing is left to show
refuses 1 "this training, with what it has shown already, $passed; model.h5 is good as it is, after 2 epochs; end there or with fewer --epochs, or allow" \
  "${train[@]}" --data narrow.h5 --epochs 3 --out model.h5 --resume
accepts inspect model.h5 --json >model.json
python3 - <<'PYTHON' || fail 'a resumed training does not add up'
import json, math, sys
one, two, shown = (json.load(open(name + ".json")) for name in ("one", "two", "model"))
masks = shown["shown"]["masks"]
ok = abs(two["statistical_bits"] - one["statistical_bits"] - 0.5) < 0.01  # twice as much
ok = ok and abs(two["statistical_bits"] - (math.log2(1.09) + math.log2(masks) / 2 - 40)) < 0.01
sys.exit(not ok)
PYTHON
accepts "${encrypt[@]}" --data queries.csv --profile narrow.h5.profile.json --sigma 40 --out queries.h5 >/dev/null
predict=(predict --model model.h5 --data queries.h5 --secret-key keys/secret.json --out answers.h5 --quiet)
refuses 1 "this classification, with the training of the model, $passed; train on a table that is encrypted with a --sigma above 40, or" "${predict[@]}"
accepts "${predict[@]}" --statistical-bound 30 >/dev/null
release=(release --model model.h5 --user-key owner/public.json --secret-key keys/secret.json --out released.h5 --quiet)
refuses 1 "this hand-over, with the training of the model, $passed" "${release[@]}"
accepts "${release[@]}" --statistical-bound 30 >/dev/null

# Sigma by the run.
refuses 2 'needs to know what the table is for: give --network' "${encrypt[@]}" --data train.csv --statistical-bound 40 --out x.h5
refuses 2 'exclude each other' "${encrypt[@]}" --data train.csv --statistical-bound 40 --sigma 50 --network N-2-C --out x.h5
refuses 2 'with --statistical-bound alone' "${encrypt[@]}" --data train.csv --network N-2-C --out x.h5
refuses 2 'allowed are 1 to 100' "${train[@]}" --data narrow.h5 --out x.h5 --statistical-bound 101
accepts "${encrypt[@]}" --data train.csv --statistical-bound 40 --network N-2-C --epochs 2 --out wide.h5 >/dev/null
accepts inspect wide.h5 --json >wide.json
holds '45 <= j["sigma"] <= 52' wide.json
accepts "${train[@]}" --data wide.h5 --epochs 2 --out wide-model.h5 >summary.txt
grep -q 'for the whole run, a distance of at most 2^-4[0-9.]* from a view that shows nothing' summary.txt || fail "$(cat summary.txt)"
plan=(plan --network 4-2-3 --rows 12 --batch 4 --bits 1024 --insecure-key)
accepts "${plan[@]}" --statistical-bound 50 --json >plan.json
holds 'j["sigma"] > 50 and -51.1 < j["statistical_bits"] <= -50' plan.json
holds 'j["options"]["sigma"] is None and j["options"]["statistical-bound"] == 50' plan.json  # exclude each other on a repeat
accepts "${plan[@]}" --protocols paper --json >plan.json
holds 'j["statistical_bits"] is None' plan.json
accepts "${plan[@]}" --protocols paper >plan.txt
grep -q 'no bound on the distance from a view that shows nothing holds: .*leaks to the key holder' plan.txt || fail "$(cat plan.txt)"

finish
