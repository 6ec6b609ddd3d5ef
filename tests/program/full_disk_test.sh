#!/usr/bin/env bash
# A disk that is full, or a limit on the size of files, while something is written: one line, exit code 1, what was there
# stays whole, nothing half written stays, and a training resumes to the same weights. Keys of 1024 bits: toys, made with
# --insecure-key.
case ${SMLP-} in *coverage*)  # its profile would need the disk that is full
  echo "$(basename "$0"): a coverage build is not tested"
  exit 0 ;;
esac
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
accepts keygen --bits 1024 --insecure-key --variant standard --out keys >/dev/null
rows 12 iris.csv train.csv
cut -d, -f1-4 train.csv >queries.csv
profile=(--profile train.h5.profile.json)
accepts encrypt --key keys/public.json --data train.csv --batch 4 --seed 5 --out train.h5 >/dev/null
accepts encrypt --key keys/public.json --data queries.csv --batch 4 "${profile[@]}" --out queries.h5 >/dev/null
key=(--secret-key keys/secret.json)
train=(train --data train.h5 --network N-2-C --momentum 0.5 --seed 5 --insecure-seed --quiet "${key[@]}")
accepts "${train[@]}" --epochs 3 --out whole.h5 >/dev/null
accepts export --model whole.h5 --key keys/secret.json --out whole.json >/dev/null
accepts "${train[@]}" --epochs 1 --out model.h5 >/dev/null
size=$(stat -c %s model.h5)

# limited BYTES WORD...: the program, which can make no file longer than BYTES, fails as a full disk makes it fail.
limited() {
  local bytes=$1 before status=0
  shift
  before=$(snapshot)
  python3 -c 'import resource, subprocess, sys
limit = int(sys.argv[1])
child = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL, capture_output=True,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
sys.stdout.buffer.write(child.stdout + child.stderr)
sys.exit(child.returncode % 256)' "$bytes" "$smlp" "$@" >"$said/out" || status=$?
  [ "$status" -eq 1 ] || fail "exit code $status with $bytes bytes: smlp $*: $(cat "$said/out")"
  [ "$(grep -vc '^smlp: note: ' "$said/out")" -eq 1 ] || fail "not one line with $bytes bytes: smlp $*: $(cat "$said/out")"
  grep -qE '^smlp: cannot write .*File too large' "$said/out" || fail "another line with $bytes bytes: $(cat "$said/out")"
  [ "$before" = "$(snapshot)" ] || fail "left or changed a file: smlp $*: $(diff <(echo "$before") <(snapshot))"
}

for bytes in 1 100 $((size / 4)) $((size / 2)) $((size - 1)); do
  limited "$bytes" "${train[@]}" --epochs 3 --out model.h5 --resume
done
limited 100 "${train[@]}" --epochs 1 --out new.h5
limited 8000 encrypt --key keys/public.json --data train.csv --batch 4 --quiet "${profile[@]}" --out new.h5
limited 4000 predict --model model.h5 --data queries.h5 "${key[@]}" --quiet --out new.h5
limited 4000 release --model model.h5 --user-key keys/public.json "${key[@]}" --quiet --out new.h5
limited 10 export --model model.h5 --key keys/secret.json --out new.json
mkdir -m 700 keys2
limited 10 keygen --bits 1024 --insecure-key --variant standard --out keys2

# A real full disk, where this user may mount one.
mkdir disk
cat >on_a_small_disk.sh <<'SCRIPT'
mount -t tmpfs -o size=96k tmpfs disk || exit 77
cp model.h5 disk && dd if=/dev/zero of=disk/other bs=1k count=128 2>/dev/null
truncate -s -8k disk/other  # room for a part of the next checkpoint
"$@" >said.txt 2>&1 && echo 'no failure'
ls -A disk
cmp model.h5 disk/model.h5
rm disk/other
"$@" >/dev/null 2>&1 || echo 'no resuming'
cp disk/model.h5 resumed.h5
SCRIPT
for unshare in 'unshare -m' 'unshare -rm'; do
  $unshare true 2>/dev/null || continue
  listed=$($unshare bash on_a_small_disk.sh "$smlp" "${train[@]}" --epochs 3 --out disk/model.h5 --resume </dev/null)
  status=$?
  [ $status -ne 77 ] || continue
  [ "$listed" = $'model.h5\nother' ] || fail "on a full disk: $listed, $(cat said.txt)"
  grep -q '^smlp: cannot write disk/model.h5 .*No space left on device' said.txt || fail "on a full disk: $(cat said.txt)"
  [ "$(grep -vc '^smlp: note: ' said.txt)" -eq 1 ] || fail "on a full disk not one line: $(cat said.txt)"
  accepts export --model resumed.h5 --key keys/secret.json --out resumed.json >/dev/null
  cmp -s whole.json resumed.json || fail 'the weights differ after a full disk'
  break
done
[ -e resumed.h5 ] || echo 'full_disk_test.sh: no right to mount a small disk here; the limit on files alone was tested'

accepts "${train[@]}" --epochs 3 --out model.h5 --resume >/dev/null
accepts export --model model.h5 --key keys/secret.json --out model.json >/dev/null
cmp -s whole.json model.json || fail 'the weights differ after failed writes'

finish
