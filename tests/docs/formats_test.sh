#!/usr/bin/env bash
# docs/formats.md is enough to read keys, profiles, tables, models and answers: textbook Paillier in Python, nothing of ours. Every
# attribute and dataset of the files stands on the page. Keys of 1024 bits: toys, made with --insecure-key.
. "$(dirname "$0")/../program/support.sh"
page=$PWD/docs/formats.md
python=python3
"$python" -c 'import h5py, cryptography' 2>/dev/null || python=/usr/bin/python3  # that of the distribution, which has its packages
"$python" -c 'import h5py, cryptography' 2>/dev/null ||
  { fail 'python3-h5py or python3-cryptography is missing: scripts/install_dependencies.sh --tests installs them'; finish; exit; }
cd "$dir" || exit 1
toy_keys
rows 6 iris.csv train.csv
cut -d, -f1-4 train.csv >queries.csv
accepts keygen --bits 1024 --insecure-key --out keys >/dev/null
cp -r keys sealed
printf 'correct horse\n' >pass_phrase.txt && chmod 600 pass_phrase.txt
accepts keygen --out sealed --reseal --new-pass-phrase pass_phrase.txt >/dev/null
accepts encrypt --key keys/public.json --data train.csv --batch 9 --out train.h5 >/dev/null
accepts encrypt --key keys/public.json --data queries.csv --batch 7 --profile train.h5.profile.json --out queries.h5 >/dev/null
accepts train --data train.h5 --network N-3-C --epochs 1 --momentum 0.5 --secret-key keys/secret.json --out model.h5 --quiet >/dev/null
accepts export --model model.h5 --key keys/secret.json --out model.json >/dev/null
accepts predict --model model.h5 --data queries.h5 --secret-key keys/secret.json --out answers.h5 --quiet >/dev/null
accepts decrypt --key keys/secret.json --in answers.h5 --profile train.h5.profile.json --out answers.csv >/dev/null

