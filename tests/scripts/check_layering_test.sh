#!/usr/bin/env bash
# The layering check passes on the sources and catches each thing that it forbids.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

scripts/check_layering.sh

# caught FILE LINE: a tree whose only fault is LINE in FILE.
caught() {
  rm -rf "${folder:?}"/*
  mkdir -p "$folder/paillier" "$folder/protocols/comparison" "$folder/mlp"
  printf '#include <vector>\n#include "paillier/error.h"\n' >"$folder/mlp/good.cpp"
  printf '#include <omp.h>\n#pragma omp parallel for\n' >"$folder/paillier/parallel.h"
  scripts/check_layering.sh "$folder" || { echo "refused a good tree" >&2; exit 1; }
  echo "$2" >"$folder/$1"
  if scripts/check_layering.sh "$folder" 2>/dev/null; then
    echo "not caught: '$2' in $1" >&2
    exit 1
  fi
}
caught paillier/bad.h '#include "protocols/channel.h"'
caught paillier/bad.cpp '#  include <mlp/training/trainer.h>'
caught protocols/comparison/bad.cpp '#include "mlp/training/trainer.h"'
caught mlp/bad.cpp '#include "tests/support/toy_keys.h"'
caught mlp/bad.cpp '#include "../mlp/training/trainer.h"'
caught mlp/bad.cpp '#include "trainer.h"'
caught protocols/bad.h 'using namespace std;'
caught protocols/comparison/bad.cpp '#pragma omp parallel for'
caught protocols/parallel.h '#include <omp.h>'
