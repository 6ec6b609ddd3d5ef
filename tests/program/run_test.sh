#!/usr/bin/env bash
# What `run`, `plan`, `protocols` and --help print. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy=(--bits 1024 --insecure-key)

for command in run keygen encrypt serve train predict release decrypt score export plan protocols inspect certificates doctor; do
  accepts $command --help >help.txt
  grep -q "^usage: smlp $command" help.txt || fail "smlp $command --help says: $(head -n 1 help.txt)"
done
accepts --help >help.txt
[ "$(grep -c '^  [a-z]' help.txt)" -eq 15 ] || fail "smlp --help lists $(grep -c '^  [a-z]' help.txt) commands"

# A config file gives options, its section too; the command line wins.
awk 'NR == 1 || NR % 25 == 0' "$datasets/xor.csv" >xor.csv
printf 'epochs = 3\nbatch = 8\nquiet = true\n[run]\nnetwork = N-2-C\nprotocols = paper\n[train]\nepochs = 9\n' >run.ini
accepts run --config run.ini --data xor.csv --epochs 1 --learning-rate 0.1 --seed 3 "${toy[@]}" --json --metrics m.jsonl >run.json
python3 - <<'PYTHON' || fail "the report of run: $(cat run.json)"
import json
lines = open("run.json").read().splitlines()
assert len(lines) == 1
j = json.loads(lines[0])
assert j["epochs"] == 1 and j["network"] == "2-2-2" and j["key_bits"] == 1024 and j["variant"] == "subgroup"
assert j["protocols"] == {"matmul": "blinded", "truncation": "blinded-division", "comparison": "affine",
                          "selection": "homomorphic", "activation": "max"}
assert j["unused_protocols"] == {"comparison": "affine", "selection": "homomorphic"}
assert j["rows"] == {"train": 32, "test": 8}
assert set(j["accuracy"]) == {"encrypted", "twin", "float"} and set(j["loss"]) >= {"encrypted", "twin", "float"}
assert j["weights_equal_twin"] is True and j["answers_equal_twin"] is True
assert set(j["seconds"]) == {"wall", "cpu", "keygen", "encrypt", "train", "test"} and all(v > 0 for v in j["seconds"].values())
assert set(j["bytes"]) == {"to_key_holder", "to_evaluator"} and j["rounds"] > 0
assert len(j["answers"]) == 8 and set(j["answers"]) <= {"0", "1"}
assert sum(map(sum, j["confusion"]["counts"])) == 8 and j["confusion"]["classes"] == ["0", "1"]
right = sum(j["confusion"]["counts"][i][i] for i in range(2)) / 8
assert right == j["accuracy"]["encrypted"] == j["accuracy"]["twin"]
metrics = [json.loads(line) for line in open("m.jsonl")]
steps = [m for m in metrics if "step" in m]
assert [m["step"] for m in steps] == [1, 2, 3, 4] and len(metrics) == 6 and metrics[0]["command"] == "run"
assert j["products"] == metrics[0]["products"] == {"matmul": "blinded"}
assert all(m["rounds"] > 0 and m["bytes"]["to_key_holder"] > 0 and m["seconds_by_kind"] for m in steps)
assert metrics[-1]["rounds"] == sum(m["rounds"] for m in steps)
assert set(metrics[-1]["loss"]) == {"encrypted", "twin", "float"}
for loss in (m["loss"] for m in steps):  # of the batch, before the step
    assert loss["encrypted"] == loss["twin"] > 0 and abs(loss["twin"] / loss["float"] - 1) < 0.01
assert steps[-1]["loss"]["twin"] < steps[0]["loss"]["twin"]
PYTHON

# For people: a line an epoch, a confusion table; what leaks is said, even with --quiet.
"$smlp" run --data xor.csv --network N-2-C --epochs 1 --batch 8 --comparison affine "${toy[@]}" >run.txt 2>err.txt </dev/null ||
  fail "run: $(cat err.txt)"
