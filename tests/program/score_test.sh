#!/usr/bin/env bash
# smlp score: accuracy and what it hides, from answers of smlp decrypt and the table with the labels.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1

# 64 rows, of which one is of the rare class: always answering the other one looks good.
python3 - <<'PY'
with open("table.csv", "w") as table, open("answers.csv", "w") as answers:
    table.write("name,x,kind\n")
    answers.write("row,class,output_common,output_rare\n")
    for row in range(1, 65):
        table.write(f'"n {row}",,{"rare" if row == 17 else "common"}\n')  # other columns may hold anything
    for row in range(64, 0, -1):  # in any order
        answers.write(f"{row},common,0.9,0.1\n")
PY
accepts score --answers answers.csv --data table.csv >said.txt
grep -q "^accuracy 98.4 % of 64 rows; always answering 'common' would give 98.4 %$" said.txt || fail "says: $(cat said.txt)"
grep -q "^smlp: warning: none of the 1 row of class 'rare' is answered right$" "$said/err" || fail "warns: $(cat "$said/err")"
grep -qE '^ +rare +1 +0.0 % +- +0.0 %$' said.txt || fail "no line of the rare class: $(cat said.txt)"
accepts score --answers answers.csv --data table.csv --json >said.json
holds 'j["rows"] == 64 and j["accuracy"] == 63 / 64 and j["classes"][1] == {"class": "rare", "rows": 1, "answers": 0, "recall": 0, "precision": None, "f1": 0}' said.json
holds 'j["confusion"] == [[63, 0], [1, 0]] and j["largest_class"] == 63 / 64 and j["unlabelled"] == 0' said.json
accepts score --answers <(cat answers.csv) --data <(gzip -c table.csv) --json >piped.json
holds 'j["accuracy"] == 63 / 64' piped.json

# Another separator, another label column, rows without a label, a class that the model does not know.
printf 'kind;x\ncommon;1\n?;2\nnew;3\n;4\n' >other.csv
printf 'row,class,output_common,output_rare\n1,common,1,0\n2,rare,0,1\n3,rare,0,1\n4,common,1,0\n' >four.csv
accepts score --answers four.csv --data other.csv --separator semicolon --label kind --json >said.json
holds 'j["rows"] == 2 and j["unlabelled"] == 2 and j["accuracy"] == 0.5 and [c["class"] for c in j["classes"]] == ["common", "rare", "new"]' said.json

refuses 1 "no label of other.csv is a class of four.csv: there is '1'.*--label" score --answers four.csv --data other.csv --separator semicolon
printf 'x,kind\n1,common\n2,rare\n3,rare\n' >three.csv
refuses 1 'four.csv: row 4 answers row 4 of the table, but three.csv has 3 rows' score --answers four.csv --data three.csv
printf 'row,class,output_a\n1,a,1\n1,a,1\n' >twice.csv
refuses 1 'row 1 of the table a second time' score --answers twice.csv --data three.csv
printf 'row,class,output_a\n0,a,1\n' >zero.csv
refuses 1 "column 'row' is '0', not a number from 1" score --answers zero.csv --data three.csv
printf 'row,class,output_a\n1,b,1\n' >none.csv
refuses 1 "column 'class' is 'b', which no column" score --answers none.csv --data three.csv
refuses 1 'three.csv is no table of answers' score --answers three.csv --data three.csv
refuses 1 'no label column .b.; it has' score --answers four.csv --data three.csv --label b
refuses 2 'needs --answers' score --data three.csv
finish
