#!/usr/bin/env python3
"""Accuracy with no option given, beside scikit-learn's MLPClassifier with its own defaults: five seeds a table.

    bench/accuracy.py build/smlp                 every table of datasets/, and two that it generates
    bench/accuracy.py build/smlp TABLE.csv...    these alone; regression:TABLE.csv has numbers to learn

smlp trains in the clear (run --clear: the integers of an encrypted run). Both see numbers scaled to mean 0 and deviation 1, texts
as one feature each, missing cells as means, and keep a fifth of the rows (of each class) for the test; which fifth differs.
Prints a Markdown table, of R^2 in percent where numbers are learnt (beside MLPRegressor on scaled labels); exits with 1 where a mean
of smlp is more than 1.5 points below scikit-learn's, or a seed left its range. Needs python3-sklearn of the distribution.
"""
import csv
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import warnings

import numpy
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import make_classification
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

SEEDS = 5
POINTS = 1.5
NUMBERS = {"diabetes", "friedman"}  # of datasets/, numbers to learn


def mixed(path):
    """1,500 rows of 50 columns, 35 of numbers and 15 of texts, one cell in twenty missing; three classes, of 12 columns."""
    source = random.Random(1)
    levels = [[f"level{k}" for k in range(source.randrange(2, 8))] for _ in range(15)]
    pull = [[[source.gauss(0, 1) for _ in range(3)] for _ in texts] for texts in levels[:6]]
    slopes = [[source.gauss(0, 1) for _ in range(3)] for _ in range(6)]
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow([f"number{i}" for i in range(35)] + [f"text{i}" for i in range(15)] + ["class"])
        for _ in range(1500):
            numbers = [source.gauss(10 * i, 1 + i) for i in range(35)]
            texts = [source.choice(of_column) for of_column in levels]
            scores = [source.gauss(0, 0.5) for _ in range(3)]
            for c in range(3):
                scores[c] += sum(slopes[i][c] * (numbers[i] - 10 * i) / (1 + i) for i in range(6))
                scores[c] += sum(pull[i][levels[i].index(texts[i])][c] for i in range(6))
            cells = [f"{n:.3f}" for n in numbers] + texts
            cells = ["" if source.random() < 0.05 else cell for cell in cells]
            out.writerow(cells + ["abc"[scores.index(max(scores))]])


def many_classes(path):
    """3,000 rows of 30 columns, 60 classes."""
    features, labels = make_classification(3000, 30, n_informative=20, n_redundant=5, n_classes=60, n_clusters_per_class=1,
                                           class_sep=1.5, random_state=1)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow([f"x{i}" for i in range(30)] + ["class"])
        for row, label in zip(features, labels):
            out.writerow([f"{value:.4f}" for value in row] + [f"c{label}"])


def ours(program, table, numbers):
    words = [program, "run", "--clear", "--data", table, "--seed", "1", "--repeat", str(SEEDS), "--missing", "mean", "--json", "--quiet"]
    words += ["--task", "regression"] if numbers else []
    (setting,) = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["settings"]
    last = [trial["history"][-1] for trial in setting["trials"] if trial["left_range"] is None]
    return [epoch["r2" if numbers else "accuracy"]["twin"] for epoch in last], setting["left_range"]


def is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def theirs(table, numbers):
    with open(table, newline="") as file:
        rows = list(csv.reader(file))[1:]
    columns = list(zip(*(row[:-1] for row in rows)))
    text = [j for j, column in enumerate(columns) if not all(is_number(cell) for cell in column if cell)]
    number = [j for j in range(len(columns)) if j not in text]
    features = numpy.empty((len(rows), len(columns)), dtype=object)
    for j, column in enumerate(columns):
        features[:, j] = column if j in text else [float(cell or "nan") for cell in column]
    labels = numpy.array([float(row[-1]) if numbers else row[-1] for row in rows])
    out = []
    for seed in range(SEEDS):
        train, test, train_labels, test_labels = train_test_split(
            features, labels, test_size=0.2, stratify=None if numbers else labels, random_state=seed)
        network = MLPRegressor(random_state=seed) if numbers else MLPClassifier(random_state=seed)
        model = make_pipeline(ColumnTransformer([("numbers", make_pipeline(SimpleImputer(), StandardScaler()), number),
                                                 ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), text)]), network)
        if numbers:
            model = TransformedTargetRegressor(model, transformer=StandardScaler())
        out.append(model.fit(train, train_labels).score(test, test_labels))
    return out


def cell(values):
    return f"{100 * statistics.mean(values):.1f} +- {100 * statistics.stdev(values):.1f}"


def compare(program, tables):
    failed = False
    print("| table | SMLP | scikit-learn | difference | left its range |")
    print("|---|---:|---:|---:|---:|")
    for table in tables:
        numbers = table.startswith("regression:")
        path = table.removeprefix("regression:")
        mine, left = ours(program, path, numbers)
        others = theirs(path, numbers)
        points = 100 * (statistics.mean(mine) - statistics.mean(others))
        failed |= points < -POINTS or left > 0
        print(f"| {pathlib.Path(path).stem}{', R^2' if numbers else ''} | {cell(mine)} | {cell(others)} | {points:+.1f} | {left} of {SEEDS} |", flush=True)
    return failed


def main():
    program, *tables = sys.argv[1:]
    warnings.filterwarnings("ignore")  # of scikit-learn, that it has not converged
    with tempfile.TemporaryDirectory() as folder:
        if not tables:
            shipped = sorted((pathlib.Path(__file__).parents[1] / "datasets").glob("*.csv"))
            tables = [("regression:" if path.stem in NUMBERS else "") + str(path) for path in shipped]
            for make in (mixed, many_classes):
                tables.append(f"{folder}/{make.__name__}.csv")
                make(tables[-1])
        sys.exit(1 if compare(program, tables) else 0)


if __name__ == "__main__":
    main()
