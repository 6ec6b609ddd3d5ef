#!/usr/bin/env bash
# Every bad input gets one clear line, exit code 1 (2 for usage), and leaves no file. Keys of 1024 bits: toys, made with
# --insecure-key, since nothing here depends on their length.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys

# ---- usage ----
refuses 2 'a command is needed'
refuses 2 "no command 'fly'" fly
refuses 2 "smlp run has no option '--fly'; smlp run --help" run --fly
refuses 2 'needs --data' run
refuses 2 'needs --out' keygen
refuses 2 'needs FILE' inspect
refuses 2 "does not take 'extra'" keygen --out k extra
refuses 2 "--epochs is 'many', a whole number" run --data x.csv --epochs many
refuses 2 "--epochs is '-1', a whole number" run --data x.csv --epochs -1
refuses 2 "--epochs is '1.5', a whole number" run --data x.csv --epochs 1.5
refuses 2 "--epochs is '99999999999999999999'" run --data x.csv --epochs 99999999999999999999
refuses 2 "--momentum is 'fast', a number" run --data x.csv --momentum fast
refuses 2 '--seed is given twice' run --data x.csv --seed 1 --seed 2
refuses 2 "no Paillier variant|variant" run --data x.csv --variant fancy
refuses 2 'scaling' run --data x.csv --scaling fancy
refuses 2 'there is constant, linear, cosine' run --data x.csv --schedule fancy
refuses 2 '--threads is 0, allowed are 1 to 1024' run --data x.csv --threads 0
refuses 2 'exclude each other' run --data x.csv --test y.csv --test-fraction 0.3
refuses 2 'cannot read the config file nowhere.ini' run --data x.csv --config nowhere.ini
echo 'epoch = 3' >wrong.ini
refuses 2 "wrong.ini has the option 'epoch'.*did you mean 'epochs'" run --data x.csv --config wrong.ini
echo 'epochs = few' >wrong.ini
refuses 2 "--epochs is 'few'" run --data x.csv --config wrong.ini
echo 'json = perhaps' >wrong.ini
refuses 2 'true or false' run --data x.csv --config wrong.ini

# ---- tables ----
run() { local code=$1 pattern=$2; shift 2; refuses "$code" "$pattern" run --quiet "$@"; }
run 1 'none.csv' --data none.csv
: >empty.csv
run 1 'empty.csv.* is empty' --data empty.csv
echo 'a,b,label' >header.csv
run 1 'header.csv.*(no rows|header)' --data header.csv
printf 'a,b,label\n1,2,x\n3,oops,y\n' >text.csv
run 1 "row 2.*'b'.*'oops'" --data text.csv
printf 'a,b,label\n1,2,x\n3,y\n' >ragged.csv
run 1 'row 2' --data ragged.csv
printf 'a,b,label\n1,2,x\n3,nan,y\n' >nan.csv
run 1 "row 2, column 'b' is 'nan'.*--missing mean" --data nan.csv
printf 'a,b,label\n1,inf,x\n3,4,y\n' >inf.csv
run 1 "row 1.*'b'.*finite" --data inf.csv
printf 'a,b,label\n1,2,x\n3,4,x\n' >one.csv
run 1 "one class|only class|class 'x'" --data one.csv
run 1 "nowhere" --data "$datasets/iris.csv" --label nowhere
run 1 'dir' --data "$dir"
run 1 'no IDX file' --data "$datasets/iris.csv" --labels "$datasets/iris.csv"
printf 'a,b,label\n1e9,2,x\n-3e9,4,y\n2,4,y\n5,4,x\n' >large.csv
run 1 '--scaling.*--value-bits|--value-bits' --data large.csv --scaling none

