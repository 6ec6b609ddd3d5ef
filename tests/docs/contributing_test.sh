#!/usr/bin/env bash
# What CONTRIBUTING.md says of adding a protocol: the files that it names are there, and its table has the fields of
# the descriptors.
set -euo pipefail
page=$(sed -n '/^## Adding a protocol/,/^## Adding a kind/p' CONTRIBUTING.md)
fail() { echo "CONTRIBUTING.md: $1" >&2; exit 1; }

grep -o '`[a-z_/]*\.\(cpp\|h\|def\|txt\|md\)`' <<<"$page" | tr -d '`' | grep -v lookup | sort -u | while read -r file; do
  [ -e "$file" ] || [ -e "protocols/$file" ] || fail "there is no $file"
done

fields=$(sed -n '/^extern constexpr Descriptor/,/^};/p' protocols/*/*.cpp | grep -oE '^    \.[a-z_]+' | grep -oE '[a-z_]+' |
  sort -u)
named=$(grep -oE '^\| `[a-z_]+`(, `[a-z_]+`)? \|' <<<"$page" | grep -oE '[a-z_]+' | sort -u)
[ "$fields" = "$named" ] || fail "its table of fields has <$(echo $named)>, a descriptor <$(echo $fields)>"
