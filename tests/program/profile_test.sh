#!/usr/bin/env bash
# Files that belong together know each other: queries scaled by another profile than the model's, a profile that is not the
# model's, and a profile beside --out of other data are refused. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
python3 - <<'PYTHON'
import random
random.seed(3)
def site(name, ill, of):
    """Two clinics: the same illness, other parts of ill people, so other means and ranges."""
    with open(name, "w") as file:
        print("age,bmi,status", file=file)
        for i in range(of):
            is_ill = i < ill
            age, bmi = (62, 30) if is_ill else (35, 24)
            print(f"{random.gauss(age, 3):.1f},{random.gauss(bmi, 1):.1f},{'ill' if is_ill else 'well'}", file=file)
site("a.csv", 20, 40)
site("b.csv", 38, 40)
open("other.csv", "w").write("u,v,grade\n1,2,good\n3,4,bad\n")
PYTHON
accepts keygen --bits 1024 --insecure-key --out k >/dev/null
encrypt=(encrypt --key k/public.json --quiet)
accepts "${encrypt[@]}" --data a.csv --seed 3 --out a.h5 >said.txt
grep -q '^a.h5: a training table, 40 rows' said.txt || fail "encrypt without --profile says: $(cat said.txt)"
grep -q 'rows for the model of another table are encrypted with --profile of that table' said.txt || fail "encrypt says: $(cat said.txt)"
accepts train --data a.h5 --network N-4-C --secret-key k/secret.json --epochs 5 --learning-rate 0.3 --out m.h5 --quiet --seed 3 \
  --insecure-seed >/dev/null
predict=(predict --model m.h5 --secret-key k/secret.json --seed 3 --insecure-seed --quiet)

# --profile forgotten: a training table of its own.
accepts "${encrypt[@]}" --data b.csv --out b.h5 >/dev/null
refuses 1 'b.h5 was scaled by another profile than the training table of m.h5.*--profile of the training table' "${predict[@]}" \
  --data b.h5 --out x.h5
accepts "${encrypt[@]}" --data b.csv --seed 3 --profile a.h5.profile.json --out q.h5 >said.txt
grep -q 'a training table' said.txt && fail "encrypt with --profile says: $(cat said.txt)"
accepts "${predict[@]}" --data q.h5 --out answers.h5 >/dev/null
accepts decrypt --key k/secret.json --in answers.h5 --profile a.h5.profile.json --out answers.csv >/dev/null
cmp -s <(cut -d, -f2 answers.csv | tail -n +2) <(cut -d, -f3 b.csv | tail -n +2) || fail 'wrong answers with the right profile'

# A profile that is there is read: by several at once, and from where nobody may write.
mkdir kept
cp a.h5.profile.json kept/profile.json
exec 9>kept/.profile.json.lock && flock 9
accepts "${encrypt[@]}" --data b.csv --profile kept/profile.json --out q2.h5 >/dev/null
exec 9>&-
rm -r kept

# Another table's class names.
accepts "${encrypt[@]}" --data other.csv --out other.h5 >/dev/null
for profile in other b; do
  refuses 1 "the profile $profile.h5.profile.json is not that of the model's training table" \
    decrypt --key k/secret.json --in answers.h5 --profile $profile.h5.profile.json --out wrong.csv
done
# The same data learnt anew is another profile: its salt is.
cp a.csv again.csv
accepts "${encrypt[@]}" --data again.csv --out again.h5 >/dev/null
refuses 1 'is not that of' decrypt --key k/secret.json --in answers.h5 --profile again.h5.profile.json --out wrong.csv
holds '[json.load(open("a.h5.profile.json"))[f] == j[f] for f in ("table", "offset", "salt")] == [True, True, False]' again.h5.profile.json

# A profile beside --out that was learnt from other data is not applied in silence.
refuses 1 'a.h5.profile.json beside --out was learnt from another table than b.csv: .*--profile' "${encrypt[@]}" --data b.csv --out a.h5 --force
cut -d, -f1-2 a.csv >queries.csv
refuses 1 'beside --out was learnt from another table' "${encrypt[@]}" --data queries.csv --out a.h5 --force
accepts "${encrypt[@]}" --data a.csv --out a.h5 --force >/dev/null

# Table, model and answers name the profile; no server's file has its salt.
for file in a.h5 q.h5 m.h5 answers.h5 a.h5.profile.json; do
  accepts inspect $file --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["profile"])'
done | sort -u >named
[ "$(wc -l <named)" -eq 1 ] && grep -qE '^[0-9a-f]{64}$' named || fail "other profiles are named: $(cat named)"
python3 - <<'PYTHON' || fail 'a file for servers has the salt of the profile'
import json
salt = json.load(open("a.h5.profile.json"))["salt"]
for name in ("a.h5", "q.h5", "m.h5", "answers.h5"):
    content = open(name, "rb").read()
    assert salt.encode() not in content and bytes.fromhex(salt) not in content
PYTHON

finish
