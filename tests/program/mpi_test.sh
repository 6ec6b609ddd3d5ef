#!/usr/bin/env bash
# Slow. Ranks started by mpirun share a training: weights bit for bit those of one process for every number of ranks; ranks
# and key holders are killed and stopped, also both in one job; `--resume` goes on with another number of ranks. Keys of 2048
# bits. In CI ranks share two cores.
. "$(dirname "$0")/support.sh"
make -s MPI=1 all >"$said/make" 2>&1 || { cat "$said/make"; fail 'make MPI=1'; finish; exit; }
with_mpi=$(dirname "$smlp")/mpi/smlp
. tests/program/network_support.sh
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
# ranks N WORD...: its exit code in $status, what it said in $logs/ranks.
ranks() {
  local count=$1
  shift
  status=0
  timeout -k 5 300 mpirun --oversubscribe -n "$count" "$with_mpi" "$@" >"$logs/ranks" 2>&1 </dev/null || status=$?
}
shares() {
  ranks "$@"
  [ "$status" -eq 0 ] || fail "$1 ranks ended with $status: $(cat "$logs/ranks")"
}
# fails PATTERN N WORD...
fails() {
  local pattern=$1
  shift
  ranks "$@"
  [ "$status" -ne 0 ] || fail "$1 ranks ended well where they should not"
  grep -q -- "$pattern" "$logs/ranks" || fail "$1 ranks say, without '$pattern': $(cat "$logs/ranks")"
}

rows 3 iris.csv train.csv  # 50: two batches of three row groups, and four ranks
accepts keygen --out keys >/dev/null
accepts certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 25 --seed 5 --out train.h5 >/dev/null
train=(train --data train.h5 --network N-4-C --momentum 0.5 --seed 5 --insecure-seed --quiet)
here=(--secret-key keys/secret.json)

for preset in homomorphic hybrid; do
  options=(--protocols "$preset" --epochs 2)
  [ "$preset" = homomorphic ] || options+=(--matmul packed,oblivious-transfer)
  accepts "${train[@]}" "${here[@]}" "${options[@]}" --out "$preset.h5" >/dev/null
  accepts export --model "$preset.h5" --key keys/secret.json --out "$preset.h5.json" >/dev/null
  for count in 1 2 3 4; do
    shares "$count" "${train[@]}" "${here[@]}" "${options[@]}" --out "$preset-$count.h5" --metrics "$preset-$count.jsonl"
    same_weights "$preset-$count.h5" "$preset.h5"
  done
done
# Six share columns of a wider layer too.
wide=(train --data train.h5 --network N-24-C --epochs 1 --seed 5 --insecure-seed "${here[@]}")
accepts "${wide[@]}" --quiet --out wide.h5 >/dev/null
accepts export --model wide.h5 --key keys/secret.json --out wide.h5.json >/dev/null
shares 6 "${wide[@]}" --out wide-6.h5
grep -q 'in 3 x 2 parts' "$logs/ranks" || fail "ranks do not say that they share columns: $(cat "$logs/ranks")"
accepts plan --data train.csv --network N-24-C --batch 25 --epochs 1 --ranks 6 >plan
grep -q '^\* 6 ranks, 3 x 2: ' plan || fail "plan has another grid than train: $(cat plan)"
same_weights wide-6.h5 wide.h5
python3 - <<'PYTHON' || fail 'the metrics do not tell what ranks exchange'
import json
epochs = [json.loads(line) for line in open("homomorphic-3.jsonl")]
epochs = [e for e in epochs if "ranks" in e]
assert len(epochs) == 2 and all(len(e["ranks"]) == 3 for e in epochs), epochs
for epoch in epochs:
    assert sum(r["received"] for r in epoch["ranks"]) == 2 * sum(r["sent"] for r in epoch["ranks"]), epoch
    assert all(r["bytes"]["to_key_holder"] > 0 and r["sent"] > 0 for r in epoch["ranks"]), epoch
PYTHON

# Batches are dealt to ranks; the answers of a seed are those of one process.
accepts encrypt --key keys/public.json --data train.csv --batch 10 --seed 6 --profile train.h5.profile.json --out queries.h5 >/dev/null
predict=(predict --model homomorphic.h5 --data queries.h5 "${here[@]}" --seed 7 --insecure-seed --quiet)
accepts "${predict[@]}" --out alone >/dev/null
shares 4 "${predict[@]}" --out shared
for answers in alone shared; do
  accepts decrypt --key keys/secret.json --in "$answers" --profile train.h5.profile.json --out "$answers.csv" >/dev/null
done
cmp -s alone.csv shared.csv || fail 'ranks classify otherwise than one process'
# One batch, which takes the first rank longer than the second one's --timeout.
awk 'NR == 1 { print; next } { for (i = 0; i < 20; ++i) print }' train.csv >many.csv
accepts encrypt --key keys/public.json --data many.csv --batch 1000 --profile train.h5.profile.json --out many.h5 >/dev/null
shares 2 predict --model homomorphic.h5 --data many.h5 "${here[@]}" --quiet --timeout 1 --out many.answers

