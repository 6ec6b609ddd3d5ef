#!/usr/bin/env bash
# Tables as people have them, from the file to the answers. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
encrypt() { "$smlp" encrypt --key keys/public.json --quiet --force "$@" 2>err.txt </dev/null; }
says() { grep -qE -- "$1" "${2:-err.txt}" || fail "no '$1': $(cat "${2:-err.txt}")"; }

# ---- inputs are read once ----
python3 - <<'PYTHON'
import gzip, random
random.seed(1)
text = "patient,bmi,glucose,label\n" + "".join(
    f"{random.randrange(10**6)},{random.uniform(20, 40):.3f},{random.uniform(60, 200):.2f},{'yes' if random.random() < 0.5 else 'no'}\n"
    for _ in range(3000))
open("pipe.csv", "w").write(text)
gzip.open("pipe.csv.gz", "wt").write(text)
PYTHON
count() { # rows and columns that an encrypted table was made from
  accepts inspect --json "$1" >facts.json && holds 'j["rows"] == 3000 and j["features"] == 3 and j["classes"] == 2' facts.json
  accepts inspect --json "$1.profile.json" >facts.json
  holds 'j["columns"] == ["patient", "bmi", "glucose"] and j["label_column"] == "label"' facts.json
}
"$smlp" encrypt --key keys/public.json --quiet --data <(cat pipe.csv) --out a.h5 >out.txt 2>err.txt </dev/null || fail "a pipe: $(cat err.txt)"
count a.h5
says "3000 rows, 3 features, 2 classes of 'label'" out.txt
cmp -s <(python3 -c 'import json; print(json.load(open("a.h5.profile.json"))["offset"])') \
  <(encrypt --data pipe.csv.gz --out b.h5 >/dev/null; python3 -c 'import json; print(json.load(open("b.h5.profile.json"))["offset"])') ||
  fail 'a pipe and a compressed file give other profiles'
# Headers and the start of the data are all that an unread copy would miss: queries and small tables are enough from here on.
head -n 41 pipe.csv >few.csv
cut -d, -f1-3 few.csv >queries.csv
"$smlp" encrypt --key keys/public.json --quiet --data /dev/stdin --out c.h5 >/dev/null 2>err.txt < <(cat few.csv) || fail "/dev/stdin: $(cat err.txt)"
mkfifo fifo
cat queries.csv >fifo &
encrypt --data fifo --profile c.h5.profile.json --out q.h5 >out.txt || fail "a FIFO: $(cat err.txt)"
says '40 rows, 3 features, no labels' out.txt
"$smlp" run --data <(gzip -c few.csv) --test <(cat few.csv) --network N-C --epochs 1 --bits 1024 --insecure-key --json --quiet >run.json 2>err.txt </dev/null ||
  fail "run on pipes: $(cat err.txt)"
holds 'j["rows"] == {"train": 40, "test": 40}' run.json

# ---- headers, separators, decimal commas ----
awk -F, 'NR > 1' "$datasets/iris.csv" | awk 'NR % 5 == 1' >headerless.csv
refuses 1 'looks like data.*--no-header' encrypt --key keys/public.json --data headerless.csv --out d.h5
encrypt --data headerless.csv --no-header --out d.h5 >out.txt || fail "--no-header: $(cat err.txt)"
says "30 rows, 4 features, 3 classes of 'column-5'" out.txt
cut -d, -f1-4 headerless.csv >headerless_queries.csv
encrypt --data headerless_queries.csv --no-header --profile d.h5.profile.json --out dq.h5 >/dev/null || fail "--no-header: $(cat err.txt)"
refuses 1 'has 3 columns; without a header' encrypt --key keys/public.json --data <(cut -d, -f1-3 headerless.csv) --no-header --profile d.h5.profile.json --out no.h5
sed 's/,/;/g; s/\./,/g' few.csv >semicolons.csv
refuses 1 'this looks like semicolons and decimal commas: add --separator semicolon --decimal ,' run --data semicolons.csv
refuses 1 "row 1, column 'bmi'.*--decimal ," run --data semicolons.csv --separator semicolon
encrypt --data semicolons.csv --separator semicolon --decimal , --out e.h5 >/dev/null || fail "--separator: $(cat err.txt)"
same_profile() { cmp -s <(grep -vE "salt|checksum" "$1") <(grep -vE "salt|checksum" "$2") || fail "$1 and $2 differ"; }
same_profile c.h5.profile.json e.h5.profile.json
(echo 'sep=;' && sed 's/,/;/g' few.csv) | sed 's/$/\r/' >excel.csv
tr '\n' '\r' <few.csv >cr.csv
for file in excel cr; do
  encrypt --data $file.csv --out $file.h5 >/dev/null || fail "$file.csv: $(cat err.txt)"
  same_profile c.h5.profile.json $file.h5.profile.json
done
iconv -f UTF-8 -t UTF-16 few.csv >utf16.csv
refuses 1 'is UTF-16 text; save it as UTF-8' run --data utf16.csv
refuses 2 "--separator is 'dot'" run --data few.csv --separator dot
refuses 2 "--decimal is '!'" run --data few.csv --decimal '!'
refuses 2 'allowed are refuse, mean, drop' run --data few.csv --missing ignore
refuses 1 "no column 'none' of --ignore" run --data few.csv --ignore none

# ---- labels of queries do not matter ----
for label in '' '?' 'unknown'; do
  awk -F, -v OFS=, -v l="$label" 'NR > 1 { $4 = l } 1' few.csv >labelled.csv
  encrypt --data labelled.csv --profile c.h5.profile.json --out l.h5 >out.txt || fail "labels '$label' of queries: $(cat err.txt)"
  says "has the class '.*'.*the labels are left out"
  says '40 rows, 3 features, no labels' out.txt
