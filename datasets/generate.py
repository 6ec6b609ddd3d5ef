#!/usr/bin/env python3
"""Writes and.csv, or.csv, xor.csv and parity.csv: truth tables sampled uniformly, 1,000 rows each. And friedman.csv:
numbers to learn, 500 rows.

    python3 datasets/generate.py [DIRECTORY]      (default: the folder of this script)

The bits come from a seeded Mersenne Twister whose getrandbits() gives the same stream in every Python 3,
so the files are the same to the byte wherever they are made; what is computed of them is rounded.
"""
import math
import random
import sys
from pathlib import Path

ROWS = 1000
SEED = 20180602

TABLES = {
    "and": ("ab", lambda bits: all(bits), ("0", "1")),
    "or": ("ab", lambda bits: any(bits), ("0", "1")),
    "xor": ("ab", lambda bits: sum(bits) % 2, ("0", "1")),
    "parity": ("abcd", lambda bits: sum(bits) % 2, ("even", "odd")),
}


def table(columns, truth, names, source):
    """The text of one CSV: one column a bit, the class name last."""
    lines = [",".join([*columns, "label"])]
    for _ in range(ROWS):
        bits = [source.getrandbits(1) for _ in columns]
        lines.append(",".join([*map(str, bits), names[int(truth(bits))]]))
    return "\n".join(lines) + "\n"


def friedman(source, rows=500):
    """Friedman #1 (J. H. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19, 1991): ten uniform
    columns, of which five count, and noise between -1 and 1."""
    lines = [",".join([*(f"x{i}" for i in range(1, 11)), "y"])]
    for _ in range(rows):
        x = [source.getrandbits(16) % 1001 / 1000 for _ in range(10)]
        noise = source.getrandbits(16) % 2001 / 1000 - 1
        y = 10 * math.sin(math.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4] + noise
        lines.append(",".join([*(f"{value:.3f}" for value in x), f"{y:.2f}"]))
    return "\n".join(lines) + "\n"


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for index, (name, (columns, truth, names)) in enumerate(TABLES.items()):
        text = table(columns, truth, names, random.Random(SEED + index))
        (folder / f"{name}.csv").write_bytes(text.encode())
    (folder / "friedman.csv").write_bytes(friedman(random.Random(SEED + len(TABLES))).encode())


if __name__ == "__main__":
    main()
