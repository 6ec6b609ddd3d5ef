#!/usr/bin/env bash
# An experiment is a file: it is run, drawn and reported; a run that was killed goes on; a bad file is refused in one sentence.
. "$(dirname "$0")/../program/support.sh"
reproduce=$(realpath scripts/reproduce.py) plot=$(realpath scripts/plot_metrics.py)
export SMLP=$smlp
mkdir "$dir/files"
cat >"$dir/files/mine.toml" <<TOML
title = "A sweep of my own"
[[points]]
program = "run"
seeds = [1]
each = "history"
[points.fixed]
data = "$datasets/iris.csv"
network = "N-2-C"
epochs = 2
[points.sweep]
learning-rate = [0.05, 0.1]
[points.columns]
epoch = "epoch"
encrypted = "loss.encrypted"
twin = "loss.twin"
[points.quick]
seeds = [1, 2]
fixed = { bits = 1024, insecure-key = true, take = 12 }
[[figures]]
name = "loss"
kind = "lines"
series = "learning-rate"
x = { column = "epoch", label = "epoch", unit = "passes" }
y = { columns = ["encrypted", "twin"], label = "loss", unit = "squared error" }
TOML

# bench WORD..: the runner, on these files and with a store and results of this test.
command=("$reproduce" --quick --experiments "$dir/files" --out "$dir/out" --store "$dir/store")
bench() { "${command[@]}" "$@" </dev/null; }

# ---- what would be done, without doing it ----
[ "$(bench --list)" = 'mine: A sweep of my own' ] || fail '--list does not list'
bench --dry-run >"$said/plan" || fail '--dry-run failed'
grep -qE '^mine: 4 points, 0 of them there already, [0-9]+ s$' "$said/plan" || fail "--dry-run says $(<"$said/plan")"
grep -qE '^in all [0-9]+ s$' "$said/plan" || fail "--dry-run says $(<"$said/plan")"
[ ! -e "$dir/out" ] || fail '--dry-run wrote results'

# ---- killed, then gone on with ----
"${command[@]}" >"$said/out" 2>"$said/err" </dev/null &
runner=$!  # the script itself, no shell around it
until grep -q '^  took ' "$said/err" || ! kill -0 "$runner" 2>/dev/null; do sleep 0.02; done
{ kill -KILL "$runner"; wait "$runner"; } 2>/dev/null
[ ! -e "$dir/out" ] || fail 'a run that was killed wrote results'
bench >"$said/out" 2>"$said/again" || fail "does not go on: $(<"$said/again")"
first=$(grep -c '^  took ' "$said/err") second=$(grep -c '^  took ' "$said/again")
# A point may have been kept and not yet told.
[ $((first + second)) -eq 4 ] || [ $((first + second)) -eq 3 ] || fail "4 points took $first and $second measurements"
[ "$first" -ge 1 ] && [ "$second" -lt 4 ] || fail "$first points were measured before and $second after the kill"
grep -q "^$((4 - second)) of 4 points are there already" "$said/again" || fail "says $(head -n 1 "$said/again")"

# ---- the figure, its points, the report ----
head -c 300 "$dir/out/mine-loss.svg" | grep -q '<svg' || head -n 5 "$dir/out/mine-loss.svg" | grep -q svg || fail 'no figure'
! grep -q '<text' "$dir/out/mine-loss.svg" || fail 'the figure depends on fonts of the reader'
grep -q 'mine-loss.svg' "$dir/out/README.md" && grep -q 'mine-loss.csv' "$dir/out/README.md" || fail 'the report shows no figure'
grep -q 'Toy keys of 1024 bits' "$dir/out/README.md" || fail 'the report does not call toy keys so'
python3 - "$dir/out/mine-loss.csv" <<'PYTHON' || fail "the points are not as they should be: $(head -n 3 "$dir/out/mine-loss.csv")"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert len(rows) == 2 * 2 * 2, len(rows)  # rates, seeds, epochs
assert {(row["learning-rate"], row["seed"], row["epoch"]) for row in rows} == \
    {(rate, seed, epoch) for rate in ("0.05", "0.1") for seed in "12" for epoch in "12"}
for row in rows:
    assert row["encrypted"] == row["twin"] and float(row["twin"]) > 0
    assert f"--learning-rate {row['learning-rate']} --seed {row['seed']}" in row["options"], row["options"]
    assert row["machine"] and row["commit"] and ("GCC" in row["compiler"] or "clang" in row["compiler"])
PYTHON

