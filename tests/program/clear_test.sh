#!/usr/bin/env bash
# smlp run --clear: the curve of the encrypted run, grids, seeds, and the commands that it ends with. Keys of 1024 bits: toys.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
rows 3 iris.csv train.csv
run=(run --data train.csv --network N-4-C --epochs 2 --seed 5 --bits 1024 --insecure-key --json --quiet)

# The encrypted run has the same curve.
accepts "${run[@]}" --clear >clear.json
accepts "${run[@]}" >encrypted.json
python3 - <<'PYTHON' || fail 'the curves differ'
import json
clear, encrypted = json.load(open("clear.json")), json.load(open("encrypted.json"))
assert clear["encrypted"] is False and clear["best"] == 0 and len(clear["settings"]) == 1
(trial,) = clear["settings"][0]["trials"]
assert trial["seed"] == 5 and trial["left_range"] is None and len(trial["history"]) == 2
for a, b in zip(trial["history"], encrypted["history"], strict=True):
    for what in ("loss", "accuracy"):
        assert a[what]["twin"] == b[what]["twin"] == b[what]["encrypted"] and a[what]["float"] == b[what]["float"], (a, b)
    assert all(1 < bits <= 20 for bits in a["bits"].values())
    assert {"the forward product of layer 1", "the update of layer 2", "the activation of layer 2"} <= set(a["bits"])
assert clear["tables"] == encrypted["tables"] and clear["options"]["clear"] is True
assert trial["trained"] == encrypted["trained"] and trial["scaling"] == encrypted["scaling"]
assert list(encrypted["scaling"]) == ["features", "offset", "factor", "classes"] and len(encrypted["scaling"]["factor"]) == 4
PYTHON

# The weights are those that export writes, under new keys as under given ones.
accepts keygen --out keys --bits 1024 --insecure-key >/dev/null
accepts "${run[@]:0:9}" --insecure-key --json --quiet --secret-key keys/secret.json --out model.h5 >kept.json
accepts export --model model.h5 --key keys/secret.json --insecure-key --out model.json >/dev/null
python3 -c 'import json; assert json.load(open("model.json")) == json.load(open("kept.json"))["trained"] == json.load(open("encrypted.json"))["trained"]' ||
  fail 'the weights of run --json are not those of export'

# For people: a line an epoch, with bits, and commands with the options that were chosen.
accepts "${run[@]:0:9}" --clear --momentum 0.5 --batch 16 --scaling min-max >clear.txt
grep -q '^smlp: note: nothing is encrypted' "$said/err" || fail "does not say that nothing is encrypted: $(cat "$said/err")"
grep -qE '^epoch 2/2: loss .* twin, .* float; accuracy .* twin, .* float$' clear.txt || fail "no epoch: $(cat clear.txt)"
grep -qE '^  bits of 20: .*the forward product of layer 1 [0-9]+' clear.txt || fail "no bits: $(cat clear.txt)"
grep -qx '  smlp encrypt --key keys/public.json --data train.csv --scaling min-max --batch 16 --out table.h5' clear.txt || fail "$(cat clear.txt)"
grep -qx '  smlp train --data table.h5 --network N-4-C --epochs 2 --momentum 0.5 --key-holder HOST:PORT --tls DIR --out model.h5' clear.txt ||
  fail "$(cat clear.txt)"

# Metrics: those of the encrypted run but for what is measured there; with seeds, which one a line is of.
accepts "${run[@]}" --clear --metrics clear.jsonl >/dev/null
accepts "${run[@]}" --metrics encrypted.jsonl >/dev/null
accepts "${run[@]}" --clear --repeat 2 --metrics seeds.jsonl >/dev/null
python3 - <<'PYTHON' || fail 'the metrics of a run in the clear are not those of the encrypted run'
import json
clear, encrypted, seeds = ([json.loads(line) for line in open(name + ".jsonl")] for name in ("clear", "encrypted", "seeds"))
assert clear[0]["command"] == "run" and len(clear) == len(encrypted) and len(seeds) == 2 * len(clear) - 1
for a, b in zip(clear[1:], encrypted[1:], strict=True):
    assert (a["epoch"], a.get("step")) == (b["epoch"], b.get("step"))
    assert all(a["loss"][which] == b["loss"][which] for which in ("twin", "float")) and ("step" in a or "bits" in a)
assert [line["seed"] for line in seeds[1:]] == [5] * (len(clear) - 1) + [6] * (len(clear) - 1)
PYTHON
refuses 1 'clear.jsonl' "${run[@]}" --clear --metrics clear.jsonl

