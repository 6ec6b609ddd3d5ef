#!/usr/bin/env bash
# The wall clock jumps by twenty years back and forth while a network is trained: the weights are those of a steady clock.
# Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
rows 12 iris.csv train.csv
accepts encrypt --key keys/public.json --data train.csv --batch 4 --seed 5 --out train.h5 >/dev/null
train=(train --data train.h5 --network N-2-C --epochs 3 --seed 5 --insecure-seed --quiet --secret-key keys/secret.json --json)
accepts "${train[@]}" --out steady.h5 >/dev/null

# One clock for all: what the file says at each look.
own_clock FAKETIME_TIMESTAMP_FILE="$dir/clock" FAKETIME_NO_CACHE=1
echo '+20y' >clock
[ "$("${clock[@]}" date +%Y)" -ge $(($(date +%Y) + 19)) ] || fail 'the clock does not jump'
(while true; do
  for jump in -20y +20y; do
    echo $jump >clock.new && mv clock.new clock
    sleep 0.02
  done
done) &
jumps=$!
"${clock[@]}" "$smlp" "${train[@]}" --out jumping.h5 >report.json 2>err.txt </dev/null || fail "train: $(cat err.txt)"
kill $jumps
wait $jumps 2>/dev/null
holds '0 < j["seconds"]["train"] < 3600 and 0 < j["seconds"]["wall"] < 3600' report.json
for model in steady jumping; do
  accepts export --model $model.h5 --key keys/secret.json --out $model.json >/dev/null
done
cmp -s steady.json jumping.json || fail 'the weights differ after jumps of the clock'

finish