grep -qE '^epoch 1/1: loss .* encrypted, .* twin, .* float; accuracy .* rounds \(.*activation' run.txt || fail "no epoch line: $(cat run.txt)"
grep -q 'true \\ answer' run.txt || fail 'no confusion table'
grep -q "equal the twin's exactly" run.txt || fail 'nothing about the twin'
grep -qE 'learning rate 0.1, taken as 0\.[01]' run.txt || fail 'no effective learning rate'
grep -q '^smlp: note: comparison/affine leaks: ' err.txt || fail "no word on leakage: $(cat err.txt)"

# What the other preset would take, of run and of plan.
"$smlp" run --data xor.csv --network N-2-C --epochs 1 --batch 8 "${toy[@]}" >run.txt 2>err.txt </dev/null || fail "run: $(cat err.txt)"
grep -qE '^an epoch will take about .* and .*B; with --protocols hybrid .* and .*B \(what it assumes: SECURITY\.md\)$' run.txt ||
  fail "no word on hybrid: $(cat run.txt)"
accepts plan --network 2-2-2 --rows 32 "${toy[@]}" >plan.txt
grep -qE '^an epoch will take about .* and .*B; with --protocols hybrid .* and .*B \(what it assumes: SECURITY\.md\)$' plan.txt ||
  fail "no word on hybrid: $(cat plan.txt)"
for preset in homomorphic hybrid paper; do
  grep -qE "^  $preset( +[0-9][^ ]* [a-z]+, [0-9.]+ [kMG]?B){3}$" plan.txt || fail "no line of $preset over links: $(cat plan.txt)"
done

