#!/usr/bin/env bash
# What README.md and docs/ say that can be looked up: every option is one of its command, every file and target of make is there, the
# steps of README run in their order, and a run prints what README shows.
# Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/../program/support.sh"

# Options behind `smlp COMMAND`, to the end of the line, the pipe or the code span; lone ones in code spans may be any command's.
python3 - "$smlp" README.md SECURITY.md CONTRIBUTING.md docs/*.md <<'PYTHON' || fail 'the documents name what is not there'
import re, subprocess, sys
smlp, files = sys.argv[1], sys.argv[2:]
listed = subprocess.run([smlp, "--help"], capture_output=True, text=True, check=True).stdout
commands = re.findall(r"^  ([a-z]+) ", listed, re.M)
options = {c: set(re.findall(r"^  (--[a-z-]+)", subprocess.run([smlp, c, "--help"], capture_output=True, text=True, check=True).stdout, re.M))
           for c in commands}
every = set.union(*options.values()) | {"--help", "--version"}
others = {"--json", "--bits", "--rounds", "--update", "--markdown"}  # of benchmarks and scripts
wrong, seen = [], 0
for path in files:
    fenced = python = False
    for number, line in enumerate(open(path), 1):
        if line.startswith("```"):
            fenced, python = not fenced, line.startswith("```python")  # which tests/python/docs_test.py runs
            continue
        if python:
            continue
        spans = [line.split(" #")[0]] if fenced else re.findall(r"`([^`]+)`", line)
        for span in spans:
            found = re.findall(r"(?:^|[ /$(])smlp ([a-z]+)((?: [^|;]*)?)", span)
            for command, rest in found:
                if command not in commands:
                    if fenced or "--" in rest:
                        wrong.append((path, number, "no command " + command))
                    continue
                for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest):
                    seen += 1
                    if option not in options[command] | {"--help"}:
                        wrong.append((path, number, command + " has no " + option))
            if not found and not fenced:
                for option in re.findall(r"^--[a-z][a-z-]*", span):
                    seen += 1
                    if option not in every | others:
                        wrong.append((path, number, "no command has " + option))
assert not wrong, wrong
assert seen > 50, seen
PYTHON

# Files that are linked or named, targets of make, the version.
python3 - README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md docs/*.md <<'PYTHON' || fail 'the documents name files or targets that are not there'
import os, re, sys
targets = {name for names in re.findall(r"^([a-z -]+):", open("Makefile").read(), re.M) for name in names.split()}
wrong = []
for path in sys.argv[1:]:
    text = open(path).read()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        if not os.path.exists(os.path.join(os.path.dirname(path), link)):
            wrong.append((path, link))
    spans = re.findall(r"`([^`\n]+)`", text)
    for name in spans:
        if re.fullmatch(r"(paillier|protocols|mlp|tests|scripts|bench|docs|datasets)/[a-z0-9_./-]+", name) and \
           "lookup" not in name and "hard_swish" not in name and not os.path.exists(name):
            wrong.append((path, name))
    for span in spans + re.findall(r"```\n(.*?)```", text, re.S):
        wrong += [(path, "make " + t) for t in re.findall(r"(?:^|\n)make ([a-z-]+)(?![/\w-])", span) if t not in targets]
assert not wrong, wrong
PYTHON
grep -qx "version: $("$smlp" --version | sed 's/^smlp //')" CITATION.cff || fail "CITATION.cff is not of $("$smlp" --version)"

# README's steps as they stand, with toy keys and small tables.
root=$PWD
cd "$dir" || exit 1
rows 12 iris.csv table.csv
cp table.csv train.csv
cut -d, -f1-4 table.csv >queries.csv
awk -F, -v OFS=';' '{ $1 = $1; print NR == 1 ? "id;name" : NR ";plant " NR, $0 }' table.csv | sed '1!s/\./,/g' >export.csv
sed -n 's,^build/smlp \([^#]*\).*,\1,p' "$root/README.md" >steps.txt
while read -r command options; do
  case $command in
    keygen) options+=' --bits 1024 --insecure-key' ;;
    run) options+=' --bits 1024 --insecure-key --epochs 1 --quiet' ;;
    train) options+=' --epochs 1' ;;
  esac
  if [[ $options == *--insecure-key* ]] || ! "$smlp" "$command" --help | grep -q -- --insecure-key; then :; else options+=' --insecure-key'; fi
  if [[ $options == *--out\ answers.csv* ]]; then rm -f answers.csv; fi
  if [[ $options == *--out\ answers.h5* ]]; then rm -f answers.h5; fi
  # shellcheck disable=SC2086  # words of the document
  accepts "$command" $options >/dev/null
  [ "$failures" -eq 0 ] || break
done <steps.txt
[ "$(wc -l <steps.txt)" -ge 11 ] || fail "README has only $(wc -l <steps.txt) steps: $(cat steps.txt)"
[ "$(wc -l <answers.csv)" -eq "$(wc -l <queries.csv)" ] || fail "answers.csv has $(wc -l <answers.csv) lines"
[ -s model.json ] || fail 'the model was not exported'

# What a run prints is what README shows: the same lines, up to numbers, units and their ends.
rows 12 breast_cancer.csv breast_cancer.csv
accepts run --data breast_cancer.csv --network 30-16-2 --epochs 3 --learning-rate 0.05 --momentum 0.8 --seed 1 --bits 1024 --insecure-key \
  >printed.txt
python3 - "$root/README.md" printed.txt <<'PYTHON' || fail "README shows what a run does not print: $(cat printed.txt)"
import re, sys
def form(line):
    line = re.sub(r"-?\d+(\.\d+)?", "#", line.replace("datasets/", ""))
    return re.sub(r"# (B|kB|MB|GB|s|min|h)\b", "# unit", re.sub(r"#:#(:#)?", "#", re.sub(r" +", " ", line.strip())))
shown = open(sys.argv[1]).read().split("## What it prints")[1].split("```")[1].strip().splitlines()
printed = [form(line) for line in open(sys.argv[2])]
missing = [line for line in shown if not any(other.startswith(form(line)) for other in printed)]
assert len(shown) > 10 and not missing, missing
PYTHON

finish
