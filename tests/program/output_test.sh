#!/usr/bin/env bash
# What commands write: nothing that is there is replaced unless --force says so, a place has one writer at a time, pipes take
# text, and file systems without locks are as good as others. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
accepts keygen --bits 1024 --insecure-key --variant standard --out keys >/dev/null
rows 12 iris.csv train.csv
cut -d, -f1-4 train.csv >queries.csv
key=(--secret-key keys/secret.json)
encrypt=(encrypt --key keys/public.json --batch 4)
accepts "${encrypt[@]}" --data train.csv --out train.h5 >/dev/null
accepts "${encrypt[@]}" --data queries.csv --profile train.h5.profile.json --out queries.h5 >/dev/null
long=(train --data train.h5 --network N-2-C "${key[@]}" --quiet)
train=("${long[@]}" --epochs 1)
accepts "${train[@]}" --out model.h5 --metrics metrics.jsonl >/dev/null
predict=(predict --model model.h5 --data queries.h5 "${key[@]}" --quiet)
accepts "${predict[@]}" --out answers.h5 >/dev/null
decrypt=(decrypt --key keys/secret.json --in answers.h5 --profile train.h5.profile.json)
accepts "${decrypt[@]}" --out answers.csv >/dev/null
export=(export --model model.h5 --key keys/secret.json)
accepts "${export[@]}" --out model.json >/dev/null
release=(release --model model.h5 --user-key keys/public.json "${key[@]}" --quiet)
accepts "${release[@]}" --out owner.h5 >/dev/null
run=(run --data train.csv --network N-2-C --epochs 1 --bits 1024 --insecure-key --quiet)
accepts "${run[@]}" --out run.h5 --metrics run.jsonl >/dev/null

# ---- one rule ----
again() { refuses 1 "$1 .*is there already: .*--force" "${@:2}"; accepts "${@:2}" --force >/dev/null; }
again '--out train.h5' "${encrypt[@]}" --data train.csv --out train.h5
again '--out model.h5' "${train[@]}" --out model.h5
again '--metrics metrics.jsonl' "${train[@]}" --out other.h5 --metrics metrics.jsonl
again '--out answers.h5' "${predict[@]}" --out answers.h5
again '--out answers.csv' "${decrypt[@]}" --out answers.csv
again '--out model.json' "${export[@]}" --out model.json
again '--out owner.h5' "${release[@]}" --out owner.h5
again '--out run.h5' "${run[@]}" --out run.h5
again '--metrics run.jsonl' "${run[@]}" --metrics run.jsonl
again '--out keys/secret.json' keygen --bits 1024 --insecure-key --variant standard --out keys
ln -s nowhere link.csv
refuses 1 'link.csv is there already' "${decrypt[@]}" --out link.csv

# ---- pipes and devices take text, and nothing else ----
accepts keygen --bits 1024 --insecure-key --variant standard --out keys --force >/dev/null
accepts "${encrypt[@]}" --data train.csv --out train.h5 --force >/dev/null
accepts "${encrypt[@]}" --data queries.csv --profile train.h5.profile.json --out queries.h5 --force >/dev/null
accepts "${train[@]}" --out model.h5 --force >/dev/null
accepts "${predict[@]}" --out answers.h5 --force >/dev/null
accepts "${decrypt[@]}" --out answers.csv --force >/dev/null
mkfifo pipe
cat pipe >from_pipe & reader=$!
accepts "${decrypt[@]}" --out pipe >said.txt
wait $reader
cmp -s from_pipe answers.csv || fail 'a pipe gets other answers'
[ -p pipe ] || fail 'the pipe was replaced'
accepts "${decrypt[@]}" --out /dev/stdout >from_stdout
cmp -s from_stdout answers.csv || fail "/dev/stdout gets other answers: $(head -n 3 from_stdout)"
accepts "${decrypt[@]}" --out /dev/stdout | cmp -s - answers.csv || fail 'a pipe at /dev/stdout gets other answers'
[ -L /dev/stdout ] || fail '/dev/stdout was replaced'
accepts "${export[@]}" --out /dev/stdout | python3 -c 'import json, sys; json.load(sys.stdin)' || fail 'no JSON at /dev/stdout'
cat pipe >from_pipe & reader=$!
accepts "${train[@]}" --out piped.h5 --metrics pipe >/dev/null
wait $reader
[ "$(grep -c '"step"' from_pipe)" -gt 1 ] || fail "a pipe gets no metrics: $(cat from_pipe)"
[ "$(accepts run --data <(cat train.csv) "${run[@]:3}" --metrics /dev/stdout | grep -c '"step"')" -ge 1 ] || fail 'no metrics from one pipe to another'
refuses 1 'pipe is a pipe or a device; a regular file is needed' "${predict[@]}" --out pipe

# ---- one writer ----
"$smlp" "${long[@]}" --epochs 1000 --out long.h5 --metrics long.jsonl >/dev/null 2>&1 </dev/null &
writer=$!
for _ in $(seq 1000); do [ -e .long.jsonl.lock ] && break; sleep 0.02; done
second() {
  local status=0
  "$smlp" "${@:2}" >/dev/null 2>"$said/err" </dev/null || status=$?
  [ $status -eq 1 ] && grep -qE "^smlp: $1 is being written by another smlp" "$said/err" && [ "$(wc -l <"$said/err")" -eq 1 ] ||
    fail "a second writer: $status, $(cat "$said/err")"
}
second '--out long.h5' "${train[@]}" --out long.h5 --resume
second '--out ./long.h5' "${predict[@]}" --out ./long.h5 --force
second '--metrics long.jsonl' "${train[@]}" --out others.h5 --force --metrics long.jsonl
kill -KILL $writer 2>/dev/null
wait $writer 2>/dev/null
accepts "${train[@]}" --out long.h5 --force >/dev/null  # a lock dies with its process
[ "$(find . -name '.?*')" = ./.long.jsonl.lock ] || fail "left: $(find . -name '.?*')"

# ---- no locks ----
cat >no_locks.c <<'C'
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
int flock(int descriptor, int operation) {
  (void)descriptor, (void)operation;
  errno = atoi(getenv("FLOCK_ERRNO"));
  return -1;
}
C
cc -shared -fPIC -o no_locks.so no_locks.c || fail 'no_locks.c does not compile'
whole=$(accepts inspect model.h5)
for code in ENOLCK ENOSYS EOPNOTSUPP; do
  number=$(python3 -c "import errno; print(errno.$code)")
  # Some sites ask for HDF5's locks in the environment.
  without_locks=(env HDF5_USE_FILE_LOCKING=TRUE FLOCK_ERRNO="$number" LD_PRELOAD="$dir/no_locks.so" "$smlp")
  [ "$("${without_locks[@]}" inspect model.h5)" = "$whole" ] || fail "inspect without locks ($code)"
  for words in encrypt train predict decrypt; do
    declare -n command=$words
    case $words in encrypt) rest=(--data train.csv --out nolock.train.h5) ;; *) rest=(--out nolock.$words) ;; esac
    "${without_locks[@]}" "${command[@]}" "${rest[@]}" --force >"$said/out" 2>&1 </dev/null ||
      fail "$words without locks ($code): $(cat "$said/out")"
  done
done
cmp -s nolock.decrypt answers.csv || fail 'other answers without locks'
[ "$(find . -name '.nolock*')" = '' ] || fail "left without locks: $(find . -name '.nolock*')"

finish
