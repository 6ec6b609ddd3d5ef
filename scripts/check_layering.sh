#!/usr/bin/env bash
# Checks the rules that keep the folders apart; prints each line that breaks one.
#   scripts/check_layering.sh [ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

failures=0
# forbid RULE PATTERN [GREP_OPTION...] FOLDER...
forbid() {
  local rule=$1 pattern=$2 found
  shift 2
  found=$(grep -rnE --include='*.h' --include='*.cpp' --include='*.def' "$pattern" "$@" | grep -vE "^${except:-$}" || true)
  if [ -n "$found" ]; then
    printf '%s:\n%s\n' "$rule" "$found" >&2
    failures=$((failures + 1))
  fi
}

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]'
forbid 'paillier/ includes nothing above it' "$include(protocols|mlp|bench|tests)/" paillier
forbid 'protocols/ includes nothing above it' "$include(mlp|bench|tests)/" protocols
forbid 'mlp/ includes nothing above it' "$include(bench|tests)/" mlp
forbid 'includes are relative to the repository root' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"(\.|[^/"]*")' \
  paillier protocols mlp
forbid 'no using namespace in a header' '^[^/]*using[[:space:]]+namespace' --exclude='*.cpp' paillier protocols mlp
except=paillier/parallel.h: forbid 'OpenMP is used only by paillier/parallel.h' \
  '^[[:space:]]*#[[:space:]]*(pragma[[:space:]]+omp|include[[:space:]]*<omp\.h>)' paillier protocols mlp

[ "$failures" -eq 0 ]
