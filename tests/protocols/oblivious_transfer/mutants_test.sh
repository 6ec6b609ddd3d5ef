#!/usr/bin/env bash
# Each build of mutants/ uses some label, pad or seed for two contents: the test that its file names finds it. Toy keys.
build=$(dirname "$SMLP")
for mutation in tests/protocols/oblivious_transfer/mutants/*.sed; do
  name=$(basename "$mutation" .sed)
  finds=$(sed -n 's/^# finds: //p' "$mutation")
  said=$("$build/mutants/$name" --no-colors -tc="$finds" 2>&1) && { echo "$0: nothing finds $mutation: $said"; failed=1; }
  grep -q 'is NOT correct!' <<<"$said" || { echo "$0: $mutation does not fail a check: $said"; failed=1; }
done
while read -r finds; do
  "$build/tests" --no-colors -tc="$finds" >/dev/null 2>&1 || { echo "$0: '$finds' fails without a fault, or is no test"; failed=1; }
done < <(sed -n 's/^# finds: //p' tests/protocols/oblivious_transfer/mutants/*.sed | sort -u)
exit "${failed:-0}"
