#!/usr/bin/env bash
# Keys that protect nothing are refused wherever keys come from a file, unless --insecure-key is given.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
strict=$smlp
accepts keygen --bits 1024 --insecure-key --out toy >/dev/null
accepts keygen --out keys >/dev/null
rows 25 iris.csv train.csv
cut -d, -f1-4 train.csv >queries.csv
(toy_keys
accepts encrypt --key toy/public.json --data train.csv --batch 6 --out t.h5 >/dev/null
accepts encrypt --key toy/public.json --data queries.csv --batch 6 --profile t.h5.profile.json --out q.h5 >/dev/null
accepts train --data t.h5 --network N-2-C --epochs 1 --secret-key toy/secret.json --out m.h5 --quiet >/dev/null
accepts predict --model m.h5 --data q.h5 --secret-key toy/secret.json --out a.h5 --quiet >/dev/null
finish) || fail 'toy keys with --insecure-key'

weak='whose Paillier modulus has 1024 bits, at least 2048 protect anything: .*--insecure-key'
toy=(--secret-key toy/secret.json)
network=(--key-holder localhost:1 --insecure-transport)
refuses 1 "toy/public.json has a key $weak" encrypt --key toy/public.json --data train.csv --out x.h5
refuses 1 "toy/secret.json has a key $weak" serve --key toy/secret.json --listen 127.0.0.1:0 --insecure-transport
refuses 1 "toy/public.json has a key $weak" serve --key keys/secret.json --listen 127.0.0.1:0 --insecure-transport --user-key toy/public.json
refuses 1 "toy/secret.json has a key $weak" train --data t.h5 --network N-2-C "${toy[@]}" --out x.h5
refuses 1 "t.h5 has a key $weak" train --data t.h5 --network N-2-C "${network[@]}" --out x.h5
refuses 1 "toy/secret.json has a key $weak" predict --model m.h5 --data q.h5 "${toy[@]}" --out x.h5
refuses 1 "m.h5 has a key $weak" predict --model m.h5 --data q.h5 "${network[@]}" --out x.h5
refuses 1 "m.h5 has a key $weak" release --model m.h5 --user-key keys/public.json "${network[@]}" --out x.h5
refuses 1 "toy/secret.json has a key $weak" decrypt --key toy/secret.json --in a.h5 --out x.csv
refuses 1 "toy/secret.json has a key $weak" export --model m.h5 --key toy/secret.json --out x.json
refuses 1 "toy/secret.json has a key $weak" run --data train.csv "${toy[@]}"

# Results handed over to a weak key of a user, under a key holder with a good one.
accepts encrypt --key keys/public.json --data train.csv --batch 6 --out good.t.h5 >/dev/null
accepts encrypt --key keys/public.json --data queries.csv --batch 6 --profile good.t.h5.profile.json --out good.q.h5 >/dev/null
good=(--secret-key keys/secret.json)
accepts train --data good.t.h5 --network N-2-C --epochs 1 "${good[@]}" --out good.m.h5 --quiet >/dev/null
refuses 1 "toy/public.json has a key $weak" predict --model good.m.h5 --data good.q.h5 "${good[@]}" --user-key toy/public.json --out x.h5
refuses 1 "toy/public.json has a key $weak" release --model good.m.h5 "${good[@]}" --user-key toy/public.json --out x.h5

# A modulus of full length over a hidden subgroup that is small enough to be searched.
[ "$strict" = "$smlp" ] || fail 'the strict program was lost'
finish