# Grids and seeds: every setting with every seed; the first trial is that of the plain run.
accepts "${run[@]}" --clear --grid 'learning-rate=0.01,0.1 momentum=0,0.8' --repeat 2 >grid.json
python3 - <<'PYTHON' || fail 'a grid is not as documented'
import json, statistics
grid, encrypted = json.load(open("grid.json")), json.load(open("encrypted.json"))
settings = [s["setting"] for s in grid["settings"]]
assert settings == [{"learning-rate": r, "momentum": m} for r in ("0.01", "0.1") for m in ("0", "0.8")]
for s in grid["settings"]:
    assert [t["seed"] for t in s["trials"]] == [5, 6] and s["left_range"] == 0 and not any("trained" in t for t in s["trials"])
    values = [t["history"][-1]["accuracy"]["twin"] for t in s["trials"]]
    assert abs(s["accuracy"]["twin"]["mean"] - statistics.mean(values)) < 1e-12
    assert abs(s["accuracy"]["twin"]["deviation"] - statistics.stdev(values)) < 1e-12
assert grid["settings"][3]["trials"][0]["history"][1]["loss"]["twin"] == encrypted["history"][1]["loss"]["twin"]
best = grid["settings"][grid["best"]]["accuracy"]["twin"]["mean"]
assert best == max(s["accuracy"]["twin"]["mean"] for s in grid["settings"])
PYTHON

# What leaves its range is told, and a run ends before it makes keys.
accepts "${run[@]}" --clear --output linear --grid 'learning-rate=0.01,50' >range.json
holds 'j["settings"][1]["left_range"] == 1 and "outside the 20 bits" in j["settings"][1]["trials"][0]["left_range"] and j["best"] == 0' range.json
refuses 1 'outside the 20 bits of --value-bits; .*lower .*--learning-rate' "${run[@]:0:9}" --insecure-key --bits 1024 --quiet --output linear --learning-rate 50
grep -qE -- '; --learning-rate [0-9.]+ stays in range$' "$said/err" || fail "no rate that works: $(cat "$said/err")"
works=$(grep -oE -- '--learning-rate [0-9.]+ stays' "$said/err" | cut -d' ' -f2)
accepts "${run[@]}" --clear --output linear --learning-rate "$works" >works.json
holds 'j["settings"][0]["left_range"] == 0' works.json
accepts "${run[@]}" --clear --output linear --learning-rate 50 >leaves.json
grep -q "; --learning-rate $works stays in range" leaves.json || fail "in the clear another rate works than $works"

# Every option of a training, in the commands that follow.
accepts "${run[@]:0:9}" --clear --output linear --nesterov --clip-gradient 0.5 --schedule step >clear.txt
grep -qx '  smlp train --data table.h5 --network N-4-C --output linear --clip-gradient 0.5 --epochs 2 --nesterov --schedule step --key-holder HOST:PORT --tls DIR --out model.h5' clear.txt ||
  fail "$(cat clear.txt)"
accepts "${run[@]:0:9}" --clear --statistical-bound 30 >clear.txt
grep -qxE '  smlp encrypt --key keys/public.json --data train.csv --statistical-bound 30 --network N-4-C --epochs 2 --out table.h5' clear.txt || fail "$(cat clear.txt)"
grep -qE '^  smlp train .* --statistical-bound 30 --key-holder' clear.txt || fail "$(cat clear.txt)"
refuses 1 'clip-gradient 1.0* does nothing' "${run[@]}" --clear --clip-gradient 1
refuses 1 'nesterov needs --momentum above 0' "${run[@]}" --clear --nesterov --momentum 0
! grep -q 'keys of' "$said/err" || fail 'keys were made for a training that diverges'

refuses 2 'go with --clear' "${run[@]}" --grid 'momentum=0,0.5'
refuses 2 "does not take 'bits'; it takes batch, clip-gradient, epochs," "${run[@]}" --clear --grid bits=2048
refuses 2 'not NAME=VALUE' "${run[@]}" --clear --grid momentum
refuses 2 'names momentum twice' "${run[@]}" --clear --grid 'momentum=0 momentum=0.5'
refuses 2 'which is no number' "${run[@]}" --clear --grid momentum=fast
refuses 2 'epochs and the same in --grid' "${run[@]}" --clear --grid epochs=1,2
refuses 2 'repeat is 0' "${run[@]}" --clear --repeat 0
refuses 2 'out goes with encryption' "${run[@]}" --clear --out model.h5

finish
