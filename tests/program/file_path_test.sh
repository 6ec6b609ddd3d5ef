#!/usr/bin/env bash
# The path along the files gives the answers of `run --test` on the same two files with the same seed, with keys of 2048
# bits; and what each file says of itself.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
rows 6 iris.csv train.csv
awk 'NR == 1 || NR % 9 == 4' "$datasets/iris.csv" >test.csv
cut -d, -f1-4 test.csv >queries.csv
options=(--epochs 2 --learning-rate 0.3 --momentum 0.5 --weight-decay 0.01 --seed 11 --quiet)

accepts run --data train.csv --test test.csv --network N-3-C --batch 8 "${options[@]}" --json >run.json
holds 'j["weights_equal_twin"] is True and j["answers_equal_twin"] is True and j["key_bits"] == 2048' run.json

accepts keygen --out keys >/dev/null
[ "$(stat -c %a keys keys/secret.json | tr '\n' ' ')" = '700 600 ' ] || fail 'keys are open to others'
accepts keygen --out user >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 8 --seed 11 --out train.h5 >/dev/null
profile=train.h5.profile.json
accepts encrypt --key keys/public.json --data queries.csv --batch 8 --seed 11 --profile $profile --out queries.h5 >/dev/null
# Labels of a table of queries are ignored.
accepts encrypt --key keys/public.json --data test.csv --batch 8 --seed 11 --profile $profile --out test.h5 >/dev/null
accepts train --data train.h5 --network N-3-C "${options[@]}" --insecure-seed --secret-key keys/secret.json --out model.h5 \
  --metrics metrics.jsonl --json >train.json
for table in queries test; do
  accepts predict --model model.h5 --data $table.h5 --secret-key keys/secret.json --seed 11 --insecure-seed --quiet \
    --out $table.answers.h5 >/dev/null
  accepts decrypt --key keys/secret.json --in $table.answers.h5 --profile $profile --out $table.csv.out >/dev/null
done
# Under the user's key: nobody else opens it.
accepts predict --model model.h5 --data queries.h5 --secret-key keys/secret.json --seed 11 --insecure-seed --quiet \
  --user-key user/public.json --out user.answers.h5 >/dev/null
refuses 1 'belongs to the key' decrypt --key keys/secret.json --in user.answers.h5 --out x.csv
accepts decrypt --key user/secret.json --in user.answers.h5 --profile $profile --out user.csv.out >/dev/null
for table in test user; do
  cmp -s queries.csv.out $table.csv.out || fail "$table.csv.out has other answers than queries.csv.out"
done
[ "$(stat -c %a queries.csv.out)" = 600 ] || fail 'answers in the clear are open to others'
python3 - <<'PYTHON' || fail 'the answers of the files are not those of run --test'
import csv, json, sys
rows = list(csv.DictReader(open("queries.csv.out")))
assert [int(row["row"]) for row in rows] == list(range(1, len(rows) + 1))
assert list(rows[0]) == ["row", "class", "output_setosa", "output_versicolor", "output_virginica"]
for row in rows:  # the largest output names the class
    outputs = {name[7:]: float(value) for name, value in row.items() if name.startswith("output_")}
    assert max(outputs, key=outputs.get) == row["class"], row
sys.exit([row["class"] for row in rows] != json.load(open("run.json"))["answers"])
PYTHON

accepts predict --model model.h5 --data queries.h5 --secret-key keys/secret.json --quiet --json --out again.h5 >predict.json
holds 'j["rows"] == 17 and j["outputs"] == 3 and j["network"] == "4-3-3" and j["rounds"] > 0 and j["seconds"]["predict"] > 0 and j["bytes"]["to_evaluator"] > 0' predict.json
# Without a profile classes are numbers.
accepts decrypt --key keys/secret.json --in queries.answers.h5 --out numbers.csv >/dev/null
[ "$(head -n 1 numbers.csv)" = row,class,output_0,output_1,output_2 ] || fail "header $(head -n 1 numbers.csv)"

# The exported model classifies the queries alike, in doubles (to the carries of the fixed-point numbers).
accepts export --model model.h5 --key keys/secret.json --out model.json >/dev/null
outputs_match model.json $profile queries.csv queries.csv.out
python3 - <<'PYTHON' || fail 'the exported model has another form'
import json
model = json.load(open("model.json"))
assert list(model) == ["format", "version", "task", "network", "fraction_bits", "layers"] and model["network"] == [4, 3, 3]
for layer, (inputs, outputs) in zip(model["layers"], [(4, 3), (3, 3)]):
    assert len(layer["weights"]) == inputs and all(len(row) == outputs for row in layer["weights"])
    assert len(layer["biases"]) == outputs
    assert all((w * 2 ** model["fraction_bits"]).is_integer() for row in layer["weights"] for w in row)
PYTHON

# The owner gets the model under a key of its own, and needs no other's secret.
accepts release --model model.h5 --user-key user/public.json --secret-key keys/secret.json --quiet --out owner.h5 >release.txt
grep -qE '^owner.h5: 4-3-3 after 2 epochs, under the key [0-9a-f]{16}\.\., in .*, 2 rounds$' release.txt ||
  fail "release says: $(cat release.txt)"