# ---- the same points give the same bytes, without measuring ----
cp -r "$dir/out" "$dir/before"
touch -d '2001-01-01' "$dir"/out/*
bench --only mine >/dev/null 2>"$said/again" || fail "a second run failed: $(<"$said/again")"
! grep -q '^  took ' "$said/again" || fail 'a second run measures again'
diff -r "$dir/out" "$dir/before" >&2 || fail 'the same points give other bytes'

# ---- the example of the page ----
mkdir "$dir/page"
sed -n '/^```toml$/,/^```$/{/^```/d;p}' docs/experiments.md >"$dir/page/neurons.toml"
"$reproduce" --quick --experiments "$dir/page" --out "$dir/page/out" --store "$dir/store" 2>"$said/err" </dev/null ||
  fail "docs/experiments.md: $(tail -n 1 "$said/err")"
[ "$(wc -l <"$dir/page/out/neurons-accuracy.csv")" -eq 3 ] || fail 'the example of the page has other points'

# ---- a program whose encrypted curve is not the twin's ----
for change in 's/"answers_equal_twin":true/"answers_equal_twin":false/' 's/"twin":0\./"twin":0.9/'; do
  printf '#!/bin/bash\nset -o pipefail\n"%s" "$@" | sed %q\n' "$smlp" "$change" >"$dir/other" && chmod +x "$dir/other"
  ! SMLP=$dir/other bench --out "$dir/unequal" >/dev/null 2>"$said/err" || fail 'takes curves that do not coincide'
  tail -n 1 "$said/err" | grep -q '^reproduce.py: .*mine.toml: .*the encrypted run is not its twin' || fail "says $(tail -n 1 "$said/err")"
done
[ ! -e "$dir/unequal/mine-loss.svg" ] || fail 'draws curves that do not coincide'

# ---- files that are no experiments ----
# bad SED-SCRIPT SENTENCE [WORD..]: the file so changed is refused with this sentence (grep -E), which names the file.
bad() {
  local status=0
  mkdir -p "$dir/bad"
  sed "$1" "$dir/files/mine.toml" >"$dir/bad/mine.toml"
  "$reproduce" "${@:3}" --experiments "$dir/bad" --out "$dir/refused" --store "$dir/store" --dry-run >"$said/out" 2>"$said/err" </dev/null || status=$?
  [ "$status" -eq 1 ] && [ "$(wc -l <"$said/err")" -eq 1 ] || fail "$1: status $status: $(<"$said/err")"
  grep -qE "^reproduce.py: $dir/bad/mine.toml: $2" "$said/err" || fail "$1: says $(<"$said/err")"
}
bad 's/^program = .*/program = "rum"/' "points\[1\].program is 'rum', not one of run, "
bad 's/^title = .*/tittle = "x"/' "tittle is 'x', but there is no such key; there are title, "
bad '/^title/d' 'title is missing'
bad 's/^title = .*/title = 3/' 'title is 3, not a text'
bad 's/^title = .*/title/' 'this is not TOML: '
bad 's/^epochs = 2/epoch = 2/' "points\[1\].fixed.epoch is 2, but run has no option epoch; it has "
bad 's/^learning-rate = .*/learning-rate = []/' 'points\[1\].sweep.learning-rate is \[\], neither a list of values'
bad 's/^learning-rate = .*/matmul = "registered products"/' "points\[1\].sweep.matmul is 'registered products', neither "
bad 's/^learning-rate = .*/bits = [2048, 1024]/' 'points\[1\].sweep.bits is 1024, but keys below 2048 bits are toys'
bad 's/^epochs = 2/insecure-key = true/' 'points\[1\].fixed.insecure-key is True, but keys below 2048 bits are toys'
bad 's/^seeds = \[1\]/seeds = ["one"]/' "points\[1\].seeds is 'one', not a number"
bad 's/^network = .*//' 'points\[1\].fixed.network is missing'
bad 's/^twin = .*/twin = "loss."/' "points\[1\].columns.twin is 'loss.', not an expression"
bad "s|^data = .*|data = '$dir/none.csv'|" "points\[1\].fixed.data is '$dir/none.csv', but there is no such file"
bad 's/^network = .*/network = "N-two-C"/' "mine: run learning-rate=0.05 seed=1: .*'two'"
bad 's/^epochs = 2/epochs = 0/' 'mine: run learning-rate=0.05 seed=1: .*epochs'
bad 's/^kind = .*/kind = "pie"/' "figures\[1\].kind is 'pie', not one of lines, bars"
bad 's/^series = .*/series = "rate"/' "figures\[1\].series is 'rate', not a column of the points; there are encrypted, "
bad 's/unit = "passes"/unit = " "/' "figures\[1\].x.unit is ' ', but an axis says what it shows"
bad 's/^name = "loss"/name = "..\/loss"/' "figures\[1\].name is '../loss', not a word"
bad 's/^seeds = \[1, 2\]/seed = 1/' "points\[1\].quick.seed is 1, but there is no such key"
bad 's/^program = .*/like = "other"/' "points\[1\].like is 'other', which is not the name of an earlier block"
rm -r "$dir/bad"
! bench --only yours 2>"$said/err" || fail 'takes an experiment that is not there'
grep -q '^reproduce.py: --only is yours, but .* has mine$' "$said/err" || fail "says $(<"$said/err")"
! SMLP=$dir/none bench --dry-run 2>"$said/err" || fail 'takes a program that is not built'
grep -q "^reproduce.py: $dir/none is not built: make reproduce builds" "$said/err" || fail "says $(<"$said/err")"
(
  exec 9>"$dir/store/.lock" && flock 9
  ! bench >/dev/null 2>"$said/err" || fail 'measures beside another run'
) || exit 1
grep -q "^reproduce.py: another run measures into $dir/store: wait until it ends, or give both --store and --out" "$said/err" ||
  fail "says $(<"$said/err")"
