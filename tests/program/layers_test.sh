#!/usr/bin/env bash
# Kinds of layers and outputs on the command line, along the files, and in what the owner gets. Keys of 1024 bits: toys.
# Seeds: at this rate linear outputs leave their range from some initial weights, and large weights make much of a carry.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
rows 6 iris.csv train.csv
cut -d, -f1-4 train.csv >queries.csv
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 18 --seed 1 --out train.h5 >/dev/null
accepts encrypt --key keys/public.json --data queries.csv --seed 1 --profile train.h5.profile.json --out queries.h5 >/dev/null
train=(train --data train.h5 --learning-rate 1 --seed 1 --insecure-seed --secret-key keys/secret.json --quiet)

# outputs LOW HIGH MODEL NETWORK OPTION...: trains, classifies, and finds the exported model's outputs, in that range.
outputs() {
  local low=$1 high=$2 model=$3 network=$4
  shift 4
  accepts "${train[@]}" --epochs 1 --network "$network" "$@" --out "$model.h5" >/dev/null
  accepts predict --model "$model.h5" --data queries.h5 --secret-key keys/secret.json --seed 1 --insecure-seed --out "$model.answers.h5" --quiet >/dev/null
  accepts decrypt --key keys/secret.json --in "$model.answers.h5" --profile train.h5.profile.json --out "$model.csv" >/dev/null
  accepts export --model "$model.h5" --key keys/secret.json --out "$model.json" >/dev/null
  outputs_match "$model.json" train.h5.profile.json queries.csv "$model.csv"
  python3 -c 'import csv, sys
values = [float(v) for row in list(csv.reader(open(sys.argv[1])))[1:] for v in row[2:]]
assert float(sys.argv[2]) <= min(values) < max(values) <= float(sys.argv[3]), (min(values), max(values))' \
    "$model.csv" "$low" "$high" || fail "outputs of $model are not in their range"
}
outputs 0 1 usual N-3-C
outputs 0 1 tanh N-4:hard-tanh-3:leaky-relu-C
outputs -inf inf linear N-3:hard-sigmoid-C:linear
outputs -inf inf paper N-3-C --protocols paper
accepts inspect --json usual.h5 >inspect.json
holds 'j["network"] == "4-3-3" and j["layers"] == ["relu", "hard-sigmoid"]' inspect.json
accepts inspect --json tanh.h5 >inspect.json
holds 'j["layers"] == ["hard-tanh", "leaky-relu", "hard-sigmoid"]' inspect.json
accepts inspect --json paper.h5 >inspect.json
holds 'j["layers"] == ["relu", "linear"]' inspect.json
accepts inspect --json linear.answers.h5 >inspect.json
holds 'j["output"] == "linear"' inspect.json

# A training goes on with the kinds that it began with.
accepts "${train[@]}" --network N-3-C --epochs 2 --resume --out usual.h5 >/dev/null
refuses 1 'has the network 4-3-3, not 4-3:hard-tanh-3' "${train[@]}" --network N-3:hard-tanh-C --epochs 3 --resume --out usual.h5
refuses 1 'has the network 4-3-3, not 4-3-3:linear' "${train[@]}" --network N-3-C --output linear --epochs 3 --resume --out usual.h5

# A run has them too, and says which.
accepts run --data train.csv --bits 1024 --insecure-key --network N-3:leaky-relu-C --output linear --epochs 1 --seed 1 --json --quiet >run.json
holds 'j["network"] == "4-3-3" and j["layers"] == ["leaky-relu", "linear"] and j["weights_equal_twin"] and j["answers_equal_twin"]' run.json

refuses 1 "there is no hidden layer 'sine'; there is relu, leaky-relu, hard-tanh, hard-sigmoid" run --data train.csv --network N-3:sine-C
refuses 1 "there is no output 'relu'; there is hard-sigmoid, linear" run --data train.csv --output relu
refuses 2 'network 4-3-3:linear and --output hard-sigmoid name different outputs' \
  run --data train.csv --network N-3-C:linear --output hard-sigmoid

# A plan takes the sizes of a table.
accepts plan --data train.csv --network N-3-C --json >plan.json
holds 'j["network"] == "4-3-3" and j["rows"]["train"] == 25 and j["layers"] == ["relu", "hard-sigmoid"]' plan.json
accepts plan --data train.csv --label sepal_length --task regression --json >plan.json
holds 'j["network"] == "6-64-1" and j["layers"] == ["relu", "linear"] and j["task"] == "regression"' plan.json
# Presets over links: the way there is added to what is computed.
accepts plan --network 8-4-2 --rows 64 --link 100Mbit/40ms --bits 1024 --insecure-key --json >plan.json
python3 - <<'PYTHON' || fail 'plan does not add the link'
import json
j = json.load(open("plan.json"))
def way(epoch, bits, delay):
    return 8 * (epoch["bytes"]["to_key_holder"] + epoch["bytes"]["to_evaluator"]) / bits + delay * epoch["rounds"]