accepts export --model owner.h5 --key user/secret.json --out owner.json >/dev/null
[ ! -s "$said/err" ] || fail "export by the owner says: $(cat "$said/err")"
cmp -s model.json owner.json || fail 'the released model has other weights'
refuses 1 'belongs to the key' export --model owner.h5 --key keys/secret.json --out x.json
refuses 1 'belongs to the key' predict --model owner.h5 --data queries.h5 --secret-key keys/secret.json --out x.h5
# Where the key holder's secret meets the evaluator's files, that is said.
accepts export --model model.h5 --key keys/secret.json --force --out model.json >/dev/null
grep -q '^smlp: note: model.h5 .*all roles are in one hand' "$said/err" || fail "export says: $(cat "$said/err")"
accepts decrypt --key keys/secret.json --in queries.answers.h5 --force --out numbers.csv >/dev/null
grep -q '^smlp: note: queries.answers.h5 .*all roles are in one hand' "$said/err" || fail "decrypt says: $(cat "$said/err")"
accepts decrypt --key user/secret.json --in user.answers.h5 --out user.csv >/dev/null
[ ! -s "$said/err" ] || fail "decrypt by the owner says: $(cat "$said/err")"

# What the files and reports say.
steps=$(grep -c '"step"' metrics.jsonl)
[ "$steps" -eq "$(python3 -c 'import json; n=sum(1 for _ in open("train.csv"))-1; print(2*-(-n//8))')" ] || fail "$steps steps in metrics"
[ "$(wc -l <metrics.jsonl)" -eq $((steps + 3)) ] || fail 'metrics without a head and a line an epoch'
holds 'j["network"] == "4-3-3" and j["rounds"] > 0 and j["bytes"]["to_key_holder"] > 0 and j["seconds"]["train"] > 0' train.json
accepts inspect train.h5 --json >i.json
holds 'j["kind"] == "encrypted table" and j["rows"] == 25 and j["classes"] == 3 and j["batch"] == 8' i.json
accepts inspect queries.h5 --json >i.json
holds 'j["classes"] == 0' i.json
accepts inspect model.h5 --json >i.json
holds 'j["kind"] == "encrypted model" and j["epochs_done"] == 2 and j["training"]["momentum"] == 0.5' i.json
accepts inspect user.answers.h5 --json >i.json
holds 'j["kind"] == "encrypted answers" and j["outputs"] == 3 and j["handed_over"] is True' i.json
accepts inspect owner.h5 --json >i.json
holds 'j["kind"] == "encrypted model" and j["epochs_done"] == 2 and j["handed_over"] is True' i.json
accepts inspect keys/public.json --json >i.json
holds 'j["kind"] == "public key" and j["key_bits"] == 2048 and j["variant"] == "subgroup"' i.json
accepts inspect $profile --json >i.json
holds 'j["kind"] == "profile" and j["classes"] == ["setosa", "versicolor", "virginica"]' i.json
accepts inspect keys/secret.json >i.txt
grep -q '^kind  *secret key' i.txt || fail 'inspect does not know a secret key'
python3 - <<'PYTHON' || fail 'inspect tells a secret'
import json, sys
def texts(node):
    return sum(map(texts, node.values()), []) if isinstance(node, dict) else [node] if isinstance(node, str) else []
shown = open("i.txt").read()
public = texts(json.load(open("keys/public.json")))
sys.exit(any(len(t) > 20 and t in shown for t in texts(json.load(open("keys/secret.json"))) if t not in public))
PYTHON

# The protocols of the paper unpack a packed table, and agree with `run` too (toy keys).
paper=(--epochs 1 --protocols paper --seed 11 --quiet)
accepts run --data train.csv --test test.csv --network N-2-C --batch 8 --bits 1024 --insecure-key "${paper[@]}" \
  --json >run.json
holds 'j["weights_equal_twin"] is True and j["protocols"]["matmul"] == "blinded"' run.json
accepts keygen --bits 1024 --insecure-key --out toy >/dev/null
toy_keys
accepts encrypt --key toy/public.json --data train.csv --batch 8 --seed 11 --out paper.h5 >/dev/null
accepts train --data paper.h5 --network N-2-C "${paper[@]}" --insecure-seed --secret-key toy/secret.json \
  --out paper.model.h5 >/dev/null
accepts encrypt --key toy/public.json --data queries.csv --batch 8 --seed 11 --profile paper.h5.profile.json \
  --out paper.q.h5 >/dev/null
accepts predict --model paper.model.h5 --data paper.q.h5 --secret-key toy/secret.json --seed 11 --insecure-seed \
  --out paper.a.h5 --quiet >/dev/null
accepts decrypt --key toy/secret.json --in paper.a.h5 --profile paper.h5.profile.json --out paper.csv >/dev/null
holds 'j["answers"] == [line.split(",")[1] for line in open("paper.csv")][1:]' run.json
accepts export --model paper.model.h5 --key toy/secret.json --out paper.json >/dev/null
outputs_match paper.json paper.h5.profile.json queries.csv paper.csv
accepts inspect paper.model.h5 --json >i.json
holds 'j["slots"] == 1 and j["protocols"]["comparison"] == "affine"' i.json

finish
