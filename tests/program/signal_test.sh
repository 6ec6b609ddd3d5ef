#!/usr/bin/env bash
# A signal to end leaves no file that is half written, and the status says which signal it was. Keys of 1024 bits: toys,
# made with --insecure-key.
. "$(dirname "$0")/support.sh"
cd "$dir" || exit 1
toy_keys
accepts keygen --bits 1024 --insecure-key --variant standard --out keys >/dev/null
rows 25 iris.csv small.csv
accepts encrypt --key keys/public.json --data small.csv --batch 2 --out small.h5 >/dev/null
echo 'of another day' >table.h5

# ended SIGNAL ACTION FILE WORD...: starts the program with the signal's ACTION (SIG_DFL, SIG_IGN), sends the signal once FILE (a pattern)
# is there, and prints the status that a shell would see.
ended() {
  python3 - "$smlp" "$@" <<'PYTHON'
import glob, os, signal, subprocess, sys, time
program, name, action, file, *words = sys.argv[1:]
number = getattr(signal, name)
child = subprocess.Popen([program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         preexec_fn=lambda: signal.signal(number, getattr(signal, action)))
while child.poll() is None and not glob.glob(file):
    time.sleep(0.001)
child.send_signal(number)
status = child.wait()
print(status if status >= 0 else 128 - status)
PYTHON
}

before=$(snapshot)
# Minutes of encryption: the table is far from whole when its first bytes are there.
encrypt=(encrypt --key keys/public.json --data "$datasets/digits.csv" --force --out table.h5)
for signal in HUP=129 INT=130 TERM=143; do
  status=$(ended "SIG${signal%=*}" SIG_DFL '.table.h5.partial-*' "${encrypt[@]}")
  [ "$status" = "${signal#*=}" ] || fail "encrypt ended by $signal has the status $status"
  [ "$before" = "$(snapshot)" ] || fail "encrypt ended by $signal left: $(diff <(echo "$before") <(snapshot))"
done

# Training, which has its key and its table open: the checkpoint of the last whole epoch stands alone.
train=(train --data small.h5 --network N-2-C --epochs 1000 --secret-key keys/secret.json --out model.h5)
status=$(ended SIGTERM SIG_DFL model.h5 "${train[@]}")
[ "$status" = 143 ] || fail "train ended by SIGTERM has the status $status"
[ "$before" = "$(snapshot | grep -v 'model\.h5$')" ] || fail "train left: $(diff <(echo "$before") <(snapshot))"
accepts inspect model.h5 >/dev/null

# What is ignored, as under nohup, stays so.
status=$(ended SIGHUP SIG_IGN '.queries.h5.partial-*' encrypt --key keys/public.json --data small.csv --out queries.h5)
[ "$status" = 0 ] && [ -e queries.h5 ] || fail "an ignored SIGHUP ended encrypt with the status $status"

finish
