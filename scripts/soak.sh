#!/usr/bin/env bash
# Trains over TLS again and again while key holders and evaluators are killed, links stall and strangers call; compares every model
# with that of an undisturbed run, bit for bit. The presets take turns.
#   scripts/soak.sh [SECONDS [KILLS]]      1800, and 25 kills of a key holder for each preset, unless given; SMLP names the program
# Ends with a line each: faults injected, runs finished, mismatches, leaked descriptors, memory growth. Fails on a mismatch, a
# failed run, a leaked descriptor or, in ten minutes or more, a growth of 5 % or more. Keys of 1024 bits, for more runs.
SMLP=${SMLP:-build/smlp}
cd "$(dirname "$0")/.." || exit 1
. tests/program/network_support.sh
toy_keys

seconds=${1:-1800} kills_each=${2:-25}
faults=0 runs=0 mismatches=0

rows 6 iris.csv train.csv
accepts certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
accepts certificates --out strangers --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 8 --seed 11 --out train.h5 >/dev/null
train=(train --data train.h5 --network N-3-C --momentum 0.5 --seed 11 --insecure-seed --quiet)
epochs=3 long_epochs=10  # the long training outlasts 50 kills
for count in $epochs $long_epochs; do
  accepts "${train[@]}" --epochs "$count" --secret-key keys/secret.json --out inside.h5 >/dev/null
  accepts export --model inside.h5 --key keys/secret.json --out "inside_$count.json" >/dev/null
  rm inside.h5
done
tls=(--tls certificates/evaluator)
allow=(--allow homomorphic,hybrid) presets=(homomorphic hybrid)

# One that is never killed, whose memory and descriptors are watched; one that is; a relay in front of the first.
serve steady 0 "${allow[@]}"
steady=$server steady_port=$port
serve killed 0 "${allow[@]}"
killed=$server killed_port=$port
start_relay "$steady_port" 0.001
relay_port=$port
descriptors() { find "/proc/$steady/fd" -mindepth 1 2>/dev/null | wc -l; }
memory() { awk '/^VmRSS/ {print $2}' "/proc/$steady/status"; }
pause() { sleep "$(awk -v r=$RANDOM -v from="$1" -v to="$2" 'BEGIN {print from + (to - from) * r / 32768}')"; }

# One fault at random; $1 is the process that trains, if it has begun.
disturb() {
  case $((RANDOM % 5)) in
    0) kill -KILL "$killed"; wait "$killed" 2>/dev/null; pause 0 0.5; serve killed "$killed_port" "${allow[@]}"; killed=$server ;;
    1) kill -USR1 "$relay_process"; pause 1 4; kill -USR2 "$relay_process" ;;
    2) [ -n "$1" ] && kill -KILL "$1" 2>/dev/null || return ;;
    3) "$smlp" doctor --key-holder 127.0.0.1:"$steady_port" --tls strangers/evaluator >/dev/null 2>&1 ;;
    4) for _ in $(seq 50); do : 2>/dev/null <>"/dev/tcp/127.0.0.1/$steady_port"; done ;;
  esac
  faults=$((faults + 1))
}

# First the key holder alone is killed and started again at random moments of trainings with each preset, which nobody helps.
kills=0 target=0
for preset in "${presets[@]}"; do
  target=$((target + kills_each))
  until [ "$kills" -ge $target ]; do
    rm -f model.h5 model.jsonl
    "$smlp" "${train[@]}" --protocols "$preset" --epochs $long_epochs --timeout 60 --key-holder 127.0.0.1:"$killed_port" "${tls[@]}" --out model.h5 --metrics model.jsonl \
      >/dev/null 2>"$logs/train" </dev/null &
    run=$!
    # Once it is under way: a training that finds no key holder at its start ends at once.
    until [ "$(wc -l <model.jsonl)" -gt 1 ] || ! kill -0 $run; do sleep 0.02; done 2>/dev/null
    while pause 0.05 0.5; [ "$kills" -lt $target ] && kill -0 $run 2>/dev/null; do
      kill -KILL "$killed"
      wait "$killed" 2>/dev/null
      serve killed "$killed_port" "${allow[@]}"
      killed=$server kills=$((kills + 1))
    done
    wait $run || fail "a training whose key holder was killed failed: $(cat "$logs/train")"
    accepts export --model model.h5 --key keys/secret.json --force --out model.json >/dev/null
    cmp -s inside_$long_epochs.json model.json || mismatches=$((mismatches + 1))
    runs=$((runs + 1)) faults=$kills
  done
done
echo "key holder killed and started again $kills times in $runs trainings"

start=$SECONDS warm_memory= warm_descriptors=
while [ $((SECONDS - start)) -lt "$seconds" ]; do
  rm -f model.h5
  until [ -e done ]; do
    (exec 2>/dev/null; "$smlp" "${train[@]}" --protocols "${presets[runs % 2]}" --epochs $epochs --resume --timeout 2 --key-holder 127.0.0.1:"$relay_port",127.0.0.1:"$killed_port" "${tls[@]}" \
      --out model.h5 >/dev/null 2>"$logs/train" </dev/null; echo $? >"$logs/status") &
    run=$!
    while pause 0.1 1; kill -0 $run 2>/dev/null; do
      disturb "$(pgrep -P $run -x smlp)"
    done
    wait $run 2>/dev/null
    case $(<"$logs/status") in
      0) touch done ;;
      137) ;;  # killed: resumed
      *) fail "a training failed: $(cat "$logs/train")"; touch done ;;
    esac
  done
  rm done
  accepts export --model model.h5 --key keys/secret.json --force --out model.json >/dev/null
  cmp -s inside_$epochs.json model.json || mismatches=$((mismatches + 1))
  runs=$((runs + 1))
  # Memory settles at first; the growth is that of the last three quarters.
  if [ -z "$warm_memory" ] && [ $((SECONDS - start)) -ge $((seconds / 4)) ]; then
    warm_memory=$(memory) warm_descriptors=$(descriptors)
  fi
done
for _ in $(seq 50); do  # connections of the last run go
  [ "$(descriptors)" -le "${warm_descriptors:-0}" ] && break
  sleep 0.2
done
leaked=$(($(descriptors) - ${warm_descriptors:-0}))
growth=$(awk -v a="${warm_memory:-0}" -v b="$(memory)" 'BEGIN {printf "%.1f", (a > 0 ? (b / a - 1) * 100 : 100)}')
echo "faults injected $faults"
echo "runs finished $runs"
echo "mismatches $mismatches"
echo "leaked descriptors $((leaked > 0 ? leaked : 0))"
echo "memory growth $growth %"
[ $mismatches -eq 0 ] || fail "$mismatches models differ"
[ "$leaked" -le 0 ] || fail "$leaked descriptors leaked"
# Before that it has not settled.
[ "$seconds" -lt 600 ] || awk -v g="$growth" 'BEGIN {exit g < 5 ? 0 : 1}' || fail "the key holder's memory grew by $growth %"
finish
