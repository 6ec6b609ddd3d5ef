#!/usr/bin/env python3
"""Accuracy with no option given, beside scikit-learn's MLPClassifier with its own defaults: five seeds a table.

    bench/accuracy.py build/smlp datasets/*.csv          (python3-sklearn of the distribution)

smlp trains in the clear (run --clear: the integers of an encrypted run). Both see features scaled to mean 0 and
deviation 1, and keep a fifth of each class for the test; which fifth differs. Prints a Markdown table; exits with 1 where
a mean of smlp is more than 1.5 points below scikit-learn's.
"""
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import warnings

from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

SEEDS = 5
POINTS = 1.5


def ours(program, table):
    words = [program, "run", "--clear", "--data", table, "--seed", "1", "--repeat", str(SEEDS), "--json", "--quiet"]
    (setting,) = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["settings"]
    return [trial["history"][-1]["accuracy"]["twin"] for trial in setting["trials"]], setting["left_range"]


def theirs(table):
    with open(table, newline="") as file:
        rows = list(csv.reader(file))[1:]
    features, labels = [[float(cell) for cell in row[:-1]] for row in rows], [row[-1] for row in rows]
    out = []
    for seed in range(SEEDS):
        train, test, train_labels, test_labels = train_test_split(
            features, labels, test_size=0.2, stratify=labels, random_state=seed)
        scaler = StandardScaler().fit(train)
        network = MLPClassifier(random_state=seed).fit(scaler.transform(train), train_labels)
        out.append(network.score(scaler.transform(test), test_labels))
    return out


def cell(values):
    return f"{100 * statistics.mean(values):.1f} +- {100 * statistics.stdev(values):.1f}"


def main():
    program, *tables = sys.argv[1:]
    warnings.filterwarnings("ignore")  # of scikit-learn, that it has not converged
    behind = 0
    print("| table | SMLP, % | scikit-learn, % | difference, points | left its range |")
    print("|---|---:|---:|---:|---:|")
    for table in tables:
        mine, left = ours(program, table)
        others = theirs(table)
        points = 100 * (statistics.mean(mine) - statistics.mean(others))
        behind += int(points < -POINTS)
        print(f"| {pathlib.Path(table).stem} | {cell(mine)} | {cell(others)} | {points:+.1f} | {left} of {SEEDS} |", flush=True)
    sys.exit(1 if behind else 0)


if __name__ == "__main__":
    main()
