#!/usr/bin/env bash
# Installs into a temporary prefix, builds a small program against the installed copy through pkg-config and the
# examples through CMake, runs them, and uninstalls without a trace.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

make -C "$root" install PREFIX="$folder/prefix" >/dev/null
"$folder/prefix/bin/smlp" --help >/dev/null

# The service of systemd starts what was installed, and no word of it is one that serve does not know.
unit=$folder/prefix/lib/systemd/system/smlp-serve.service
words=$(sed -n '/^ExecStart=/,/[^\\]$/p' "$unit" | tr -d '\\\n' | sed 's/^ExecStart=//')
[ "${words%% *}" = "$folder/prefix/bin/smlp" ] || { echo "the service starts ${words%% *}" >&2; exit 1; }
help=$("$folder/prefix/bin/smlp" serve --help)
for word in $words; do
  case $word in --*) grep -q -- "$word" <<<"$help" || { echo "the service has $word" >&2; exit 1; } ;; esac
done
grep -q 'WantedBy=' "$unit" && grep -q 'ExecReload=/bin/kill -HUP' "$unit" || { echo "the unit is not whole" >&2; exit 1; }
# `systemd-analyze security` gives 1.1 of 10; where it is missing, the directives that weigh most.
if command -v systemd-analyze >/dev/null && systemd-analyze security --help 2>/dev/null | grep -q offline; then
  systemd-analyze security --offline=true --threshold=29 "$unit" >"$folder/analysis" ||
    { tail -n 1 "$folder/analysis" >&2; exit 1; }
fi
for directive in User=smlp ProtectSystem=strict NoNewPrivileges=yes CapabilityBoundingSet= PrivateDevices=yes \
  RestrictNamespaces=yes SystemCallFilter=@system-service MemoryDenyWriteExecute=yes; do
  grep -qx "$directive" "$unit" || { echo "the service lacks $directive" >&2; exit 1; }
done

# A page for the program and for each command, from its help.
pages=$folder/prefix/share/man/man1
commands=$("$folder/prefix/bin/smlp" --help | grep -cE '^  [a-z]+  ')
[ "$(find "$pages" -name '*.1' | wc -l)" -eq $((commands + 1)) ] || { echo "not a page for each command" >&2; exit 1; }
for text in 'smlp-train .- train a network' 'learning.-rate.fR VALUE (0.1)' '^of gradient descent'; do
  grep -q "$text" "$pages/smlp-train.1" || { echo "the page of train has no $text" >&2; exit 1; }
done

# Completion: commands, options of a command, and files where neither can be.
PATH=$folder/prefix/bin:$PATH
. "$folder/prefix/share/bash-completion/completions/smlp"
completes() {  # completes EXPECTED WORD...
  local expected=$1
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _smlp
  [ "${COMPREPLY[*]}" = "$expected" ] || { echo "$*: completed to '${COMPREPLY[*]}', expected '$expected'" >&2; exit 1; }
}
completes 'train' smlp tr
completes '--version' smlp --v
completes '--learning-rate' smlp train --le
completes '--separator --seed' smlp encrypt --se
completes '' smlp train --data ''
completes '' smlp nonsense --x
zsh_completes() {  # zsh_completes EXPECTED WORD...
  local expected=$1 found
  shift
  found=$(zsh -fc '_describe() { print -rl -- ${(P)@[-1]}; }; _files() { print files; }
    page=$1; shift; words=("$@"); CURRENT=$#; complete() { . $page }; complete' zsh "$folder/prefix/share/zsh/site-functions/_smlp" "$@")
  grep -qx -- "$expected" <<<"$found" || { echo "zsh: $*: completed to '$found', expected '$expected'" >&2; exit 1; }
}
zsh_completes 'train:train a network on an encrypted table (evaluator)' smlp tr
zsh_completes '--learning-rate:of gradient descent.*' smlp train --le
zsh_completes files smlp train --data ''

export PKG_CONFIG_PATH=$folder/prefix/lib/pkgconfig
cd "$folder"  # nothing of the working tree is in reach
read -ra flags <<<"$(pkg-config --cflags --libs smlp)"
"${CXX:-g++}" -std=c++20 "$root/tests/install/main.cpp" "${flags[@]}" -o program
[ "$(./program)" = 42 ] || { echo "the program built against the installed copy is wrong" >&2; exit 1; }

# The examples of docs/, by find_package.
cmake -S "$root/docs/examples" -B examples -DCMAKE_PREFIX_PATH="$folder/prefix" -DCMAKE_CXX_COMPILER="${CXX:-g++}" >cmake.log &&
  cmake --build examples -j2 >>cmake.log 2>&1 || { tail -n 30 cmake.log >&2; exit 1; }
[ "$(examples/multiply_and_compare)" = 'a . b = 11.5
max(a - b, 0) = 0 0 1.25' ] || { echo "multiply_and_compare says $(examples/multiply_and_compare)" >&2; exit 1; }
[ "$(examples/maximum)" = 'dgk-veugen: 5 12 100000
garbled: 5 12 100000' ] || { echo "maximum says $(examples/maximum)" >&2; exit 1; }
right=$(examples/classify "$root/datasets/iris.csv")
[ "${right%% *}" -ge 120 ] && [ "${right#* }" = 'of 150 rows are classified right' ] || { echo "classify says $right" >&2; exit 1; }

# Every installed header stands alone.
cd "$folder/prefix/include/smlp"
find . -name '*.h' | sed 's|^\./\(.*\)|#include "\1"|' >"$folder/all.cpp"
"${CXX:-g++}" -std=c++20 -fsyntax-only "$folder/all.cpp" "${flags[@]}"

make -C "$root" uninstall PREFIX="$folder/prefix" >/dev/null
left=$(find "$folder/prefix" -type f)
[ -z "$left" ] || { echo "uninstall left $left" >&2; exit 1; }