# Ranks that have not read the same are told so.
mkdir here
cp homomorphic.h5 here/model.h5
status=0
timeout -k 5 100 mpirun --oversubscribe -n 1 "$with_mpi" "${train[@]}" "${here[@]}" --epochs 3 --out here/model.h5 --resume : \
  -n 1 "$with_mpi" "${train[@]}" "${here[@]}" --epochs 3 --out none.h5 --resume >"$logs/ranks" 2>&1 </dev/null || status=$?
grep -q 'rank 1 has not read what rank 0 has' "$logs/ranks" || fail "ranks with other files: $status, $(cat "$logs/ranks")"
cmp -s here/model.h5 homomorphic.h5 || fail 'ranks with other files changed the model'

# Every rank has the error; one says it. A program without MPI says so.
fails 'rank 0 of 2: .*nowhere' 2 "${train[@]/train.h5/nowhere.h5}" "${here[@]}" --out other.h5
[ "$(grep -c '^smlp: ' "$logs/ranks")" -eq 1 ] || fail "an error is said more than once: $(cat "$logs/ranks")"
fails 'homomorphic.h5 is there already' 2 "${train[@]}" "${here[@]}" --out homomorphic.h5
OMPI_COMM_WORLD_SIZE=2 refuses 1 'built without MPI.*make MPI=1' "${train[@]}" "${here[@]}" --out other.h5

# Over TLS, ranks spread over two key holders, of which one is killed on the way; then a rank is killed, and one is stopped.
serve first 0
first=$server first_port=$port
serve second 0
remote=(--key-holder "127.0.0.1:$first_port,127.0.0.1:$port" --tls certificates/evaluator)
whole=("${train[@]}" --epochs 4)
accepts "${whole[@]}" "${here[@]}" --out whole.h5 >/dev/null
accepts export --model whole.h5 --key keys/secret.json --out whole.h5.json >/dev/null
# background N WORD...: in the background; its process in $launcher.
background() {
  local count=$1
  shift
  mpirun --oversubscribe -n "$count" "$with_mpi" "$@" >"$logs/ranks" 2>&1 </dev/null &
  launcher=$!
  servers+=("$launcher")
}
wait_for() {
  for _ in $(seq 3000); do
    [ -e "$1" ] && return
    kill -0 "$launcher" 2>/dev/null || { fail "the ranks ended before $1 was there: $(cat "$logs/ranks")"; return; }
    sleep 0.02
  done
  fail "$1 did not come"
}
ended() {
  status=0
  wait "$launcher" 2>/dev/null || status=$?
}
# The process of rank 1. In few processes, since a training of seconds goes on meanwhile.
rank_process() {
  local status_file
  for status_file in $(grep -lsx "PPid:[[:space:]]*$launcher" /proc/[0-9]*/status); do
    grep -qsxz OMPI_COMM_WORLD_RANK=1 "${status_file%status}environ" && basename "${status_file%/status}"
  done
}
# Its ranks are told to end by the launcher, and say nothing.
killed_by_signal() {
  [ "$status" -ne 0 ] || fail 'a training whose rank was killed ended well'
  [ "$(grep -c 'exited on signal 9' "$logs/ranks")" -eq 1 ] && ! grep -q '^smlp: ' "$logs/ranks" ||
    fail "a killed rank is not told in one sentence: $(cat "$logs/ranks")"
}
# kill_and_resume MODEL RANKS: kills a rank of the job that trains MODEL, and goes on with so many ranks, to the same weights.
kill_and_resume() {
  kill -KILL "$(rank_process)"
  ended
  killed_by_signal
  shares "$2" "${whole[@]}" "${remote[@]}" --out "$1" --resume
  same_weights "$1" whole.h5
}

background 2 "${whole[@]}" "${remote[@]}" --out model.h5 --timeout 60
wait_for model.h5
for each in first second; do
  [ "$(grep -c ' evaluator.example session ' "$logs/$each.log")" -gt 5 ] || fail "the ranks do not ask the $each key holder"
done
kill -KILL "$first"
ended
[ "$status" -eq 0 ] || fail "a killed key holder cost the training: $(cat "$logs/ranks")"
same_weights model.h5 whole.h5

serve first 0
first_port=$port
remote=(--key-holder "127.0.0.1:$port" --tls certificates/evaluator)
background 2 "${whole[@]}" "${remote[@]}" --out killed.h5 --timeout 60
wait_for killed.h5
kill_and_resume killed.h5 3

# Both in one job: the ranks try the key holder again, which is back when one of them is killed.
background 2 "${whole[@]}" "${remote[@]}" --out both.h5 --timeout 60
wait_for both.h5
kill -KILL "$server"
serve again "$first_port"
kill_and_resume both.h5 4

# Of three, both others name the one that is stopped.
background 3 "${whole[@]}" "${remote[@]}" --out stopped.h5 --timeout 5
wait_for stopped.h5
kill -STOP "$(rank_process)"
ended
[ "$status" -ne 0 ] || fail 'a training whose rank was stopped ended well'
grep -q 'rank [02] of 3: rank 1 of 3 has shown no life for 5 s' "$logs/ranks" || fail "a stopped rank is not named: $(cat "$logs/ranks")"
! grep -q 'rank [02] of 3 has shown no life' "$logs/ranks" || fail "another than the stopped rank is named: $(cat "$logs/ranks")"
accepts "${whole[@]}" "${remote[@]}" --out stopped.h5 --resume >/dev/null
same_weights stopped.h5 whole.h5

finish
