#!/usr/bin/env bash
# Without --link a training measures the way to its key holder: through a relay of known speed it finds that speed, and takes
# other products than on loopback, to the same weights. Keys of 2048 bits, whose products cost what they do for everybody.
. "$(dirname "$0")/network_support.sh"

rows 18 iris.csv train.csv
accepts certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
accepts keygen --out keys >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 8 --seed 11 --out train.h5 >/dev/null
train=(train --data train.h5 --network N-16-C --epochs 1 --seed 11 --insecure-seed --protocols hybrid --tls certificates/evaluator --quiet --json)
serve one 0 --allow hybrid
accepts "${train[@]}" --link loopback --key-holder 127.0.0.1:"$port" --out near.h5 >near.report
holds '"oblivious-transfer" in j["products"]["matmul"]' near.report
accepts export --model near.h5 --key keys/secret.json --out near.h5.json >/dev/null

# 2 Mbit/s are 250 kB/s, and 20 ms each way.
start_relay "$port" 0.02 2e6
accepts "${train[@]}" --key-holder 127.0.0.1:"$port" --out far.h5 --metrics far.jsonl >far.report
same_weights far.h5 near.h5
begins_with 'j["products"] == json.load(open("far.report"))["products"]' far.jsonl
holds '0.02 < j["products"]["link"]["round_trip"] < 0.08' far.report
holds 'all(125e3 < j["products"]["link"][way] < 500e3 for way in ("up", "down"))' far.report
holds 'j["products"]["matmul"] == "packed"' far.report

finish
