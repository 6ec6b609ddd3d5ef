# Sourced by the tests of several processes: key holders in the background, stopped at the end.
. "$(dirname "${BASH_SOURCE[0]}")/support.sh"
relay=$(realpath tests/support/relay.py)
cd "$dir" || exit 1
servers=() logs=$said
trap '{ kill -KILL "${servers[@]}"; wait; } 2>/dev/null; rm -rf "$dir" "$said"' EXIT

# serve NAME PORT OPTION...: a key holder in the background; its process in $server, its port in $port.
serve() {
  local name=$1 wanted=$2
  shift 2
  : >"$logs/$name.log"
  "$smlp" serve --key keys/secret.json --listen 127.0.0.1:"$wanted" --tls certificates/key_holder "$@" \
    >"$logs/$name.log" 2>"$logs/$name.err" </dev/null &
  server=$!
  servers+=("$server")
  for _ in $(seq 1000); do
    grep -q '^answers ' "$logs/$name.log" && break
    kill -0 "$server" 2>/dev/null || { fail "serve: $(cat "$logs/$name.err")"; return; }
    sleep 0.01
  done
  port=$(sed -n 's/.* listening on 127.0.0.1:\([0-9]*\) for evaluator.example$/\1/p' "$logs/$name.log")
}
# end SIGNAL PROCESS: its exit code in $status.
end() {
  status=0
  kill "-$1" "$2"
  wait "$2" 2>/dev/null || status=$?
}
same_weights() {
  accepts export --model "$1" --key keys/secret.json --force --out "$1.json" >/dev/null
  cmp -s "$2.json" "$1.json" || fail "$1 has other weights than $2"
}

# start_relay PORT SECONDS [BITS]: its process in $relay_process, its port in $port.
start_relay() {
  : >"$logs/relay"
  python3 "$relay" "$@" >"$logs/relay" 2>&1 </dev/null &
  relay_process=$!
  servers+=("$relay_process")
  for _ in $(seq 1000); do
    [ -s "$logs/relay" ] && break
    sleep 0.01
  done
  port=$(<"$logs/relay")
}
