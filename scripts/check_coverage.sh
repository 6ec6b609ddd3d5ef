#!/usr/bin/env bash
# Prints the line coverage that a run of the tests left in BUILD_DIR, and fails where a folder has less than 90 %.
#   scripts/check_coverage.sh BUILD_DIR
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:?usage: $0 BUILD_DIR}
command -v gcovr >/dev/null || {
  echo "gcovr is missing: run scripts/install_dependencies.sh --development" >&2
  exit 1
}
gcovr --root . --filter paillier/ --filter protocols/ --filter mlp/ -j "$(nproc)" --json "$build/coverage.json" "$build"
failed=0
for folder in paillier protocols mlp; do
  echo "== $folder"
  gcovr --root . --add-tracefile "$build/coverage.json" --filter "$folder/" --fail-under-line 90 || failed=1
done
exit "$failed"
