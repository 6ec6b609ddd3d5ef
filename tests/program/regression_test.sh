#!/usr/bin/env bash
# Numbers to learn: from a table to answers in the label's units, with keys of 2048 bits, and what is refused.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
# y is 100 + 20 x1 - 10 x2, with a decimal comma in one of the two ways to write it.
python3 - <<'PYTHON'
with open("table.csv", "w") as plain, open("commas.csv", "w") as commas, open("queries.csv", "w") as queries:
    plain.write("x1,x2,y\n")
    commas.write("x1;x2;y\n")
    queries.write("x1,x2\n")
    for i in range(24):
        x1, x2 = i % 5 / 2, i % 7
        plain.write(f"{x1},{x2},{100 + 20 * x1 - 10 * x2}\n")
        commas.write(f"{x1};{x2};{100 + 20 * x1 - 10 * x2}\n".replace(".", ","))
        queries.write(f"{x1},{x2}\n")
PYTHON
options=(--network N-3-1 --learning-rate 0.05 --epochs 2 --batch 12)
run=(run --data table.csv --task regression "${options[@]}" --seed 3 --quiet)

# Encrypted, twin and clear, and all three measures of each.
accepts "${run[@]}" --json --metrics metrics.jsonl >run.json
holds 'j["weights_equal_twin"] and j["answers_equal_twin"] and j["task"] == "regression" and j["layers"] == ["relu", "linear"] and j["scaling"]["label_factor"] > 0 and len(j["trained"]["layers"]) == 2' run.json
holds '"accuracy" not in j and "confusion" not in j and len(j["answers"]) == j["rows"]["test"] == 5' run.json
holds 'all(j[m]["encrypted"] == j[m]["twin"] and abs(j[m]["float"] - j[m]["twin"]) < 0.01 * abs(j[m]["float"]) for m in ("r2", "squared_error", "absolute_error"))' run.json
python3 - <<'PYTHON' || fail 'measures are not those of the answers'
import csv, json
run = json.load(open("run.json"))
rows = list(csv.DictReader(open("table.csv")))
truth = [float(rows[row - 1]["y"]) for row in run["tested_rows"]]
errors = [a - t for a, t in zip(run["answers"], truth, strict=True)]
mean = sum(truth) / len(truth)
close = lambda a, b: abs(a - b) < 1e-6 * max(1, abs(b))
assert close(run["squared_error"]["encrypted"], sum(e * e for e in errors) / len(errors))
assert close(run["absolute_error"]["encrypted"], sum(map(abs, errors)) / len(errors))
assert close(run["r2"]["encrypted"], 1 - sum(e * e for e in errors) / sum((t - mean) ** 2 for t in truth))
assert 50 < mean < 150 and all(-100 < a < 300 for a in run["answers"])
epochs = [line for line in map(json.loads, open("metrics.jsonl")) if "epoch" in line and "step" not in line]
assert [set(e) >= {"loss", "r2", "squared_error", "absolute_error"} for e in epochs] == [True, True]
PYTHON
accepts "${run[@]}" --json --clear >clear.json
python3 -c 'import json
run, clear = json.load(open("run.json")), json.load(open("clear.json"))
last = clear["settings"][0]["trials"][0]["history"][-1]
assert all(last[m]["twin"] == run["history"][-1][m]["twin"] for m in ("loss", "r2", "squared_error", "absolute_error"))' ||
  fail 'the curve in the clear is another'
accepts "${run[@]:0:15}" --clear >clear.txt
grep -qE '^R\^2 .* twin, .* float; mean squared error .*; mean absolute error .*; loss .* twin$' clear.txt || fail "$(cat clear.txt)"
grep -q '  smlp encrypt .*--data table.csv --task regression ' clear.txt || fail "no command for a regression: $(cat clear.txt)"

