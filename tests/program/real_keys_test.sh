#!/usr/bin/env bash
# Keys of 2048 bits, as everybody uses them: for every kind of layer and output, every task and every preset the
# weights and the answers of a run on ciphertexts are the twin's.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
rows 12 iris.csv classes.csv
rows 40 diabetes.csv numbers.csv

# trains TABLE NETWORK LAYERS OPTION...
trains() {
  local table=$1 network=$2 layers=$3
  shift 3
  for preset in homomorphic hybrid paper; do
    accepts run --data "$table" --network "$network" --protocols $preset --epochs 1 --batch 5 --seed 3 --json --quiet "$@" >run.json
    holds "j['key_bits'] == 2048 and j['layers'] == [$layers]" run.json
    holds 'j["weights_equal_twin"] and j["answers_equal_twin"]' run.json
  done
}
trains classes.csv N-2:relu-2:leaky-relu-2:hard-tanh-2:hard-sigmoid-C:hard-sigmoid \
  '"relu", "leaky-relu", "hard-tanh", "hard-sigmoid", "hard-sigmoid"'
trains classes.csv N-2-C:linear '"relu", "linear"' --clip-gradient 0.5 --nesterov
trains numbers.csv N-2-C '"relu", "linear"' --task regression
finish
