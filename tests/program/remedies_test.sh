#!/usr/bin/env bash
# What a message advises helps where it is said: situation, message, the same with the remedy. That each option which any refusal
# names exists is checked by `refuses` in all tests. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
toy=(--bits 1024 --insecure-key)
accepts keygen "${toy[@]}" --out keys >/dev/null
key=(--secret-key keys/secret.json)
rows 12 iris.csv small.csv
cut -d, -f1-4 small.csv >queries.csv
encrypt=(encrypt --key keys/public.json --data small.csv --batch 6 --quiet)
train=(train --network N-8-C --epochs 1 --quiet "${key[@]}")

# advises CODE PATTERN WORD.. [-- WORD.. [-- WORD..]]: the first command is refused with the message, what follows does it.
advises() {
  local code=$1 pattern=$2 refused=() words=()
  shift 2
  while [ $# -gt 0 ] && [ "$1" != -- ]; do refused+=("$1"); shift; done
  refuses "$code" "$pattern" "${refused[@]}"
  while [ $# -gt 0 ]; do
    shift
    words=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do words+=("$1"); shift; done
    accepts "${words[@]}" >/dev/null
  done
}

# ---- bit budget: where the table is encrypted by the command, and where it was encrypted before ----
plan=(plan --network 30-16-2 "${toy[@]}")
inner='where it is encrypted, --inner'
advises 1 "$inner 1101 or more is needed" plan --network 30-1100-2 --rows 32 "${toy[@]}" -- plan --network 30-1100-2 --rows 32 --inner 1101 "${toy[@]}"
advises 1 "$inner 5 or more" "${encrypt[@]}" --inner 4 --out i.h5 -- "${encrypt[@]}" --inner 6 --out i.h5
advises 1 "$inner 9 or more" "${train[@]}" --data i.h5 --out i.model -- "${encrypt[@]}" --inner 9 --out j.h5 -- "${train[@]}" --data j.h5 --out i.model
advises 1 'lower it' "${plan[@]}" --learning-rate 1e9 -- "${plan[@]}" --learning-rate 1
advises 1 'at least 1.52588e-05 is needed' "${plan[@]}" --learning-rate 1e-6 -- "${plan[@]}" --learning-rate 2e-5
falling=("${plan[@]}" --schedule cosine)
refuses 1 'in epoch [0-9]* of --schedule cosine; at least [0-9.]* is needed, or fewer --epochs' "${falling[@]}" --learning-rate 1e-4 --epochs 1000
accepts "${falling[@]}" --epochs 1000 --learning-rate "$(sed 's/.* at least \([0-9.]*\) .*/\1/' "$said/err")" >/dev/null
accepts "${falling[@]}" --epochs 10 --learning-rate 1e-2 >/dev/null
advises 1 'use 0 or a larger value' "${plan[@]}" --momentum 1e-12 -- "${plan[@]}" --momentum 0 -- "${plan[@]}" --momentum 1e-3

# ---- values that the numbers cannot hold: of a table, of queries, of first weights ----
printf 'a,b,label\n1e6,2,x\n-3e6,4,y\n2,4,y\n5,4,x\n' >large.csv
large=(encrypt --key keys/public.json --data large.csv --quiet --scaling none)
bits='encrypt the training table with more --value-bits, fewer --fraction-bits or another --scaling'
advises 1 "$bits" "${large[@]}" --out l.h5 -- "${large[@]}" --value-bits 40 --out l.h5
accepts "${large[@]/none/standard}" --out m.h5 >/dev/null
sed 's/^5\.[0-9]*/5e9/' queries.csv >far.csv
accepts "${encrypt[@]}" --out t.h5 >/dev/null
far=(encrypt --key keys/public.json --data far.csv --profile t.h5.profile.json --quiet)
advises 1 "$bits" "${far[@]}" --out q.h5 -- "${encrypt[@]}" --value-bits 50 --out wide.h5 -- "${far[@]/t.h5/wide.h5}" --value-bits 50 --out q.h5
# First weights of a spread of 0.7, in numbers below 2 and below 4.
weights=(train --network N-64-C --epochs 1 --quiet "${key[@]}" --seed 5 --insecure-seed)
accepts "${encrypt[@]}" --value-bits 8 --fraction-bits 6 --scaling min-max --profile narrow.json --out narrow.h5 >/dev/null
advises 1 "an initial weight is .*$bits" "${weights[@]}" --data narrow.h5 --out n.model -- "${encrypt[@]}" --value-bits 12 --fraction-bits 6 \
  --scaling min-max --profile narrow.json --out narrower.h5 -- "${weights[@]}" --data narrower.h5 --out n.model

# ---- files that were made otherwise ----
advises 1 'leave --batch out, or encrypt it again' "${train[@]}" --data t.h5 --batch 32 --out b.model -- "${train[@]}" --data t.h5 --out b.model
advises 1 'continue its training with --resume, replace it with --force, or name another file' "${train[@]}" --data t.h5 --out b.model -- \
  "${train[@]}" --data t.h5 --out b.model --resume -- \
  "${train[@]}" --data t.h5 --out b.model --force -- "${train[@]}" --data t.h5 --out c.model
advises 1 'leave --scaling out, or name another --profile' "${encrypt[@]}" --scaling none --profile t.h5.profile.json --out s.h5 -- \
  "${encrypt[@]}" --profile t.h5.profile.json --out s.h5 -- "${encrypt[@]}" --scaling none --profile s.json --out s2.h5
queries=(encrypt --key keys/public.json --data queries.csv --batch 6 --profile t.h5.profile.json --quiet)
predict=(predict --model b.model "${key[@]}" --quiet)
accepts "${queries[@]}" --fraction-bits 9 --out q9.h5 >/dev/null
advises 1 'encrypt the queries again with the latter' "${predict[@]}" --data q9.h5 --out a.h5 -- "${queries[@]}" --out q10.h5 -- \
  "${predict[@]}" --data q10.h5 --out a.h5
python3 -c 'import struct
open("images", "wb").write(struct.pack(">IIII", 2051, 4, 1, 2) + bytes(range(8)))
open("labels", "wb").write(struct.pack(">II", 2049, 4) + bytes([0, 1, 0, 1]))'
images=(encrypt --key keys/public.json --data images --quiet)
advises 1 'give the --profile of the training table' "${images[@]}" --out x.h5 -- \
  "${images[@]}" --labels labels --profile x.json --out y.h5 -- "${images[@]}" --profile x.json --out x.h5

# ---- consent ----
advises 1 'or add --insecure-key' plan --network 2-2-2 --bits 1024 -- plan --network 2-2-2 --bits 1024 --insecure-key
advises 1 'add --insecure-seed where that is wanted, or leave --seed out' "${train[@]}" --data t.h5 --seed 1 --out d.model -- \
  "${train[@]}" --data t.h5 --seed 1 --insecure-seed --out d.model
advises 2 'test-labels goes with --test' run --data small.csv --test-labels small.csv

finish