# ---- networks, rates, bit budgets, protocols ----
iris=(--data "$datasets/iris.csv")
run 1 'has 5 inputs, the table has 4 features' "${iris[@]}" --network 5-3-3
run 1 'has 2 outputs, the table has 3 classes' "${iris[@]}" --network N-3-2
run 1 "layer size 'x'" "${iris[@]}" --network 4-x-3
run 1 'has 1 sizes' "${iris[@]}" --network 4
for rate in nan inf -inf 0 -0.1; do run 1 '--learning-rate' "${iris[@]}" --learning-rate $rate; done
run 1 '--learning-rate 1e-12.* rounds to zero' "${iris[@]}" --learning-rate 1e-12
run 1 '--learning-rate 1e\+09.* above the largest' "${iris[@]}" --learning-rate 1e9
run 1 '--learning-rate .* rounds to zero' "${iris[@]}" --learning-rate 1e-4 --schedule cosine --epochs 1000
run 1 '--momentum is 1' "${iris[@]}" --momentum 1
run 1 '--weight-decay is -1' "${iris[@]}" --weight-decay -1
run 1 '--epochs is 0' "${iris[@]}" --epochs 0
run 1 '--batch is 0' "${iris[@]}" --batch 0
run 1 'forward product of layer 2.*--inner' "${iris[@]}" --network N-1024-C
run 1 'gradient of layer 1.*--inner' "${iris[@]}" --inner 16
run 1 '--value-bits|value bits' "${iris[@]}" --value-bits 4
run 1 '--sigma|sigma' "${iris[@]}" --sigma 10
run 1 '--fraction-bits|fraction bits' "${iris[@]}" --fraction-bits 30
run 1 '--inner is 1000000000000' "${iris[@]}" --inner 1000000000000
run 1 'there is homomorphic, hybrid, paper' "${iris[@]}" --protocols secret
run 1 "no comparison protocol 'x'; there is dgk-veugen, affine" "${iris[@]}" --comparison x
run 1 '--test-fraction|fraction' "${iris[@]}" --test-fraction 1
run 1 '--bits is 1000' "${iris[@]}" --bits 1000
run 1 '--bits 1024 is too short.*--insecure-key' "${iris[@]}" --bits 1024
run 1 'cannot write --metrics' "${iris[@]}" --metrics nowhere/m.jsonl
printf 'sepal_length,sepal_width,petal_length,species\n1,2,3,setosa\n' >columns.csv
run 1 "'petal_width'" "${iris[@]}" --test columns.csv
printf 'sepal_length,sepal_width,petal_length,petal_width,species\n1,2,3,4,daisy\n' >classes.csv
run 1 "'daisy'" "${iris[@]}" --test classes.csv

# ---- keys ----
refuses 1 '--bits 1024 is too short' keygen --bits 1024 --out keys
refuses 1 '--bits is 512' keygen --bits 512 --out keys
refuses 1 'nowhere' keygen --bits 1024 --insecure-key --out nowhere/keys
refuses 1 'not a directory' keygen --bits 1024 --insecure-key --out empty.csv
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
accepts keygen --bits 1024 --insecure-key --out other >/dev/null
refuses 1 'keys/secret.json is there already: .*--force' keygen --bits 1024 --insecure-key --out keys

# ---- encrypt ----
rows 12 iris.csv small.csv
encrypt=(encrypt --key keys/public.json --data small.csv)
refuses 1 'cannot write --out nowhere' "${encrypt[@]}" --out nowhere/t.h5
refuses 1 'is a directory' "${encrypt[@]}" --out keys
refuses 1 'would overwrite' "${encrypt[@]}" --out small.csv
refuses 1 'would overwrite' "${encrypt[@]}" --out t.h5 --profile small.csv
refuses 1 'would overwrite' "${encrypt[@]}" --out t.h5 --profile t.h5
refuses 1 'would overwrite' run --data small.csv --metrics small.csv
refuses 1 'where it is encrypted, --inner 5 or more is needed' "${encrypt[@]}" --out t.h5 --inner 4
printf 'a,label\n1,caf\xe9\n2,x\n' >latin.csv
refuses 1 'line 2 is not UTF-8 text' encrypt --key keys/public.json --data latin.csv --out t.h5
refuses 1 'none.json' encrypt --key none.json --data small.csv --out t.h5
refuses 1 'small.csv' encrypt --key small.csv --data small.csv --out t.h5
refuses 1 '--batch is 0' "${encrypt[@]}" --batch 0 --out t.h5
refuses 1 "'oops'" encrypt --key keys/public.json --data text.csv --out t.h5
accepts "${encrypt[@]}" --batch 6 --out t.h5 >/dev/null
refuses 1 'scales by standard, --scaling asks for none' "${encrypt[@]}" --scaling none --force --out t.h5
refuses 1 '--out t.h5 is there already: replace it with --force' "${encrypt[@]}" --out t.h5
sed 's/"standard"/"min-max"/' t.h5.profile.json >edited.json
refuses 1 'edited.json.*checksum' "${encrypt[@]}" --profile edited.json --out u.h5

