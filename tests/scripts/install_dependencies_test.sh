#!/usr/bin/env bash
# install_dependencies.sh against stand-ins for apt: nothing missing, something missing as root, and without the right.
set -euo pipefail
script=$(cd "$(dirname "$0")/../../scripts" && pwd)/install_dependencies.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

stand_in() { printf '#!/bin/bash\n%s\n' "$2" >"$folder/bin/$1" && chmod +x "$folder/bin/$1"; }
mkdir "$folder/bin"
for tool in bash env grep; do ln -s "$(command -v "$tool")" "$folder/bin/$tool"; done
stand_in g++ ''
stand_in apt-get "echo \"apt-get \$*\" >>$folder/calls"
stand_in dpkg "[ \"\$2\" != \"\$(<$folder/missing)\" ] && echo 'Status: install ok installed'"
stand_in id "echo \"\$(<$folder/user)\""
: >"$folder/calls"

fail() { echo "install_dependencies.sh: $1" >&2; exit 1; }
install() { PATH=$folder/bin "$script" "$@" >"$folder/out" 2>&1; }

echo none >"$folder/missing" && echo 1000 >"$folder/user"
install || fail "failed with nothing missing"
[ ! -s "$folder/out" ] && [ ! -s "$folder/calls" ] || fail "did something with nothing missing"

echo libntl-dev >"$folder/missing"
! install || fail "went on without the right to install"
[ ! -s "$folder/calls" ] || fail "called apt-get without the right to"
grep -qx '  sudo apt-get install -y libntl-dev' "$folder/out" || fail "did not print the command to run"

echo 0 >"$folder/user"
install || fail "failed as root"
[ "$(<"$folder/calls")" = 'apt-get update -q
apt-get install -y -q --no-install-recommends libntl-dev' ] || fail "as root it called $(<"$folder/calls")"

# What only the tests need, and what only the package for Python does.
echo doctest-dev >"$folder/missing"
install && [ "$(wc -l <"$folder/calls")" -eq 2 ] || fail "installed for a build what only tests need"
for option in --tests --development; do
  install "$option" || fail "failed with $option"
  [ "$(tail -n 1 "$folder/calls")" = 'apt-get install -y -q --no-install-recommends doctest-dev' ] ||
    fail "did not install doctest-dev with $option"
done
: >"$folder/calls"
echo python3-dev >"$folder/missing"
install && [ ! -s "$folder/calls" ] || fail "installed what only the package for Python needs"
install --development --python || fail "failed with two options"
[ "$(tail -n 1 "$folder/calls")" = 'apt-get install -y -q --no-install-recommends python3-dev' ] || fail "did not install python3-dev"

! install --nonsense || fail "took an unknown option"
