#!/usr/bin/env bash
# Installs into a temporary prefix, builds a small program against the installed copy through pkg-config, runs it,
# and uninstalls without a trace.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

make -C "$root" install PREFIX="$folder/prefix" >/dev/null
"$folder/prefix/bin/smlp" --help >/dev/null

export PKG_CONFIG_PATH=$folder/prefix/lib/pkgconfig
cd "$folder"  # nothing of the working tree is in reach
read -ra flags <<<"$(pkg-config --cflags --libs smlp)"
"${CXX:-g++}" -std=c++20 "$root/tests/install/main.cpp" "${flags[@]}" -o program
[ "$(./program)" = 42 ] || { echo "the program built against the installed copy is wrong" >&2; exit 1; }

# Every installed header stands alone.
cd "$folder/prefix/include/smlp"
find . -name '*.h' | sed 's|^\./\(.*\)|#include "\1"|' >"$folder/all.cpp"
"${CXX:-g++}" -std=c++20 -fsyntax-only "$folder/all.cpp" "${flags[@]}"

make -C "$root" uninstall PREFIX="$folder/prefix" >/dev/null
left=$(find "$folder/prefix" -type f)
[ -z "$left" ] || { echo "uninstall left $left" >&2; exit 1; }
