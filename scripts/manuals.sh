#!/usr/bin/env bash
# Makes the man pages from the program's help texts: smlp.1, and smlp-COMMAND.1 for each command.
#   scripts/manuals.sh PROGRAM FOLDER
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: $0 PROGRAM FOLDER" >&2; exit 2; }
program=$(realpath "$1")
folder=$2
command -v help2man >/dev/null || { echo "$0: help2man makes the man pages and is missing: scripts/install_dependencies.sh installs it" >&2; exit 1; }
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# page NAME SUMMARY SEE_ALSO [COMMAND]: help2man asks a program of this name. It tells an option from its text by two spaces.
page() {
  printf '#!/bin/sh\n"%s" %s "$@" | sed -E "s/^(  --[a-z-]+ VALUE( \\([^)]*\\))?) ([^ (])/\\1  \\3/"\n' "$program" "$4" >"$work/$1"
  chmod +x "$work/$1"
  help2man --no-info --version-string="$1 $("$program" --version | cut -d" " -f2)" --name="$2" --include=<(printf '[SEE ALSO]\n%s\n' "$3") \
    --output="$folder/$1.1" "$work/$1"
  chmod 644 "$folder/$1.1"
}

see=''
while read -r command summary; do
  see+=${see:+,$'\n'}".BR smlp-$command (1)"
  page "smlp-$command" "$summary" '.BR smlp (1)' "$command"
done < <("$program" --help | sed -nE 's/^  ([a-z]+)  +(.*)$/\1 \2/p')
page smlp 'train multilayer perceptrons on Paillier-encrypted tables' "$see" ''