# ---- train ----
train=(train --data t.h5 --network N-2-C --out m.h5)
key=(--secret-key keys/secret.json)
refuses 2 'needs --key-holder with --tls, or --secret-key' "${train[@]}"
refuses 2 'exclude each other' "${train[@]}" "${key[@]}" --key-holder localhost:1
refuses 2 'needs --tls, or --insecure-transport' "${train[@]}" --key-holder localhost:1
refuses 2 'go with --key-holder' "${train[@]}" "${key[@]}" --tls certificates
refuses 1 'certificates/authority.pem' "${train[@]}" --key-holder localhost:1 --tls certificates
refuses 1 "'localhost' is no address" "${train[@]}" --key-holder localhost --insecure-transport
refuses 1 'on a loopback address alone' "${train[@]}" --key-holder 192.0.2.1:1 --insecure-transport
refuses 1 'no key holder can be reached: localhost:1: ' "${train[@]}" --key-holder localhost:1 --insecure-transport
refuses 2 '--timeout is 0' "${train[@]}" --key-holder localhost:1 --insecure-transport --timeout 0
refuses 1 '--insecure-seed' "${train[@]}" "${key[@]}" --seed 1
refuses 1 'belongs to the key' "${train[@]}" --secret-key other/secret.json
refuses 1 '--batch is 32, but t.h5 was encrypted with --batch 6' "${train[@]}" "${key[@]}" --batch 32
refuses 1 'has 9 inputs' train --data t.h5 --network 9-2-3 --out m.h5 "${key[@]}"
refuses 1 'cannot write --out nowhere' train --data t.h5 --network N-2-C --out nowhere/m.h5 "${key[@]}"
refuses 1 'cannot write --out /proc' train --data t.h5 --network N-2-C --out /proc/m.h5 "${key[@]}"
refuses 1 'would overwrite' train --data t.h5 --network N-2-C --out t.h5 "${key[@]}"
refuses 1 'forward product of layer 2.*--inner' train --data t.h5 --network N-1024-C --out m.h5 "${key[@]}"
refuses 1 'small.csv' train --data small.csv --network N-2-C --out m.h5 "${key[@]}"
refuses 1 'keys/public.json' "${train[@]}" --secret-key keys/public.json
chmod 644 keys/secret.json
refuses 1 'chmod 600' "${train[@]}" "${key[@]}"
chmod 600 keys/secret.json
(umask 077 && python3 - <<'PYTHON'
import json
key = json.load(open("keys/secret.json"))
def swap(node):
    """Puts the factor q where p belongs, wherever the key has both."""
    if isinstance(node, dict):
        if "p" in node and "q" in node and isinstance(node["p"], str):
            node["p"] = node["q"]
        for child in node.values():
            swap(child)
swap(key)
json.dump(key, open("wrong.json", "w"))
PYTHON
)
refuses 1 'wrong.json' "${train[@]}" --secret-key wrong.json
# labels that are not there
cut -d, -f1-4 small.csv >queries.csv
accepts encrypt --key keys/public.json --data queries.csv --batch 6 --profile t.h5.profile.json --out q.h5 >/dev/null
refuses 1 'q.h5 has no labels' train --data q.h5 --network 4-2-3 --out m.h5 "${key[@]}"
refuses 1 "none.json|petal_width|class" encrypt --key keys/public.json --data queries.csv --label species --out r.h5

accepts "${train[@]}" "${key[@]}" --epochs 1 --seed 1 --insecure-seed --quiet >/dev/null
resume=("${train[@]}" "${key[@]}" --resume --quiet --epochs 2)
refuses 1 'has the network 4-2-3, not 4-3-3' "${resume[@]/N-2-C/N-3-C}"
refuses 1 '--learning-rate 0.1, not 0.2' "${resume[@]}" --learning-rate 0.2
refuses 1 '--momentum' "${resume[@]}" --momentum 0.5
refuses 1 '--epochs 1, not 2|--schedule' "${resume[@]}" --schedule linear
refuses 1 '--comparison dgk-veugen, not affine' "${resume[@]}" --comparison affine
refuses 2 '--resume and --force exclude each other' "${resume[@]}" --force
refuses 1 '--out m.h5 is there already: continue its training with --resume' "${train[@]}" "${key[@]}"
accepts encrypt --key keys/public.json --data small.csv --batch 6 --out again.h5 --profile t.h5.profile.json >/dev/null
refuses 1 'another table' "${resume[@]/t.h5/again.h5}"

