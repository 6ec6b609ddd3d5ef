#!/usr/bin/env bash
# Three parties as processes on loopback: the weights of a seeded run over TLS, with key holders and evaluators killed, with two
# evaluators at once, are those of the run in one process. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/network_support.sh"
toy_keys

rows 6 iris.csv train.csv
accepts certificates --out certificates --key-holder keys.example --evaluator evaluator.example --owner owner.example >said.txt
[ "$(grep -c 'valid until 20' said.txt)" -eq 3 ] || fail "certificates says: $(cat said.txt)"
[ "$(stat -c %a certificates/*/private_key.pem | sort -u)" = 600 ] || fail 'private keys are open to others'
[ "$(find . -name '*.pem' -exec grep -l 'PRIVATE KEY' {} + | wc -l)" -eq 3 ] || fail 'there are private keys beside those of the parties'
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts keygen --bits 1024 --insecure-key --out user >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 8 --seed 11 --out train.h5 >/dev/null

train=(train --data train.h5 --network N-3-C --epochs 3 --momentum 0.5 --insecure-seed --quiet)
tls=(--tls certificates/evaluator)
for seed in 11 12; do
  accepts "${train[@]}" --seed $seed --secret-key keys/secret.json --out inside$seed.h5 --json >inside$seed.report
  accepts export --model inside$seed.h5 --key keys/secret.json --out inside$seed.h5.json >/dev/null
done

# Over TLS; the same rounds and bytes.
allow=(--allow homomorphic,hybrid)
serve one 0 --user-key user/public.json "${allow[@]}"
one=$server first=$port
accepts "${train[@]}" --seed 11 --key-holder 127.0.0.1:$first "${tls[@]}" --out net.h5 --json >net.report
same_weights net.h5 inside11.h5
holds 'all(j[name] == json.load(open("inside11.report"))[name] for name in ("bytes", "rounds"))' net.report

# Two evaluators at once, on two processes of the key holder.
serve two 0 "${allow[@]}"
two=$server second=$port
both=127.0.0.1:$first,127.0.0.1:$second
(accepts "${train[@]}" --seed 11 --key-holder $both "${tls[@]}" --out a.h5 >/dev/null; finish) & a=$!
(accepts "${train[@]}" --seed 12 --key-holder $both "${tls[@]}" --out b.h5 >/dev/null; finish) & b=$!
wait $a || fail 'the first of two evaluators failed'
wait $b || fail 'the second of two evaluators failed'
same_weights a.h5 inside11.h5
same_weights b.h5 inside12.h5
[ "$(grep -c ' evaluator.example session ' "$logs/two.log")" -gt 20 ] || fail 'the load was not spread'

# Garbled comparisons and transfers: either process answers those of a session.
# Products are chosen for a link, and the weights do not hang on them.
accepts "${train[@]}" --seed 11 --protocols hybrid --key-holder $both "${tls[@]}" --out hybrid.h5 --json >hybrid.report
same_weights hybrid.h5 inside11.h5
holds 'all(j["products"]["link"][way] > 0 for way in ("round_trip", "up", "down"))' hybrid.report
holds 'j["protocols"]["matmul"] == j["products"]["matmul"] != "cheapest"' hybrid.report
accepts inspect hybrid.h5 --json >hybrid.inspected
holds 'set(j["protocols"]["matmul"].split(",")) <= {"packed", "oblivious-transfer"}' hybrid.inspected
accepts "${train[@]}" --seed 11 --protocols hybrid --link 10kbit/1ms --key-holder $both "${tls[@]}" --out narrow.h5 --json >narrow.report
same_weights narrow.h5 inside11.h5
holds 'j["products"] == {"matmul": "packed", "link": {"round_trip": 0.001, "up": 1250, "down": 1250}}' narrow.report
accepts "${train[@]}" --seed 11 --protocols hybrid --matmul packed,oblivious-transfer --key-holder $both "${tls[@]}" --out mixed.h5 --metrics mixed.jsonl >/dev/null
same_weights mixed.h5 inside11.h5
begins_with 'j["products"] == {"matmul": "packed,oblivious-transfer"}' mixed.jsonl
# A key holder that answers packed products alone.
serve packed 0 --allow matmul/packed,comparison/garbled,selection/oblivious-transfer
accepts "${train[@]}" --seed 11 --protocols hybrid --link 10Gbit/10us --key-holder 127.0.0.1:$port "${tls[@]}" --out alone.h5 --metrics alone.jsonl >/dev/null
same_weights alone.h5 inside11.h5
begins_with 'j["products"] == {"matmul": "packed"}' alone.jsonl
end TERM $server

