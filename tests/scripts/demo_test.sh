#!/usr/bin/env bash
# What `make demo PROTOCOLS=hybrid` runs, under keys of 2048 bits, ends with the twin's weights.
command=$(make -n demo PROTOCOLS=hybrid | tail -n 1)
[[ $command == *'/smlp run --data datasets/'*' --protocols hybrid'* ]] || { echo "make demo runs: $command"; exit 1; }
said=$(bash -c "$SMLP ${command#* }" 2>&1) || { echo "the demo ends with $?: $said"; exit 1; }
for line in '^datasets/breast_cancer.csv' '^keys of 2048 bits' 'comparison/garbled' "equal the twin's exactly"; do
  grep -q "$line" <<<"$said" || { echo "no '$line' in the demo: $said"; exit 1; }
done