assert abs(j["epoch_over_link"] - j["epoch"]["seconds"] - way(j["epoch"], 100e6, 0.04)) < 1e-6, j
for preset in j["presets"].values():  # with the bytes of the products that are cheapest over each link
    there = preset["over_links"]["1Gbit/1ms"]
    assert preset["links"]["1Gbit/1ms"] == there["seconds"], preset
    computed = there["seconds"] - way(there, 1e9, 0.001)
    assert computed > 0 and (there["matmul"] != preset["matmul"] or abs(computed - preset["seconds"]) < 1e-6), preset
assert list(j["presets"]) == ["homomorphic", "hybrid", "paper"]
PYTHON
# Bytes over each link are of what is chosen for it, and not of the plan's own link.
for link in 10kbit/1ms 100Mbit/40ms; do
  accepts plan --network 4-16-3 --rows 8 --batch 8 --epochs 1 --protocols hybrid --link $link --json >${link%%/*}.json
done
python3 - <<'PYTHON' || fail 'the bytes of presets are not those of their links'
import json
slow, fast = (json.load(open(name + ".json")) for name in ("10kbit", "100Mbit"))
assert slow["presets"]["hybrid"]["matmul"] == slow["protocols"]["matmul"] == "packed"
quick = slow["presets"]["hybrid"]["over_links"]["10Gbit/100us"]
assert "oblivious-transfer" in quick["matmul"] and quick["bytes"]["to_key_holder"] > 2 * slow["epoch"]["bytes"]["to_key_holder"], quick
there = slow["presets"]["hybrid"]["over_links"]["100Mbit/40ms"]
assert there["matmul"] == fast["protocols"]["matmul"] and there["bytes"] == fast["epoch"]["bytes"] and there["rounds"] == fast["epoch"]["rounds"]
PYTHON
# What hybrid would take over the same link, where the plan is of other protocols.
for protocols in homomorphic paper; do
  accepts plan --network 8-4-2 --rows 64 --protocols $protocols --link 1kbit/1ms --bits 1024 --insecure-key >plan.txt
  grep -qE '^over 1 kbit/s, 1 ms an epoch will take about .* and .*B; with --protocols hybrid [0-9:]+ (min|h) and .*B \(' plan.txt || fail "no word on hybrid: $(cat plan.txt)"
done
accepts plan --network 8-4-2 --rows 64 --protocols hybrid --link 1kbit/1ms --bits 1024 --insecure-key >plan.txt
grep -q 'with --protocols hybrid' plan.txt && fail "a plan of hybrid names hybrid: $(cat plan.txt)"
accepts plan --network 8-4-2 --rows 64 --protocols hybrid --link 10kbit/1ms --bits 1024 --insecure-key --json >plan.json
holds 'j["protocols"]["matmul"] == "packed"' plan.json
accepts plan --network 8-4-2 --rows 64 --link 100Mbit/40ms --matmul packed,oblivious-transfer --bits 1024 --insecure-key --json >plan.json
holds 'j["protocols"]["matmul"] == "packed,oblivious-transfer"' plan.json
refuses 1 "matmul names 2 products, the network 8-4-4-2 has 3 layers: name one for all, or one for each" plan --network 8-4-4-2 --matmul packed,oblivious-transfer
refuses 1 "a link is 'fast', allowed are loopback and BANDWIDTH/RTT" plan --network 8-4-2 --link fast
refuses 2 'plan needs --network with sizes in numbers, or --data' plan
refuses 1 "the layer size 'N'" plan --network N-3-C

# What the outputs cost is planned.
for output in linear hard-sigmoid; do
  accepts plan --network 30-16-2 --rows 64 --output $output --json >$output.json
done
python3 - <<'PYTHON' || fail 'plan does not know the cost of outputs'
import json
linear, sigmoid = (json.load(open(name + ".json")) for name in ("linear", "hard-sigmoid"))
assert linear["layers"] == ["relu", "linear"] and sigmoid["layers"] == ["relu", "hard-sigmoid"]
# Two comparisons an output, for 64 rows of two outputs, beside 64 rows of 16 hidden neurons (and the checks of weights).
a, b = (x["epoch"]["operations"]["zero_tests"] for x in (linear, sigmoid))
assert 0.24 < (b - a) / a < 0.26, (a, b)
PYTHON
finish