# One process is killed, the other answers; both are killed at some moments and come back; so is the evaluator.
end KILL $two
accepts "${train[@]}" --seed 11 --key-holder $both "${tls[@]}" --out lost.h5 >/dev/null
same_weights lost.h5 inside11.h5
for protocols in homomorphic hybrid; do
  resumed=("${train[@]}" --seed 11 --protocols $protocols --resume --key-holder 127.0.0.1:$first "${tls[@]}" --out killed-$protocols.h5)
  "$smlp" "${resumed[@]}" >/dev/null 2>killed.err </dev/null &
  training=$!
  for moment in 0.37 0.81; do
    sleep $moment
    end KILL $one
    serve one $first --user-key user/public.json "${allow[@]}"
    one=$server
  done
  kill -KILL $training 2>/dev/null
  wait $training 2>/dev/null
  accepts "${resumed[@]}" >/dev/null
  same_weights killed-$protocols.h5 inside11.h5
done

# Answers for the user, whose key the key holder knows; another user it does not.
cut -d, -f1-4 train.csv >queries.csv
accepts encrypt --key keys/public.json --data queries.csv --batch 8 --profile train.h5.profile.json --out queries.h5 >/dev/null
predict=(predict --model net.h5 --data queries.h5 --key-holder 127.0.0.1:$first "${tls[@]}" --quiet)
accepts "${predict[@]}" --user-key user/public.json --out answers.h5 >/dev/null
accepts decrypt --key user/secret.json --in answers.h5 --profile train.h5.profile.json --out answers.csv >/dev/null
outputs_match net.h5.json train.h5.profile.json queries.csv answers.csv
refuses 1 'refuses the user key: it hands nothing over to the key' "${predict[@]}" \
  --user-key keys/public.json --out other.h5

accepts release --model net.h5 --user-key user/public.json --key-holder 127.0.0.1:$first "${tls[@]}" --quiet --out owner.h5 >/dev/null
accepts export --model owner.h5 --key user/secret.json --out owner.json >/dev/null
cmp -s owner.json net.h5.json || fail 'the released model has other weights'

# What is refused, and said.
net=(--key-holder 127.0.0.1:$first)
accepts keygen --bits 1024 --insecure-key --out other >/dev/null
accepts encrypt --key other/public.json --data train.csv --batch 8 --out other.h5 >/dev/null
refuses 1 'has the key .*, the table is under' train --data other.h5 --network N-3-C --out x.h5 "${net[@]}" "${tls[@]}"
refuses 1 'does not answer the protocol .*--allow' "${train[@]}" --seed 1 --protocols paper --out x.h5 "${net[@]}" "${tls[@]}"
refuses 1 'names owner.example, whom this key holder does not serve' "${train[@]}" --seed 1 --out x.h5 "${net[@]}" --tls certificates/owner
refuses 1 'cannot listen on 127.0.0.1' serve --key keys/secret.json --listen 127.0.0.1:$first --tls certificates/key_holder
accepts certificates --out strangers --key-holder keys.example --evaluator evaluator.example --owner owner.example >/dev/null
refuses 1 'no key holder can be reached' "${train[@]}" --seed 1 --out x.h5 "${net[@]}" --tls strangers/evaluator

# A leaking protocol, where it is allowed by name; then the end, with the requests counted.
end TERM $one
[ $status -eq 0 ] || fail "serve ends with $status after SIGTERM"
grep -qE '^evaluator.example: [0-9]+ requests, [0-9]+ refused, ' "$logs/one.log" || fail "serve ends with: $(tail -n 2 "$logs/one.log")"
serve three 0 --allow homomorphic,comparison/affine
accepts "${train[@]}" --seed 11 --comparison affine --key-holder 127.0.0.1:$port "${tls[@]}" --out leak.h5 >/dev/null
same_weights leak.h5 inside11.h5
end TERM $server
[ $status -eq 0 ] || fail "serve that answered a leaking protocol ends with $status"

finish
