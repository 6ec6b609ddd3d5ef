#!/usr/bin/env bash
# A result can be had again from itself: the report of `run` and the head of its metrics name every option with its value, the
# seed that was drawn, version, machine, tables and tested rows; and a model that was kept answers as the run did. Keys of 1024
# bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
rows 6 iris.csv iris.csv
toy=(--bits 1024 --insecure-key)
accepts run --data iris.csv --network N-3-C --epochs 2 --learning-rate 0.3 --schedule cosine --momentum 0.5 --test-fraction 0.3 "${toy[@]}" \
  --json --quiet --metrics first.jsonl >first.json
python3 - <<'PYTHON' || fail "the report says too little: $(head -c 3000 first.json)"
import hashlib, json, struct
j, head = json.load(open("first.json")), json.loads(open("first.jsonl").readline())
for part in (j, head):
    assert part["command"] == "run" and part["version"] and part["seed"] == part["options"]["seed"]
    assert set(part["machine"]) == {"processor", "cores", "threads", "arithmetic", "system"}
    assert part["options"]["schedule"] == "cosine" and part["options"]["batch"] == 32 and part["options"]["label"] is None
    lines = [line.split(",") for line in open("iris.csv").read().splitlines()]
    counted = lambda text: struct.pack("<Q", len(text)) + text.encode()
    *columns, label = lines[0]
    table = b"smlp-table 1" + struct.pack("<Q", len(columns)) + b"".join(map(counted, columns)) + counted(label)
    table += struct.pack("<Q", len(lines) - 1) + b"".join(struct.pack("<d", float(v)) for line in lines[1:] for v in line[:-1])
    table += struct.pack("<Q", len(lines) - 1) + b"".join(counted(line[-1]) for line in lines[1:])
    assert part["tables"] == {"data": hashlib.sha256(table).hexdigest()}
    assert len(part["tested_rows"]) == j["rows"]["test"] and 1 <= min(part["tested_rows"]) <= max(part["tested_rows"]) < len(lines)
PYTHON

# again FROM TO OPTION...: the run that FROM tells of, by its options.
again() {
  local words
  mapfile -d '' -t words < <(python3 -c 'import json, sys
for name, value in json.load(open(sys.argv[1]))["options"].items():
    if value is None or value is False or name in ("metrics", "out"): continue
    print(end=f"--{name}\0" if value is True else f"--{name}\0{value}\0")' "$1")
  accepts run "${words[@]}" "${@:3}" >"$2"
}
again first.json second.json
python3 - <<'PYTHON' || fail 'a run that was repeated from its report has other results'
import json
a, b = json.load(open("first.json")), json.load(open("second.json"))
assert {**a["options"], "metrics": None} == {**b["options"], "metrics": None}
for name in ("seed", "tables", "tested_rows", "rows", "accuracy", "loss", "answers", "confusion", "bytes", "rounds"):
    assert a[name] == b[name], name
assert [e["loss"] for e in a["history"]] == [e["loss"] for e in b["history"]]
PYTHON

# The model of a run, under keys that are there already, answers as the run did. The masks of predict are others, which moves an
# output by a unit or two: from this seed, no two classes are that close.
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
awk 'NR == 1 || NR % 9 == 4' "$datasets/iris.csv" >test.csv
refuses 2 'exclude --secret-key' run --data iris.csv --bits 1024 --secret-key keys/secret.json
accepts run --data iris.csv --test test.csv --network N-3-C --epochs 2 --seed 5 --secret-key keys/secret.json --insecure-key --out model.h5 --json \
  --quiet >run.json
[ "$(cd "$dir" && find . -newer keys/secret.json -name 'model*' | sort | tr '\n' ' ')" = './model.h5 ./model.h5.profile.json ' ] ||
  fail "run --out wrote $(find . -name 'model*')"
holds 'j["model"] == "model.h5" and j["key_bits"] == 1024 and j["weights_equal_twin"]' run.json
toy_keys
cut -d, -f1-4 test.csv >queries.csv
accepts encrypt --key keys/public.json --data queries.csv --profile model.h5.profile.json --out queries.h5 >/dev/null
accepts predict --model model.h5 --data queries.h5 --secret-key keys/secret.json --quiet --out answers.h5 >/dev/null
accepts decrypt --key keys/secret.json --in answers.h5 --profile model.h5.profile.json --out answers.csv >/dev/null
holds 'j["answers"] == [line.split(",")[1] for line in open("answers.csv")][1:]' run.json

# What train and predict tell of themselves.
accepts encrypt --key keys/public.json --data iris.csv --batch 8 --out train.h5 >/dev/null
accepts train --data train.h5 --network N-2-C --epochs 1 --secret-key keys/secret.json --out t.h5 --quiet --json --metrics t.jsonl >t.json
python3 - <<'PYTHON' || fail "train says too little of itself: $(head -c 2000 t.json)"
import json
j, head = json.load(open("t.json")), json.loads(open("t.jsonl").readline())
for part in (j, head):
    assert part["command"] == "train" and part["seed"] is None and part["options"]["batch"] == 8 and len(part["table"]["id"]) == 32
PYTHON
accepts predict --model t.h5 --data train.h5 --secret-key keys/secret.json --quiet --out of_t.h5 --json >p.json
holds 'j["table"] == json.load(open("t.json"))["table"] and j["trained_on"] == j["table"]["id"]' p.json
finish
