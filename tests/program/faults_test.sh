#!/usr/bin/env bash
# A link with 50 ms, and one that stalls for longer than the deadline: a training ends with the weights of an undisturbed one. Keys
# of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/network_support.sh"
toy_keys

rows 12 iris.csv train.csv
accepts certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 8 --seed 11 --out train.h5 >/dev/null
train=(train --data train.h5 --network N-3-C --seed 11 --insecure-seed --quiet)
accepts "${train[@]}" --epochs 2 --secret-key keys/secret.json --out inside.h5 >/dev/null
accepts export --model inside.h5 --key keys/secret.json --out inside.h5.json >/dev/null
serve one 0 --allow homomorphic,hybrid
start_relay "$port" 0.025
network=(--key-holder 127.0.0.1:"$port" --tls certificates/evaluator)
for preset in homomorphic hybrid; do
  accepts "${train[@]}" --protocols $preset --epochs 2 "${network[@]}" --force --out late.h5 >/dev/null
  same_weights late.h5 inside.h5

  : >stalled.jsonl
  "$smlp" "${train[@]}" --protocols $preset --epochs 2 "${network[@]}" --timeout 2 --force --out stalled.h5 --metrics stalled.jsonl \
    >/dev/null 2>"$logs/err" </dev/null &
  training=$!
  for _ in $(seq 500); do  # until it is under way
    [ "$(wc -l <stalled.jsonl)" -gt 2 ] && break
    sleep 0.02
  done
  kill -0 "$training" 2>/dev/null && [ "$(wc -l <stalled.jsonl)" -gt 2 ] || fail "the training with $preset was not under way"
  kill -USR1 "$relay_process"
  sleep 3
  kill -USR2 "$relay_process"
  wait "$training" || fail "a stalled training with $preset fails: $(cat "$logs/err")"
  same_weights stalled.h5 inside.h5
done

finish