# By the files of three parties.
accepts keygen --out keys >/dev/null
accepts encrypt --key keys/public.json --data commas.csv --separator semicolon --decimal , --task regression --batch 12 --seed 1 --out table.h5 >encrypt.txt
grep -q "the number 'y'" encrypt.txt || fail "the label is not named: $(cat encrypt.txt)"
accepts encrypt --key keys/public.json --data queries.csv --seed 1 --profile table.h5.profile.json --out queries.h5 >/dev/null
accepts train --data table.h5 "${options[@]:0:6}" --seed 1 --insecure-seed --secret-key keys/secret.json --out model.h5 --quiet >/dev/null
accepts predict --model model.h5 --data queries.h5 --secret-key keys/secret.json --seed 1 --insecure-seed --out answers.h5 --quiet >/dev/null
accepts decrypt --key keys/secret.json --in answers.h5 --profile table.h5.profile.json --out answers.csv >/dev/null
head -n 1 answers.csv | grep -qx 'row,value' || fail "header of the answers: $(head -n 1 answers.csv)"
for file in table.h5 queries.h5 model.h5 answers.h5 table.h5.profile.json; do
  accepts inspect --json "$file" >inspect.json
  holds 'j["task"] == "regression"' inspect.json
done

# The exported network, by hand, with the profile.
accepts export --model model.h5 --key keys/secret.json --out model.json >/dev/null
python3 - <<'PYTHON' || fail 'answers are not those of the exported network'
import csv, json
profile, model = json.load(open("table.h5.profile.json")), json.load(open("model.json"))
assert profile["version"] == 3 and profile["classes"] == [] and model["task"] == "regression"
rows = [[float(c) for c in row] for row in list(csv.reader(open("queries.csv")))[1:]]
answers = [float(row["value"]) for row in csv.DictReader(open("answers.csv"))]
assert len(answers) == 24
for row, answer in zip(rows, answers, strict=True):
    values = [(v - o) * f for v, o, f in zip(row, profile["offset"], profile["factor"], strict=True)]
    for layer in model["layers"]:
        sums = [sum(v * w[j] for v, w in zip(values, layer["weights"], strict=True)) + b for j, b in enumerate(layer["biases"])]
        values = [max(s, 0) for s in sums] if layer["kind"] == "relu" else sums
    assert abs(values[0] / profile["label_factor"] + profile["label_offset"] - answer) < 0.1
PYTHON

# Scored against the labels, in either way of writing them.
accepts score --answers answers.csv --data table.csv --json >score.json
accepts score --answers answers.csv --data commas.csv --separator semicolon --decimal , --json >commas.json
holds 'j["task"] == "regression" and j["rows"] == 24 and j["r2"] > 0.2 and j["squared_error"] > j["absolute_error"] > 0' score.json
python3 -c 'import json
a, b = json.load(open("score.json")), json.load(open("commas.json"))
assert all(a[m] == b[m] for m in ("r2", "squared_error", "absolute_error"))' || fail 'decimal commas are scored otherwise'
accepts score --answers answers.csv --data table.csv >score.txt
grep -qE '^R\^2 0\.[0-9]+ of 24 rows; always answering their mean would give 0$' score.txt || fail "$(cat score.txt)"

refuses 1 'whose units only the profile.*--profile' decrypt --key keys/secret.json --in answers.h5 --out other.csv
refuses 2 'hard-sigmoid outputs are those of classes: take linear' "${run[@]}" --output hard-sigmoid
refuses 2 "there is no task 'ranking'; there is classification, regression" run --data table.csv --task ranking
refuses 1 '1 outputs?|3 outputs, the table has 1' run --data table.csv --task regression --network N-4-3
printf 'x,y\n1,2\n2,many\n' >words.csv
refuses 1 "row 2, column 'y' is 'many', not a number; --task regression learns numbers" run --data words.csv --task regression
printf 'x,y\n1,2\n2,NA\n' >missing.csv
refuses 1 "row 2, column 'y' is 'NA', a number is needed; --missing drop" run --data missing.csv --task regression
printf 'x,y\n1,2\n2,2\n3,2.0\n' >same.csv
refuses 1 "'y' has one number only, '2'" run --data same.csv --task regression
refuses 1 'the profile .* is of a regression, --task asks for another' \
  encrypt --key keys/public.json --data queries.csv --profile table.h5.profile.json --task classification --out other.h5
finish