done
encrypt --data few.csv --profile c.h5.profile.json --out l.h5 >out.txt && says '2 classes' out.txt

# ---- what looks wrong is told ----
awk -F, -v OFS=, 'NR == 1 { print "amount,b,label"; next } { print NR == 2 ? -999999999 : $2, $3, $4 }' few.csv >outlier.csv
encrypt --data outlier.csv --out w.h5 >/dev/null || fail 'an outlier'
says "warning: outlier.csv: nearly every value of column 'amount' becomes one number at 10 fraction bits.*take out the rows"
# With this seed the outlier is in the part to train on; scaled by the others it would be refused.
"$smlp" run --data outlier.csv --network N-C --epochs 1 --seed 2 --bits 1024 --insecure-key --quiet >/dev/null 2>err.txt </dev/null || fail "run: $(cat err.txt)"
says "column 'amount' becomes one number"
sed '2s/,[a-z]*$/,Yes/; 3s/,[a-z]*$/,yes/; 4s/,[a-z]*$/,Yes/' few.csv >case.csv
encrypt --data case.csv --out w.h5 --profile case.json >/dev/null || fail 'labels in two cases'
says "classes 'Yes' and 'yes' of 'label' differ in case"

# ---- 50 mixed columns, missing cells and texts: from CSV to answers in two commands an owner ----
python3 - <<'PYTHON'
import csv, random
random.seed(7)
names = ["Unnamed: 0"] + [f"n{i}" for i in range(30)] + [f"flag{i}" for i in range(8)] + [f"préférence {i}, \"x\"" for i in range(10)] + ["when", "name"]
colours = ["red", "green", "blue, dark", "two\nlines", "é"]
def row(i, label):
    shift = 3 if label == "ill" else -3
    cells = [i] + [f"{random.gauss(shift if k < 20 else 0, 1):.4f}" for k in range(30)]
    cells += [random.choice(["True", "False"]) for _ in range(8)]
    cells += [random.choice(colours[:2] if label == "ill" else colours) for _ in range(10)]
    for k in random.sample(range(1, 49), 2): cells[k] = random.choice(["", "NA", "?", "null"])
    return cells + [f"2026-01-{1 + i % 28:02}", f"person {i}"]
def write(name, rows, labels):
    with open(name, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(names + ["class"] * labels)
        truth = []
        for i in range(rows):
            label = random.choice(["ill", "well"])
            out.writerow(row(i, label) + [label] * labels)
            truth.append(label)
    return truth
write("mixed.csv", 96, True)
truth = write("mixed_queries.csv", 16, False)
open("truth.txt", "w").write("\n".join(truth) + "\n")
PYTHON
choice=(--ignore when,name --missing mean)
refuses 1 "row 1, column '.*--missing mean" encrypt --key keys/public.json --data mixed.csv --out m.h5 --ignore when,name
refuses 1 "column 'name' is text and has 96 different values in 96 rows; --ignore" encrypt --key keys/public.json --data mixed.csv --out m.h5 --missing mean --ignore when
encrypt --data mixed.csv "${choice[@]}" --seed 1 --out m.h5 >out.txt || fail "encrypt: $(cat err.txt)"
says 'row index and left out'
says "is text: each of its 5 values becomes a feature"
says "96 rows, 88 features, 2 classes of 'class'" out.txt
accepts train --data m.h5 --network N-4-C --epochs 12 --secret-key keys/secret.json --seed 1 --insecure-seed --out model.h5 --quiet >/dev/null
sed '1!s/green/violet/' mixed_queries.csv >unseen.csv
encrypt --data unseen.csv --profile m.h5.profile.json --out mq.h5 >/dev/null || fail "queries: $(cat err.txt)"
says "texts that the profile does not know in .* 'violet' in row .*; they count as none of its values"
encrypt --data mixed_queries.csv --profile m.h5.profile.json --out mq.h5 >/dev/null || fail "queries: $(cat err.txt)"
accepts predict --model model.h5 --data mq.h5 --secret-key keys/secret.json --out answers.h5 --quiet >/dev/null
accepts decrypt --key keys/secret.json --in answers.h5 --profile m.h5.profile.json --out answers.csv >/dev/null
right=$(paste -d, truth.txt <(tail -n +2 answers.csv | cut -d, -f2) | awk -F, '$1 == $2' | wc -l)
[ "$right" -ge 14 ] || fail "$right of 16 answers are right"
accepts run --data mixed.csv "${choice[@]}" --network N-C --epochs 1 --bits 1024 --insecure-key --json --quiet >run.json
holds 'j["weights_equal_twin"] and j["rows"]["train"] + j["rows"]["test"] == 96' run.json

# Rows with a missing value are left out of what is learnt from, never of queries.
encrypt --data mixed.csv --ignore when,name --missing drop --columns n0,n1 --label class --out r.h5 >out.txt || fail "drop: $(cat err.txt)"
says 'of 96 rows have a missing value and are left out'
printf 'n0,n1\n1,\n' >gap.csv
refuses 1 "row 1, column 'n1' is empty; the profile has no means" encrypt --key keys/public.json --data gap.csv --profile r.h5.profile.json --out g.h5
refuses 1 'was learnt with --missing drop, --missing asks for mean' encrypt --key keys/public.json --data gap.csv --profile r.h5.profile.json --missing mean --out g.h5
refuses 1 'leave --columns out' encrypt --key keys/public.json --data gap.csv --profile r.h5.profile.json --columns n0 --out g.h5

finish
