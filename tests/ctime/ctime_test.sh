#!/usr/bin/env bash
# What the key holder does depends on none of its secrets but as reasons.supp says: see ctime.cpp. Two measures, no
# clock: branches and addresses under memcheck, counts of instructions under callgrind.
set -euo pipefail
build=$(dirname "$SMLP")
[ "$(basename "$build")" = build ] || { echo "instrumented code is not what runs: skipped"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_NUM_THREADS=1

"$build/ctime" key "$dir/key.json"

reasons=tests/ctime/reasons.supp
valgrind -v --log-file="$dir/memcheck.log" --num-callers=30 --undef-value-errors=yes --suppressions=$reasons \
  "$build/ctime" undefined "$dir/key.json" >"$dir/found"
cat "$dir/found"
if grep -v ': 0$' "$dir/found"; then
  echo "these depend on secrets:"
  grep -A 12 -E 'depends on uninit|Use of uninit' "$dir/memcheck.log" | head -n 60
  exit 1
fi
# A reason that nothing needs any more goes.
while read -r name; do
  grep -q "used_suppression: .* $name " "$dir/memcheck.log" || { echo "$reasons: nothing needs '$name'"; exit 1; }
done < <(sed -n '/^{/{n;s/^ *//p}' $reasons)

# Twice in many runs a case of one group took 30 instructions more or less than the others, and why is not known. The key
# holder's random numbers are new in each run, its secrets are not.
counted_alike() {
rm -f "$dir"/counts*
valgrind --tool=callgrind -q --callgrind-out-file="$dir/counts" --collect-atstart=no \
  --toggle-collect='smlp::RandomStream::below*' --toggle-collect='smlp::decode_units*)' "$build/ctime" counts "$dir/key.json"
python3 - "$dir" <<'PYTHON'
import collections, glob, re, sys

def instructions(text):
    """Of the program and of GMP. Not of malloc, whose steps depend on what was freed before, nor of random numbers, of which
    one is drawn again where it was too large, nor of the checks of ciphertexts that arrive: whoever sent them
    knows them."""
    names, total, of_object, of_function, inclusive = {}, 0, False, False, False
    for line in text.splitlines():
        if m := re.match(r"(c?ob|c?fn)=\((\d+)\)(?: (.*))?$", line):
            kind, number, name = m.groups()
            key = kind[-2:] + number
            if name: names[key] = name
            if kind == "ob": of_object = bool(re.search(r"/ctime$|libgmp", names[key]))
            if kind == "fn": of_function = not re.search(r"__gmp_default_|wipe_memory|bit_length|^smlp::RandomStream::", names[key])
        elif line.startswith("calls="):
            inclusive = True
        elif m := re.match(r"[+*\d-]\S* (\d+)$", line):
            if of_object and of_function and not inclusive: total += int(m[1])
            inclusive = False
    return total

groups = collections.defaultdict(dict)
for path in glob.glob(f"{sys.argv[1]}/counts.*"):
    text = open(path).read()
    if name := re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M):
        group, case = name[1].split(": ")
        groups[group][case] = instructions(text)
assert len(groups) == 1 + 11 + 2 * (7 + 1 + 4), groups
for group, cases in sorted(groups.items()):
    least, most = min(cases.values()), max(cases.values())
    print(f"{group}: {len(cases)} cases, {least} instructions, {most - least} more")
    # GMP corrects a limb of a quotient now and then where the evaluator adds up; zeros were short by 5e-3.
    alike = most - least <= (1e-4 if group.startswith("the evaluator") else 1e-5) * least
    assert len(cases) > 1 and least > 10000 and alike == (group != "on purpose"), cases
PYTHON
}
counted_alike || counted_alike || counted_alike
