#!/usr/bin/env bash
# Training reads its table batch by batch: with eight times the rows the file grows by 50 MB and the memory does not. Keys of
# 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
large_table=$(realpath "$(dirname "$smlp")/bench/large_table")
cd "$dir" || exit 1
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
for rows in 1000 8000; do
  "$large_table" --key keys/public.json --rows $rows --features 100 --classes 3 --out $rows.h5 2>err.txt || fail "large_table: $(cat err.txt)"
done
python3 - "$smlp" <<'PYTHON' || fail 'the memory of train grows with the rows of its table'
import os, subprocess, sys, time

def peak_of_three_steps(table):
    """Peak resident memory in MiB of a training that is ended after its third step."""
    metrics = table + ".jsonl"
    words = ["train", "--data", table, "--network", "N-2-C", "--secret-key", "keys/secret.json", "--out", table + ".model",
             "--metrics", metrics, "--threads", "2", "--quiet"]
    child = subprocess.Popen([sys.argv[1], *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (os.path.exists(metrics) and sum(1 for _ in open(metrics)) >= 3):
        assert os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None, "train ended by itself"
        time.sleep(0.02)
    child.terminate()
    _, _, usage = os.wait4(child.pid, 0)
    return usage.ru_maxrss / 1024

few, many = peak_of_three_steps("1000.h5"), peak_of_three_steps("8000.h5")
grown = (os.path.getsize("8000.h5") - os.path.getsize("1000.h5")) / 2**20
assert grown > 45, f"the table grows by {grown} MiB"
assert many - few < 16, f"{few} MiB with 1,000 rows, {many} MiB with 8,000"
PYTHON

finish
