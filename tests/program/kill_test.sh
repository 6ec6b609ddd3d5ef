#!/usr/bin/env bash
# Slow. `train` is killed with SIGKILL at several moments and resumed; its weights are bit for bit those of an uninterrupted
# seeded run. Keys of 2048 bits.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
rows 12 iris.csv train.csv
accepts keygen --out keys >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 4 --seed 5 --out train.h5 >/dev/null
usual=(train --data train.h5 --network N-2-C --epochs 5 --momentum 0.5 --seed 7 --insecure-seed --quiet
       --secret-key keys/secret.json)
accepts "${usual[@]}" --out first.h5 >/dev/null
refuses 1 '--out first.h5 is there already.*--resume.*--force' "${usual[@]}" --out first.h5
accepts export --model first.h5 --key keys/secret.json --out first.json >/dev/null

# killed CONDITION...: starts or resumes a training and kills it once the condition holds (or lets it end).
killed() {
  "$smlp" "${train[@]}" --out model.h5 --resume --metrics model.jsonl >/dev/null 2>&1 </dev/null &
  local training=$!
  while kill -0 $training 2>/dev/null && ! "$@"; do sleep 0.01; done
  kill -KILL $training 2>/dev/null
  wait $training 2>/dev/null
  [ ! -e model.h5 ] || accepts inspect model.h5 >/dev/null
}
epochs_done() { [ -e model.h5 ] && "$smlp" inspect model.h5 --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["epochs_done"])' || echo 0; }
saving() { compgen -G ".model.h5.partial-*" >/dev/null; }
saved() { [ -n "$(find . -name model.h5 -newer mark)" ]; }
later() { [ "$(date +%s%N)" -gt "$deadline" ]; }
after() { deadline=$(($(date +%s%N) + $1 * 1000000)); killed later; }

for preset in homomorphic hybrid; do
  train=("${usual[@]}" --protocols $preset)
  accepts "${train[@]}" --force --out whole.h5 --metrics whole.jsonl >/dev/null
  accepts export --model whole.h5 --key keys/secret.json --force --out whole.json >/dev/null
  cmp -s first.json whole.json || fail "$preset comes to other weights"
  rm -f model.*
  after 30
  [ "$(epochs_done)" -eq 0 ] || fail 'a training of 30 ms saved an epoch'
  touch mark
  killed saved
  before=$(epochs_done)
  [ "$before" -ge 1 ] || fail 'no epoch was saved'
  [ "$before" -lt 5 ] || fail 'the training ended before it was killed'
  after 300
  killed saving
  [ "$(epochs_done)" -ge "$before" ] || fail 'a kill lost an epoch'
  accepts "${train[@]}" --out model.h5 --resume --metrics model.jsonl >/dev/null
  [ "$(epochs_done)" -eq 5 ] || fail "$(epochs_done) epochs after resuming, not 5"
  accepts export --model model.h5 --key keys/secret.json --force --out model.json >/dev/null
  cmp -s whole.json model.json || fail 'the weights of the resumed training differ'
  python3 - $preset <<'PYTHON' || fail "the metrics of the resumed training with $preset have other steps or rounds, or fewer bytes"
import json, sys
def lines(name):
    return [m for m in map(json.loads, open(name)) if "epoch" in m]
whole, model = lines("whole.jsonl"), lines("model.jsonl")
assert [(a["epoch"], a.get("step")) for a in whole] == [(b["epoch"], b.get("step")) for b in model], (whole, model)
for a, b in zip(whole, model):
    # A resumed training opens the table again, and has base transfers of its own, in two rounds.
    assert b["bytes"]["to_key_holder"] >= a["bytes"]["to_key_holder"], (a, b)
    assert b["rounds"] - a["rounds"] in ((0, 2) if sys.argv[1] == "hybrid" else (0,)), (a, b)
PYTHON
  # Each start says which products it takes: a resumed one those of the checkpoint.
  products=$("$smlp" inspect model.h5 --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["protocols"]["matmul"])')
  begins_with 'j["products"]["matmul"] == "'"$products"'"' model.jsonl
  [ "$(find . -name '.model.h5.*')" = '' ] || fail "left by killed trainings: $(find . -name '.model.h5.*')"
done
# Where all that a step computes stays opened, a checkpoint has the same ciphertexts, and the training comes to the same weights.
opened=("${usual[@]}" --protocols hybrid --matmul oblivious-transfer --out opened.h5)
accepts "${opened[@]/#5/1}" >/dev/null
accepts "${opened[@]}" --resume >/dev/null
accepts export --model opened.h5 --key keys/secret.json --out opened.json >/dev/null
cmp -s whole.json opened.json || fail 'the weights of the resumed training that stays opened differ'
# More epochs may follow with a constant rate, and nothing is left to do at the end.
accepts "${train[@]}" --out model.h5 --resume >done.txt
grep -q 'nothing left to do' done.txt || fail "a finished training says: $(cat done.txt)"

finish