# What only a result can tell.
sed 's/^twin = .*/twin = "loss.tvin"/' -i "$dir/files/mine.toml"
! bench >/dev/null 2>"$said/err" || fail 'takes a column without a value'
tail -n 1 "$said/err" | grep -q "mine.toml: points\[1\].columns.twin is 'loss.tvin', and no point has a value for it" || fail "says $(<"$said/err")"

# A name that is wrong in one branch, and refusals: all of a block, or kept from when the file expected them.
cat >"$dir/files/mine.toml" <<TOML
title = "Layers"
[[points]]
program = "clear"
expected-seconds = 1
may-fail = true
[points.fixed]
data = "$datasets/iris.csv"
epochs = 1
[points.sweep]
network = ["N-2-C", "N-X-C"]
[points.quick]
seeds = [1]
[points.columns]
size = "5 if refused == None else 6"
accuracy = "None if refused != None else settings[0].trials[0].history[-1].accuracy.twin"
[[figures]]
name = "accuracy"
kind = "lines"
failed = "size"
x = { column = "size", label = "size", unit = "count" }
y = { columns = "accuracy", label = "accuracy", unit = "1" }
TOML
bench >/dev/null 2>"$said/err" || fail "refuses a refusal that is expected: $(tail -n 1 "$said/err")"
sed -i 's/accuracy.twin"/accuracy.twn"/' "$dir/files/mine.toml"
! bench >/dev/null 2>"$said/err" || fail 'takes a wrong name in one branch'
tail -n 1 "$said/err" | grep -q "points\[1\].columns.accuracy is .*, and no point has a value for it" || fail "says $(tail -n 1 "$said/err")"
sed -i 's/accuracy.twn"/accuracy.twin"/; /^may-fail/d' "$dir/files/mine.toml"
! bench >/dev/null 2>"$said/err" || fail 'takes a refusal that was kept'
grep -q "mine.toml: mine: clear network=N-X-C seed=1: .*'X'" "$said/err" || fail "says $(<"$said/err")"
sed -i 's/^network = .*/network = ["N-X-C"]/; s/^expected.*/&\nmay-fail = true/' "$dir/files/mine.toml"
! bench >/dev/null 2>"$said/err" || fail 'takes an experiment of which every point is refused'
tail -n 1 "$said/err" | grep -q "points\[1\].may-fail is true, but every point was refused: .*'X'" || fail "says $(tail -n 1 "$said/err")"

# ---- curves of any run ----
accepts run --data "$datasets/iris.csv" --network N-2-C --epochs 1 --bits 1024 --insecure-key --seed 1 --quiet --metrics "$dir/m.jsonl" >/dev/null
"$plot" "$dir/m.jsonl" >"$said/out" || fail 'plot_metrics.py failed'
for name in loss accuracy seconds bytes; do
  grep -q '<svg' "$dir/m-$name.svg" || fail "no curve of $name"
done
cp "$dir/m-loss.svg" "$said/loss.svg"
"$plot" --out "$dir/again" "$dir/m.jsonl" >/dev/null && cmp -s "$dir/again-loss.svg" "$said/loss.svg" || fail 'the same metrics give other bytes'
! "$plot" README.md 2>"$said/err" || fail 'plots a page'
grep -q '^plot_metrics.py: README.md: line 1 is not a line of smlp --metrics$' "$said/err" || fail "says $(<"$said/err")"
finish
