#!/usr/bin/env bash
# Two ranks of a sanitized build train under both presets and classify: the weights and answers of one process, and nothing
# for the sanitizer to say. Toy keys; what is not ours is suppressed by tests/support/uninstrumented.*.
#   scripts/test_ranks.sh BUILD_DIR
SMLP=${1:?usage: $0 BUILD_DIR}/smlp
. "$(dirname "$0")/../tests/program/support.sh"
with_mpi=$(dirname "$smlp")/mpi/smlp
suppressions=$(realpath "$(dirname "$0")/../tests/support")/uninstrumented
# Whole stacks, since libraries without frame pointers allocate.
export ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=0 LSAN_OPTIONS=suppressions=$suppressions.lsan:print_suppressions=0
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:suppressions=$suppressions.tsan OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
toy=--insecure-key
passed=0
cd "$dir" || exit 1
# ranks WORD...: two of them. The launcher tells an end in an error by its exit code, a sanitizer by its words too.
ranks() {
  timeout -k 5 900 mpirun --oversubscribe -n 2 "$with_mpi" "$@" >"$said/ranks" 2>&1 </dev/null ||
    fail "two ranks ended with $?: smlp $*: $(cat "$said/ranks")"
  ! grep -q 'Sanitizer' "$said/ranks" || fail "the sanitizer says: $(cat "$said/ranks")"
}
# same ONE OTHER WHAT
same() {
  if cmp -s "$1" "$2"; then passed=$((passed + 1)); else fail "ranks have other $3 than one process"; fi
}
# shown MODEL: its weights in MODEL.json.
shown() { accepts export --model "$1" --key keys/secret.json $toy --out "$1.json" >/dev/null; }

awk 'NR == 1 || NR % 5 == 0' "$datasets/iris.csv" >rows.csv  # 30: three batches, the last of one row group
accepts keygen --bits 1024 $toy --out keys >/dev/null
accepts encrypt --key keys/public.json $toy --data rows.csv --batch 12 --seed 5 --out rows.h5 >/dev/null
for preset in homomorphic hybrid; do
  train=(train --data rows.h5 --network N-3-C --protocols "$preset" --momentum 0.5 --epochs 1 --seed 5 --insecure-seed --secret-key keys/secret.json $toy --quiet)
  accepts "${train[@]}" --out "$preset.h5" >/dev/null
  ranks "${train[@]}" --out "$preset-2.h5" --metrics "$preset-2.jsonl"
  grep -q '"sent":[1-9]' "$preset-2.jsonl" || fail "ranks exchanged nothing with $preset"
  shown "$preset.h5"
  shown "$preset-2.h5"
  same "$preset.h5.json" "$preset-2.h5.json" "weights with $preset"
done
predict=(predict --model homomorphic.h5 --data rows.h5 --secret-key keys/secret.json $toy --seed 7 --insecure-seed --quiet)
accepts "${predict[@]}" --out alone >/dev/null
ranks "${predict[@]}" --out shared
for answers in alone shared; do
  accepts decrypt --key keys/secret.json $toy --in "$answers" --profile rows.h5.profile.json --out "$answers.csv" >/dev/null
done
same alone.csv shared.csv answers

echo "$passed passed, $failures failed"
finish
