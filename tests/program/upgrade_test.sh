#!/usr/bin/env bash
# Files that an older program wrote (tests/fixtures/format_4 says which): they are read, they give the same numbers, and a training that
# it began goes on to the weights that it would have come to. Frames of another version are in tests/protocols/wire_test.cpp and
# tests/protocols/transport.
. "$(dirname "$0")/support.sh"
cp -r tests/fixtures/format_4/. "$dir"
cd "$dir" || exit 1
chmod 600 secret.json
toy_keys

for file in train model answers; do
  "$smlp" inspect $file.h5 --json >facts.json 2>&1 || fail "inspect $file.h5: $(cat facts.json)"
done
python3 - <<'PYTHON' || fail 'the files are not of format 4'
import subprocess
for name in ("train", "model", "first_epoch", "answers"):
    said = open(name + ".h5", "rb").read()
    assert said[:8] == b"\x89HDF\r\n\x1a\n" and b"task" not in said  # which format 5 has
PYTHON

accepts decrypt --key secret.json --in answers.h5 --profile train.h5.profile.json --out now.csv >/dev/null
cmp -s now.csv answers.csv || fail "the answers are others: $(diff answers.csv now.csv)"
same_model() {  # same_model MODEL.h5: the weights of model.json
  accepts export --model "$1" --key secret.json --force --out now.json >/dev/null
  python3 -c 'import json
now, then = (json.load(open(x)) for x in ("now.json", "model.json"))
assert now["network"] == then["network"] and len(now["layers"]) == 2
assert all(a[x] == b[x] for a, b in zip(now["layers"], then["layers"]) for x in ("weights", "biases"))' || fail "$1 has other weights"
}
same_model model.h5
accepts train --data train.h5 --network N-2-C --epochs 2 --momentum 0.5 --seed 5 --insecure-seed --secret-key secret.json \
  --out first_epoch.h5 --resume --quiet >/dev/null
same_model first_epoch.h5
accepts predict --model model.h5 --data train.h5 --secret-key secret.json --quiet --out now.h5 >/dev/null
accepts decrypt --key secret.json --in now.h5 --profile train.h5.profile.json --force --out now.csv >/dev/null
python3 - <<'PYTHON' || fail 'the answers to an old table are others'
import csv
now, then = (list(csv.reader(open(x))) for x in ("now.csv", "answers.csv"))
assert [row[:2] for row in now] == [row[:2] for row in then] and len(now) == 13
assert all(abs(float(a) - float(b)) < 0.02 for x, y in zip(now[1:], then[1:]) for a, b in zip(x[2:], y[2:]))
PYTHON
accepts encrypt --key public.json --data <(cut -d, -f1-4 train.csv) --batch 4 --profile train.h5.profile.json --out queries.h5 >/dev/null
accepts predict --model model.h5 --data queries.h5 --secret-key secret.json --quiet --force --out now.h5 >/dev/null

finish
