#!/usr/bin/env bash
# Checks every C++ source against .clang-format; --fix rewrites instead. Version 16, since versions differ.
set -euo pipefail
cd "$(dirname "$0")/.."

clang_format=${CLANG_FORMAT:-clang-format-16}
command -v "$clang_format" >/dev/null || {
  echo "$clang_format is missing: run scripts/install_dependencies.sh --development" >&2
  exit 1
}
sources() { find paillier protocols mlp bench tests docs/examples \( -name '*.h' -o -name '*.cpp' \) -print0; }

if [ "${1-}" = --fix ]; then
  sources | xargs -0 -r "$clang_format" -i
  exit
fi
differing=$(sources | xargs -0 -r "$clang_format" --dry-run 2>&1 | grep -oE '^[^ :]+:[0-9]+' | sort -t: -k1,1 -u || true)
[ -z "$differing" ] || { printf 'not as .clang-format wants it (make format):\n%s\n' "$differing" >&2; exit 1; }
