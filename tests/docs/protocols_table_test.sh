#!/usr/bin/env bash
# The table in docs/protocols.md is the one that the program prints from its registry.
set -euo pipefail
diff <(sed -n '/<!-- registry -->/,/<!-- \/registry -->/p' docs/protocols.md | sed '1d;$d') <("$SMLP" protocols --markdown) ||
  { echo 'docs/protocols.md: paste the output of smlp protocols --markdown between the registry marks' >&2; exit 1; }
