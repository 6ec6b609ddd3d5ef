#!/usr/bin/env bash
# Slow. A short soak: both presets through kills of either party, stalled links and strangers, to the same weights.
said=$(scripts/soak.sh 30 4 2>&1) || { echo "soak.sh ends with $?: $said"; exit 1; }
for line in 'key holder killed and started again 8 times' 'mismatches 0' 'leaked descriptors 0'; do
  grep -q "^$line" <<<"$said" || { echo "no '$line': $said"; exit 1; }
done
# The kills are faults too; others follow.
faults=$(sed -n 's/^faults injected //p' <<<"$said")
[ "$faults" -gt 8 ] || { echo "no fault in the second part: $said"; exit 1; }
