#!/usr/bin/env bash
# What an operator watches: metrics for Prometheus, scraped while a training runs, and the log as JSON, line by line.
# Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/network_support.sh"
toy_keys

rows 6 iris.csv train.csv
accepts certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 8 --out train.h5 >/dev/null
train=(train --data train.h5 --network N-3-C --quiet --tls certificates/evaluator)

serve text 0 --metrics-listen 0
page=$(sed -n 's/^metrics at //p' "$logs/text.log")
[[ $page == http://127.0.0.1:*/metrics ]] || fail "the metrics are at '$page'"
"$smlp" "${train[@]}" --epochs 100 --key-holder 127.0.0.1:"$port" --out long.h5 >/dev/null 2>&1 </dev/null &
training=$!
servers+=("$training")
# Series grow while it trains; names are as Prometheus wants them, with help and type; nothing secret is in a label.
python3 - "$page" evaluator.example keys.example "$(sed -n 's/^key holder of \([0-9a-f]*\) .*/\1/p' "$logs/text.log")" <<'PYTHON' ||
import re, sys, time, urllib.request
page, *secrets = sys.argv[1:]
def scrape():
    with urllib.request.urlopen(page, timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        text = answer.read().decode()
    for secret in secrets:
        assert secret not in text, secret
    series, told = {}, set()
    for line in text.splitlines():
        if line.startswith("# "):
            told.add(tuple(line.split()[1:3]))
            continue
        name, labels, value = re.fullmatch(r'([a-z_]+)(\{[^}]*\})? (\S+)', line).groups()
        series[name + (labels or "")] = float(value)
        family = re.sub("_(bucket|sum|count)$", "", name)
        assert ("HELP", family) in told and ("TYPE", family) in told or name.startswith("exposer"), line
        assert all(re.fullmatch(r'(protocol|reason|version|le|quantile)="[\w/.+-]+"', x) for x in (labels or "{}")[1:-1].split(",") if x), line
    return series
product = 'smlp_requests_total{protocol="matmul/packed"}'
for _ in range(1000):
    first = scrape()
    if first.get(product, 0) > 3:
        break
    time.sleep(0.01)
for _ in range(1000):
    second = scrape()
    if second[product] > first[product] + 3:
        break
    time.sleep(0.01)
assert second[product] > first[product] + 3, (first, second)
for name in ("smlp_received_bytes_total", "smlp_sent_bytes_total", "smlp_request_duration_seconds_sum"):
    label = '{protocol="matmul/packed"}'
    assert 0 < first[name + label] < second[name + label], name
assert second["smlp_sessions_active"] == 1 and second['smlp_requests_total{protocol="hello"}'] >= 1
assert all(second[f'smlp_refusals_total{{reason="{x}"}}'] == 0 for x in ("busy", "invalid", "locked_out", "not_served", "out_of_range", "too_large"))
assert second["smlp_request_memory_limit_bytes"] == 2**30 and second["process_resident_memory_bytes"] > 2**20
left = second["smlp_certificate_expiry_timestamp_seconds"] - time.time()
assert 364 * 86400 < left < 366 * 86400, left
assert len(second) < 300, len(second)
PYTHON
  fail 'the metrics are not as they should be'
{ kill -KILL "$training"; wait "$training"; } 2>/dev/null
# Whom it does not serve is counted by reason.
refuses 1 'whom this key holder does not serve' train --data train.h5 --network N-3-C --tls certificates/owner --key-holder 127.0.0.1:"$port" --out x.h5
refuses 1 'does not answer the protocol' "${train[@]}" --protocols paper --key-holder 127.0.0.1:"$port" --out x.h5
[ "$(python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())' "$page" |
  grep -E '^smlp_refusals_total\{reason="not_served"\} [1-9]' | wc -l)" -eq 1 ] || fail 'who is not served is not counted'
refuses 1 "cannot listen on ${page:7:-8} for metrics: the port is in use" serve --key keys/secret.json --listen 127.0.0.1:0 \
  --tls certificates/key_holder --metrics-listen "${page:7:-8}"
refuses 1 "--metrics-listen has the host 'host.example'" serve --key keys/secret.json --listen 127.0.0.1:0 \
  --tls certificates/key_holder --metrics-listen host.example:1
end TERM "$server"
[ "$status" -eq 0 ] || fail "serve with metrics ends with $status after SIGTERM"

# The same events as objects, one a line.
"$smlp" serve --key keys/secret.json --listen 127.0.0.1:0 --tls certificates/key_holder --log json >"$logs/json.out" 2>"$logs/json.err" </dev/null &
server=$!
servers+=("$server")
for _ in $(seq 1000); do
  grep -q '"event":"policy"' "$logs/json.err" && break
  sleep 0.01
done
port=$(sed -n 's/.*"address":"127.0.0.1:\([0-9]*\)".*/\1/p' "$logs/json.err")
accepts "${train[@]}" --epochs 1 --key-holder 127.0.0.1:"$port" --out short.h5 >/dev/null
refuses 1 'whom this key holder does not serve' train --data train.h5 --network N-3-C --tls certificates/owner --key-holder 127.0.0.1:"$port" --out x.h5
kill -HUP "$server"
for _ in $(seq 1000); do
  grep -q '"event":"reloaded"' "$logs/json.err" && break
  sleep 0.01
done
end TERM "$server"
[ "$status" -eq 0 ] || fail "serve with --log json ends with $status after SIGTERM"
[ ! -s "$logs/json.out" ] || fail "serve with --log json says on standard output: $(cat "$logs/json.out")"
python3 - "$logs/json.err" <<'PYTHON' || fail "the log is not as it should be: $(tail -n 5 "$logs/json.err")"
import collections, json, re, sys
events = collections.defaultdict(list)
for line in open(sys.argv[1]):
    event = json.loads(line)
    assert list(event)[:2] == ["time", "event"] and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"]), line
    events[event["event"]].append(event)
assert set(events) == {"listening", "policy", "call", "turned_away", "reloaded", "stopping", "sum", "sum_turned_away"}, set(events)
assert events["listening"][0]["peers"] == ["evaluator.example"] and len(events["listening"][0]["key"]) == 64
calls = events["call"]
assert all(c["name"] == "evaluator.example" for c in calls)
products = [c for c in calls if c.get("protocol") == "matmul/packed"]
assert products and all(c["call"] == "request" and len(c["session"]) == 8 and c["rows"] > 0 and c["request_bytes"] > 0 < c["seconds"] for c in products)
away = events["turned_away"][0]
assert away["reason"] == "not_served" and "does not serve" in away["refusal"] and away["call"] == "hello", away
assert events["sum"][0]["requests"] == len(calls) and events["sum"][0]["refused"] == 0
assert events["sum"][0]["bytes"] == sum(c["request_bytes"] + c["answer_bytes"] for c in calls)
PYTHON
status=0
"$smlp" serve --key keys/secret.json --listen 192.0.2.1:0 --tls certificates/key_holder --log json 2>"$logs/json.err" >/dev/null </dev/null || status=$?
[ $status -eq 1 ] || fail "serve with --log json that cannot listen ends with $status"
holds 'j["event"] == "error" and "is no address of this machine" in j["message"]' "$logs/json.err"
refuses 2 "--log is 'xml', allowed are text and json" serve --key keys/secret.json --listen 127.0.0.1:0 --log xml

finish
