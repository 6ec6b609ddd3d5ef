#!/usr/bin/env bash
# Trainings that leave their range end with a sentence that says where and what to try, and keep the last good checkpoint.
# Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"

cd "$dir" || exit 1
"$smlp" keygen --bits 1024 --insecure-key --out keys >/dev/null 2>&1 || fail 'no keys'
key=(--secret-key keys/secret.json --quiet --insecure-key)
located='a value left its range, as the .* in step [0-9]+ shows: lower --learning-rate, or encrypt the table anew'

# Features that were not scaled, and a rate that is too high.
awk 'BEGIN { print "a,b,c,label"; for (i = 1; i <= 48; i++) printf "%d,%d,%d,%s\n", 200 + i * 53 % 260, 100 + i * 97 % 300,
  120 + i * 31 % 250, i % 2 ? "lo" : "hi" }' >unscaled.csv
rows 2 iris.csv iris.csv
accepts encrypt --insecure-key --key keys/public.json --data unscaled.csv --scaling none --batch 16 --seed 7 --out unscaled.h5 >/dev/null
accepts encrypt --insecure-key --key keys/public.json --data iris.csv --batch 16 --seed 7 --out iris.h5 >/dev/null
refuses 1 "$located" train --data unscaled.h5 --network N-4-C --epochs 3 --out unscaled_model.h5 --insecure-seed --seed 5 "${key[@]}"
refuses 1 "$located" train --data iris.h5 --network N-4-C --output linear --epochs 3 --learning-rate 5 --out iris_model.h5 --insecure-seed --seed 5 "${key[@]}"

# The checkpoint of the last good epoch outlives a later one that leaves the range.
accepts encrypt --insecure-key --key keys/public.json --data iris.csv --batch 16 --seed 7 --out ordered.h5 >/dev/null
diverging=(train --data ordered.h5 --network N-4-C --output linear --epochs 8 --learning-rate 0.2 --momentum 0.95 --insecure-seed --seed 5)
"$smlp" "${diverging[@]}" --out model.h5 "${key[@]}" 2>error.txt && fail 'a training that diverges ends well'
grep -qE "a value left its range, as the .* in step [12][0-9] shows: lower --learning-rate" error.txt || fail "said: $(cat error.txt)"
accepts inspect model.h5 --json >model.json
holds '0 < j["epochs_done"] < 8' model.json
accepts encrypt --insecure-key --key keys/public.json --data iris.csv --profile ordered.h5.profile.json --out queries.h5 >/dev/null
accepts predict --model model.h5 --data queries.h5 --out answers.h5 "${key[@]}" >/dev/null

# With --protocols hybrid no range is checked, as one note says. What outgrows a mask is found; what does not, where weights are opened.
unchecked='^smlp: note: no range is checked: the protocols .* leave no evidence of ranges$'
says_unchecked() { [ "$(grep -cE "$unchecked" "$1")" -eq 1 ] || fail "not one note that no range is checked: $(cat "$1")"; }
"$smlp" "${diverging[@]}" --protocols hybrid --out hybrid.h5 "${key[@]}" 2>error.txt && fail 'a hybrid training that diverges ends well'
grep -qE "^smlp: $located" error.txt || fail "said: $(cat error.txt)"
says_unchecked error.txt
accepts train --data unscaled.h5 --network N-4-C --epochs 3 --out unnoticed.h5 --insecure-seed --seed 5 --protocols hybrid --json \
  "${key[@]}" >unnoticed.report
says_unchecked "$said/err"
holds 'not j["range_checks"]' unnoticed.report
refuses 1 'a weight reaches [0-9]+, outside the 20 bits of a value: training left its range; ' \
  export --insecure-key --model unnoticed.h5 --key keys/secret.json --out unnoticed.json

# A training in range is not disturbed.
for switch in on off; do
  accepts train --data iris.h5 --network N-4-C --epochs 1 --insecure-seed --seed 5 --range-check $switch --json \
    --out $switch.h5 "${key[@]}" >$switch.report
  accepts export --insecure-key --model $switch.h5 --key keys/secret.json --out $switch.json >/dev/null
done
cmp -s on.json off.json || fail 'range checks change the weights'
# Those of each step go with its gradients; that of the weights has two layers.
holds 'j["range_checks"] and j["rounds"] == json.load(open("off.report"))["rounds"] + 5' on.report
holds 'not j["range_checks"]' off.report
refuses 2 'range-check is .maybe., allowed are on and off' train --data iris.h5 --network N-4-C --range-check maybe --out x.h5 "${key[@]}"

finish