# ---- serve, certificates ----
serve=(serve --key keys/secret.json --listen 127.0.0.1:0)
refuses 2 'needs --tls, or --insecure-transport' "${serve[@]}"
refuses 1 'on a loopback address alone' serve --key keys/secret.json --listen 0.0.0.0:0 --insecure-transport
refuses 1 "'here' is no address" serve --key keys/secret.json --listen here --insecure-transport
refuses 1 "there is no protocol 'fast'" "${serve[@]}" --insecure-transport --allow fast
refuses 2 '--memory is 0' "${serve[@]}" --insecure-transport --memory 0
refuses 1 'none.json' "${serve[@]}" --insecure-transport --user-key none.json
refuses 1 'keys/public.json' serve --key keys/public.json --listen 127.0.0.1:0 --insecure-transport
certificates=(certificates --evaluator e.example --owner o.example)
refuses 1 'same name' "${certificates[@]}" --key-holder e.example --out certificates
refuses 1 "named 'a b'" "${certificates[@]}" --key-holder 'a b' --out certificates
refuses 1 '--days is 0' "${certificates[@]}" --key-holder k.example --out certificates --days 0
refuses 1 'is not empty' "${certificates[@]}" --key-holder k.example --out keys

# ---- predict, decrypt, export, inspect ----
predict=(predict --model m.h5 --data q.h5 --out a.h5)
refuses 1 '--insecure-seed' "${predict[@]}" "${key[@]}" --seed 1
refuses 1 'belongs to the key' "${predict[@]}" --secret-key other/secret.json
refuses 1 't.h5|format|model' predict --model t.h5 --data q.h5 --out a.h5 "${key[@]}"
accepts encrypt --key keys/public.json --data queries.csv --batch 6 --fraction-bits 9 --profile t.h5.profile.json --out f.h5 >/dev/null
refuses 1 '--fraction-bits 9 .*--fraction-bits 10' predict --model m.h5 --data f.h5 --out a.h5 "${key[@]}"
accepts encrypt --key keys/public.json --data "$datasets/xor.csv" --batch 500 --out x.h5 >/dev/null
refuses 1 'has 4 inputs, the table of queries has 2 features' predict --model m.h5 --data x.h5 --out a.h5 "${key[@]}"
accepts "${predict[@]}" "${key[@]}" --quiet >/dev/null
refuses 1 '--out a.h5 is there already' "${predict[@]}" "${key[@]}"
refuses 1 'belongs to the key' decrypt --key other/secret.json --in a.h5 --out a.csv
refuses 1 'x.h5.profile.json is not that of the model.*--profile' decrypt --key keys/secret.json --in a.h5 --profile x.h5.profile.json --out a.csv
refuses 1 'would overwrite' decrypt --key keys/secret.json --in a.h5 --out keys/secret.json
refuses 1 'belongs to the key' export --model m.h5 --key other/secret.json --out m.json
refuses 1 'would overwrite' export --model m.h5 --key keys/secret.json --out keys/secret.json
release=(release --model m.h5 --out o.h5)
refuses 2 'needs --user-key' "${release[@]}" "${key[@]}"
refuses 2 'needs --key-holder with --tls, or --secret-key' "${release[@]}" --user-key other/public.json
refuses 1 'belongs to the key' "${release[@]}" --user-key keys/public.json --secret-key other/secret.json
refuses 1 'other/secret.json' "${release[@]}" --user-key other/secret.json "${key[@]}"
refuses 1 'would overwrite' "${release[@]/o.h5/m.h5}" --user-key other/public.json "${key[@]}"
refuses 1 'is no file of smlp' inspect small.csv
refuses 1 'none' inspect none

# ---- damage: cut in the middle, and bits flipped here and there ----
damage() {
  head -c "$(($(stat -c %s "$1") / 2))" "$1" >"cut.$2"
  python3 -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read())
for i in range(256, len(data), 509):
    data[i] ^= 4
open(sys.argv[2], "wb").write(data)' "$1" "flipped.$2"
  chmod 600 "cut.$2" "flipped.$2"
}
damage t.h5 t.h5 && damage m.h5 m.h5 && damage a.h5 a.h5 && damage keys/secret.json secret && damage keys/public.json public
damage t.h5.profile.json profile
for how in cut flipped; do
  refuses 1 "$how.t.h5" train --data $how.t.h5 --network N-2-C --out n.h5 "${key[@]}" --quiet
  refuses 1 "$how.m.h5" predict --model $how.m.h5 --data q.h5 --out b.h5 "${key[@]}" --quiet
  refuses 1 "$how.m.h5" export --model $how.m.h5 --key keys/secret.json --out m.json
  refuses 1 "$how.a.h5" decrypt --key keys/secret.json --in $how.a.h5 --out a.csv
  refuses 1 "$how.secret" decrypt --key $how.secret --in a.h5 --out a.csv
  refuses 1 "$how.public" encrypt --key $how.public --data small.csv --out n.h5
  refuses 1 "$how.profile" decrypt --key keys/secret.json --in a.h5 --profile $how.profile --out a.csv
done

finish
