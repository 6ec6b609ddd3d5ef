#!/usr/bin/env bash
# Threads of the program sleep while they wait, whatever OpenMP it was built with; OMP_WAIT_POLICY chooses otherwise.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null

# waits POLICY SETTING..: a program that was started with these settings has this OMP_WAIT_POLICY, and its name.
waits() {
  local policy=$1 server found
  shift
  env -u OMP_WAIT_POLICY "$@" "$smlp" serve --key keys/secret.json --insecure-key --listen 127.0.0.1:0 --insecure-transport >log 2>err </dev/null &
  server=$!
  for _ in $(seq 1000); do
    grep -q '^answers ' log && break
    kill -0 "$server" 2>/dev/null || { fail "serve: $(cat err)"; break; }
    sleep 0.01
  done
  found=$(tr '\0' '\n' </proc/$server/environ | sed -n 's/^OMP_WAIT_POLICY=//p')
  [ "$found" = "$policy" ] || fail "it waits by '$found', not '$policy'"
  [ "$(</proc/$server/comm)" = smlp ] || fail "it is called $(</proc/$server/comm)"
  kill "$server"
  wait "$server" || fail "serve ended with $?"
}
waits passive
waits active OMP_WAIT_POLICY=active
finish