"$python" - "$page" <<'PYTHON' || fail 'the files are not as docs/formats.md says'
import base64, csv, hashlib, json, math, re, struct, sys, zlib
import h5py
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# ---- keys ----
def integer(text): return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
secret, public = json.load(open("keys/secret.json")), json.load(open("keys/public.json"))
assert secret["public"] == public and public["format"] == "smlp-public-key"
def number_field(value):
    content = value.to_bytes((value.bit_length() + 7) // 8, "little")
    return struct.pack("<Q", len(content)) + content
def counted(text): return struct.pack("<Q", len(text.encode())) + text.encode()
paillier, dgk = public["paillier"], public["dgk"]
fields = counted("smlp-public-key 1") + counted(paillier["variant"])
for value in (integer(paillier["n"]), integer(paillier["hs"]), paillier["t"], integer(dgk["n"]), integer(dgk["g"]), integer(dgk["h"]),
              dgk["u"], dgk["t"]):
    fields += number_field(value)
assert hashlib.sha256(fields).hexdigest() == public["kid"] == secret["kid"]
sealed = json.load(open("sealed/secret.json"))
def raw(text): return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
def compact_json(value): return json.dumps(value, separators=(",", ":"))
assert sealed["format"] == "smlp-sealed-secret-key" and sealed["public"] == public and "paillier" not in sealed
assert sealed["checksum"] == hashlib.sha256(("smlp-sealed-secret-key checksum 1" + "".join(
    compact_json(sealed[x]) for x in ("kid", "scrypt", "nonce", "sealed"))).encode()).hexdigest()
cost = {x: sealed["scrypt"][x] for x in "nrp"}
key = hashlib.scrypt(open("pass_phrase.txt", "rb").read().rstrip(b"\n"), salt=raw(sealed["scrypt"]["salt"]), maxmem=2**28, dklen=32, **cost)
assert json.loads(AESGCM(key).decrypt(raw(sealed["nonce"]), raw(sealed["sealed"]), b"smlp-sealed-secret-key 1 " + sealed["kid"].encode())) == secret
n, p, q = integer(paillier["n"]), integer(secret["paillier"]["p"]), integer(secret["paillier"]["q"])
assert n == p * q and n.bit_length() == paillier["bits"]

# ---- profile ----
text = open("train.h5.profile.json").read()
profile = json.loads(text)
compact = re.sub(r'("(?:[^"\\]|\\.)*")|\s+', lambda m: m.group(1) or "", text)
compact = re.sub(r',"checksum":\d+\}$', "}", compact)
assert zlib.crc32(compact.encode()) == profile["checksum"]
fingerprint = hashlib.sha256(compact.encode()).digest()
lines = list(csv.reader(open("train.csv")))
*columns, label = lines[0]
table = b"smlp-table 1" + struct.pack("<Q", len(columns)) + b"".join(map(counted, columns)) + counted(label)
table += struct.pack("<Q", len(lines) - 1) + b"".join(struct.pack("<d", float(v)) for line in lines[1:] for v in line[:-1])
table += struct.pack("<Q", len(lines) - 1) + b"".join(counted(line[-1]) for line in lines[1:])
assert hashlib.sha256(table).hexdigest() == profile["table"]

# ---- encrypted files ----
lam = math.lcm(p - 1, q - 1)
def log(x): return (x - 1) // n
inverse = pow(log(pow(1 + n, lam, n * n)), -1, n)
class File:
    def __init__(self, name, kind):
        self.h5 = h5py.File(name, "r")
        self.a = self.h5.attrs
        assert self.text("format") == "smlp-encrypted-" + kind and int(self.a["version"]) == 5 and self.text("task") == "classification"
        assert self.text("key") == public["kid"] and json.loads(self.text("public_keys")) == public
        assert bytes(self.a["profile"]) == fingerprint, name
        self.f, self.s, self.slots = (int(self.a[x]) for x in ("fraction_bits", "slot_bits", "slots"))
    def text(self, name):
        value = self.a[name]
        return value.decode() if isinstance(value, bytes) else str(value)
    def slots_of(self, cell, count):
        """The values of one ciphertext."""
        m = log(pow(int.from_bytes(bytes(cell), "little"), lam, n * n)) * inverse % n
        if m > n // 2: m -= n
        out = []
        for _ in range(count):
            v = m % (1 << self.s)
            if v >= 1 << (self.s - 1): v -= 1 << self.s
            out.append(v)
            m = (m - v) >> self.s
        assert m == 0
        return out
    def matrix(self, group, row_groups, col_groups):
        """By `down`, and the same by `across`."""
        down, rows = group["down"], []
        assert down.shape == (len(row_groups), sum(col_groups), 2 * ((n.bit_length() + 7) // 8)) and down.fletcher32
        for g, width in enumerate(row_groups):
            rows += zip(*[self.slots_of(down[g, c], width) for c in range(down.shape[1])])
        rows = [list(row) for row in rows]
        assert ("across" in group) == (set(row_groups + col_groups) != {1})
        for r, row in enumerate(rows if "across" in group else []):
            assert row == sum((self.slots_of(group["across"][r, g], width) for g, width in enumerate(col_groups)), [])
        return rows
def balanced(count, slots):
    groups = -(-count // slots)
    return [count // groups + (i < count % groups) for i in range(groups)]

def read_table(name, source, with_labels):
    file = File(name, "table")
    rows, batch = int(file.a["rows"]), int(file.a["batch"])
    groups = sum((balanced(min(batch, rows - first), file.slots) for first in range(0, rows, batch)), [])
    order = sum((file.slots_of(file.h5["order"][g, 0], width) for g, width in enumerate(groups)), [])
    assert sorted(order) == list(range(rows)) and len(file.a["id"]) == 16
    features = file.matrix(file.h5["features"], groups, balanced(int(file.a["features"]), file.slots))
    want = list(csv.reader(open(source)))[1:]
    for at, row in zip(order, features):
        for value, cell, offset, factor in zip(row, want[at], profile["offset"], profile["factor"]):
            assert abs(value / 2**file.f - (float(cell) - offset) * factor) <= 2**-file.f
    assert int(file.a["classes"]) == (len(profile["classes"]) if with_labels else 0)
    if with_labels:
        labels = file.matrix(file.h5["labels"], groups, balanced(int(file.a["classes"]), file.slots))
        for at, row in zip(order, labels):
            assert row == [2**file.f if name == want[at][-1] else 0 for name in profile["classes"]]
    return file
tables = [read_table("train.h5", "train.csv", True), read_table("queries.h5", "queries.csv", False)]

model = File("model.h5", "model")
clear = json.load(open("model.json"))
assert list(map(int, model.a["network"])) == clear["network"] == [4, 3, 3] and int(model.a["with_velocities"]) == 1
assert json.loads(model.text("layers")) == [x["kind"] for x in clear["layers"]] == ["relu", "hard-sigmoid"]
assert json.loads(model.text("protocols"))["matmul"] == "packed" and json.loads(model.text("training"))["momentum"] == 0.5
assert bytes(model.a["table_id"]) == bytes(tables[0].a["id"]) and int(model.a["epochs_done"]) == 1 and int(model.a["handed_over"]) == 0
for i, layer in enumerate(clear["layers"]):
    for name in ("weights", "velocities"):
        group = model.h5[f"{name}_{i}"]
        row_groups, col_groups = (list(map(int, group.attrs[x])) for x in ("row_groups", "col_groups"))
        assert row_groups[-1] == 1
        matrix = model.matrix(group, row_groups, col_groups)
        if name == "weights":
            assert [[v / 2**model.f for v in row] for row in matrix] == layer["weights"] + [layer["biases"]]

answers = File("answers.h5", "answers")
assert answers.text("output") == "hard-sigmoid"
found = {}
for g, width in enumerate(map(int, answers.a["groups"])):
    columns_of = [answers.slots_of(answers.h5["values"][g, o], width) for o in range(int(answers.a["outputs"]))]
    for at, row in zip(answers.slots_of(answers.h5["order"][g, 0], width), zip(*columns_of)):
        found[at] = [min(max(v / 2**answers.f + 0.5, 0), 1) for v in row]
rows = list(csv.reader(open("answers.csv")))[1:]
assert [found[i] for i in range(int(answers.a["rows"]))] == [[float(v) for v in row[2:]] for row in rows]

# ---- every name stands on the page ----
written = open(sys.argv[1]).read()
names = set(public) | set(secret) | set(sealed) | {"scrypt." + x for x in sealed["scrypt"]}
names |= set(profile) | set(clear) | {"paillier." + x for x in (*paillier, *secret["paillier"])} | \
    {"dgk." + x for x in (*dgk, *secret["dgk"])} - {"paillier", "dgk"}
names -= {"scrypt"}
for file in (*tables, model, answers):
    names |= set(file.a)
    file.h5.visititems(lambda name, node: names.update([re.sub(r"_\d+.*", "_i", name) if "_" in name else name, *node.attrs])
                       if isinstance(node, h5py.Dataset) or node.attrs else None)
missing = [x for x in names - {"paillier", "dgk"} if f"`{x}`" not in written and f"`{x}." not in written]
assert not missing, missing
PYTHON

finish