# On a terminal every stretch of work shows how far it is.
python3 - "$smlp" "${toy[@]}" <<'PYTHON' || fail 'no progress on a terminal'
import os, pty, re, subprocess, sys
terminal, end = pty.openpty()
words = ["run", "--data", "xor.csv", "--network", "N-2-C", "--epochs", "1", "--batch", "8"]
child = subprocess.Popen([sys.argv[1], *words, *sys.argv[2:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=end)
os.close(end)
shown = b""
try:
    while part := os.read(terminal, 4096):
        shown += part
except OSError:  # the end of a pseudo-terminal
    pass
for pattern in (rb"encrypt \[#*\.*\] \d+/10 groups", rb"epoch 1/1 \[#*\.*\] \d+/4 steps", rb"test \[#*\.*\] \d+/1 batches"):
    assert re.search(pattern, shown), (pattern, shown)
sys.exit(child.wait())
PYTHON

# Lines and bars fit the terminal that they are shown on, and nothing is lost where it is narrow.
python3 - "$smlp" "${toy[@]}" <<'PYTHON' || fail 'lines do not fit a terminal'
import fcntl, os, pty, re, struct, subprocess, sys, termios
for columns in (40, 80):
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    words = ["run", "--data", "xor.csv", "--network", "N-2-C", "--epochs", "1", "--batch", "8"]
    child = subprocess.Popen([sys.argv[1], *words, *sys.argv[2:]], stdin=subprocess.DEVNULL, stdout=end, stderr=end)
    os.close(end)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # the end of a pseudo-terminal
        pass
    assert child.wait() == 0
    lines = re.split(r"[\r\n]+", shown.decode().replace("\033[K", ""))
    assert max(map(len, lines)) <= columns, (columns, max(lines, key=len))
    assert any(re.fullmatch(r"epoch 1/1 \[#*\.*\] [1-4]/4( steps.*left)?", line) for line in lines), lines
    whole = re.sub(r"\n    ", " ", shown.decode().replace("\r", ""))
    assert re.search(r"^epoch 1/1: loss .* float; accuracy .* rounds \(.*\)$", whole.replace("\033[K", "\n"), re.M), whole
PYTHON

# IDX: images and labels, compressed and not; a test part of its own.
python3 - <<'PYTHON'
import gzip, random, struct
random.seed(1)
def write(name, rows, opener):
    labels = bytes(i % 2 for i in range(rows))
    pixels = bytes(random.randrange(100) + 150 * labels[i] for i in range(rows) for _ in range(4))
    with opener(name + "-images", "wb") as file: file.write(struct.pack(">IIII", 2051, rows, 2, 2) + pixels)
    with opener(name + "-labels", "wb") as file: file.write(struct.pack(">II", 2049, rows) + labels)
write("train", 16, gzip.open)
write("test", 6, open)
PYTHON
idx=(--data train-images --labels train-labels)
accepts run "${idx[@]}" --test test-images --test-labels test-labels --network N-C --batch 8 --epochs 1 "${toy[@]}" --json --quiet >idx.json
holds 'j["network"] == "4-2" and j["rows"] == {"train": 16, "test": 6} and j["weights_equal_twin"]' idx.json
refuses 2 'test-labels goes with --test' run "${idx[@]}" --test-labels test-labels --network N-C "${toy[@]}"
refuses 1 'no labels to compare' run "${idx[@]}" --test test-images --network N-C "${toy[@]}"

# A plan knows the bytes and rounds of the run exactly.
"$smlp" run --data xor.csv --network N-3-C --batch 8 --epochs 2 "${toy[@]}" --json >run.json 2>/dev/null </dev/null || fail 'run'
accepts plan --network 2-3-2 --rows 32 --test-rows 8 --batch 8 "${toy[@]}" --json >plan.json
python3 - <<'PYTHON' || fail 'plan and run differ in bytes or rounds'
import json, sys
plan, run = json.load(open("plan.json")), json.load(open("run.json"))
parts = [plan["first_epoch"], plan["epoch"], plan["test"]]  # a later epoch has the table opened already
total = {way: sum(part["bytes"][way] for part in parts) for way in run["bytes"]}
sys.exit(total != run["bytes"] or sum(part["rounds"] for part in parts) != run["rounds"])
PYTHON
accepts plan --network 30-16-2 --rows 456 --truncation blinded-division "${toy[@]}" --json >plan.json
holds 'j["unused_protocols"] == {"truncation": "blinded-division"}' plan.json
grep -qx 'smlp: note: --truncation blinded-division is not used: matmul/packed truncates by itself' "$said/err" ||
  fail "a choice without effect is not named: $(cat "$said/err")"
accepts plan --network 30-16-2 --rows 456 "${toy[@]}" --json >plan.json
holds 'j["slots"] == 6 and j["slot_bits"] == 168 and j["epoch"]["seconds"] > 0 and j["epoch"]["rounds"] > 0 and j["sigma"] == 56 and -48 < j["statistical_bits"] < -40' plan.json
accepts plan --network 30-16-2 --rows 456 --test-rows 113 --epochs 3 "${toy[@]}" >plan.txt
for line in 'network 30-16-2, 456 rows in 15 batches of 32, key of 1024 bits' 'slots of 168 bits, 6 a ciphertext' 'learning rate 0.1, taken as' \
  '^an epoch: .* to the key holder, .* back, [0-9]* rounds' '^3 epochs: ' '^the test: .* rounds' '^for the whole run, a distance of at most 2^-4[0-9.]* from a view that shows nothing'; do
  grep -q -- "$line" plan.txt || fail "no '$line' in the plan: $(cat plan.txt)"
done
accepts protocols --json >protocols.json
holds 'len(j["protocols"]) >= 11 and all(p["paper"] and p["leakage"] for p in j["protocols"])' protocols.json
accepts protocols --markdown >protocols.md
[ "$(grep -c '^| [a-z]* | `' protocols.md)" -eq "$(python3 -c 'import json; print(len(json.load(open("protocols.json"))["protocols"]))')" ] ||
  fail 'the table in Markdown has not one line a protocol'
accepts protocols >protocols.txt
grep -q '^comparison/affine  (paper)' protocols.txt || fail 'protocols does not list affine under paper'
[ -w /dev/full ] && { "$smlp" protocols >/dev/full 2>err.txt && fail 'a full disk goes unnoticed'; }

finish
