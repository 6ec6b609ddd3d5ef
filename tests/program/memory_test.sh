#!/usr/bin/env bash
# Training reads its table batch by batch: with eight times the rows the file grows by 50 MB and the memory does not, and it is
# about what plan says. Encryption holds the table in doubles, twice while it is scaled, and no integer for each cell. Keys of
# 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/support.sh"
large_table=$(realpath "$(dirname "$smlp")/bench/large_table")
cd "$dir" || exit 1
toy_keys
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
for rows in 1000 8000; do
  "$large_table" --key keys/public.json --rows $rows --features 100 --classes 3 --out $rows.h5 2>err.txt || fail "large_table: $(cat err.txt)"
done
python3 - "$smlp" <<'PYTHON' || fail 'the memory of train grows with the rows of its table, or is not what plan says'
import json, os, subprocess, sys, time

def protocols(preset):
    return ["--protocols", preset] + (["--matmul", "oblivious-transfer"] if preset == "hybrid" else [])

def peak_of_three_steps(table, preset, hidden=2):
    """Peak resident memory in MiB of a training that is ended after its third step."""
    metrics = f"{table}.{preset}.{hidden}.jsonl"
    words = ["train", "--data", table, "--network", f"N-{hidden}-C", "--secret-key", "keys/secret.json", "--out", metrics + ".model",
             *protocols(preset), "--metrics", metrics, "--threads", "2", "--quiet"]
    child = subprocess.Popen([sys.argv[1], *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (os.path.exists(metrics) and sum(1 for _ in open(metrics)) >= 4):
        assert os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None, "train ended by itself"
        time.sleep(0.02)
    child.terminate()
    _, _, usage = os.wait4(child.pid, 0)
    return usage.ru_maxrss / 1024

grown = (os.path.getsize("8000.h5") - os.path.getsize("1000.h5")) / 2**20
assert grown > 45, f"the table grows by {grown} MiB"
for preset in "homomorphic", "hybrid":
    few, many = peak_of_three_steps("1000.h5", preset), peak_of_three_steps("8000.h5", preset)
    assert many - few < 16, f"{few} MiB with 1,000 rows, {many} MiB with 8,000, with {preset}"
    for hidden, peak in (2, few), (48, peak_of_three_steps("1000.h5", preset, 48)):
        words = ["plan", "--network", f"100-{hidden}-3", "--rows", "1000", *protocols(preset), "--bits", "1024", "--insecure-key",
                 "--threads", "2", "--ranks", "1", "--json"]
        plan = json.loads(subprocess.run([sys.argv[1], *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
        planned = plan["shared"][0]["memory_bytes"] / 2**20
        assert 0.7 < planned / peak < 1.4, f"plan says {planned} MiB for {hidden} neurons with {preset}, it took {peak} MiB"
PYTHON

python3 - "$smlp" <<'PYTHON' || fail 'encrypt needs more than its table twice'
import os, subprocess, sys, time

columns = 60

def peak_of_first_groups(rows):
    """Peak resident memory in MiB of an encryption from a pipe that is ended after its first groups."""
    with open("wide.csv", "w") as file:
        file.write(",".join(f"c{j}" for j in range(columns)) + ",label\n")
        for i in range(rows):
            file.write(",".join(str((i * j) % 97) for j in range(columns)) + f",{i % 2}\n")
    before = set(os.listdir("."))
    pipe = subprocess.Popen(["cat", "wide.csv"], stdout=subprocess.PIPE)
    words = ["encrypt", "--key", "keys/public.json", "--data", "/dev/stdin", "--out", f"wide{rows}.h5", "--threads", "1", "--quiet"]
    child = subprocess.Popen([sys.argv[1], *words], stdin=pipe.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pipe.stdout.close()
    def started():
        for name in set(os.listdir(".")) - before:
            try:
                if os.path.getsize(name) > 0: return True
            except FileNotFoundError: pass
        return False
    while not started():
        assert os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None, "encrypt ended by itself"
        time.sleep(0.02)
    child.terminate()
    _, _, usage = os.wait4(child.pid, 0)
    pipe.wait()
    return usage.ru_maxrss / 1024

few, many = peak_of_first_groups(1000), peak_of_first_groups(25000)
table = 24000 * columns * 8 / 2**20
assert many - few < 4 * table, f"{few} MiB with 1,000 rows, {many} MiB with 25,000: a table of {table} MiB"
PYTHON

finish
