#!/usr/bin/env python3
"""Draws the curves of runs from their metrics (smlp run or train --metrics FILE.jsonl): loss and accuracy, encrypted, twin
and float; seconds and bytes of each step by kind.

  scripts/plot_metrics.py [--out PREFIX] FILE.jsonl..      PREFIX-loss.svg, PREFIX-accuracy.svg, .. (FILE of the first)
"""
import argparse
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from laboratory import figures  # noqa: E402

WAYS = ["encrypted", "twin", "float"]


def records(path):
    """The lines of steps and of epochs of one file."""
    steps, epochs = [], []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                found = json.loads(line)
                (steps if "step" in found else epochs if "epoch" in found else []).append(found)
            except (ValueError, TypeError):
                raise SystemExit(f"plot_metrics.py: {path}: line {number} is not a line of smlp --metrics") from None
    if not steps and not epochs:
        raise SystemExit(f"plot_metrics.py: {path}: no step and no epoch in it, so it is no file of smlp --metrics, or the run "
                         "ended before its first step")
    return steps, epochs


def figure(name, x, unit, label, y_unit, columns, rows, series=(), scale="linear"):
    return name, {"kind": "lines", "x": {"column": x, "label": x, "unit": unit}, "ys": columns, "series": list(series),
                  "y": {"label": label, "unit": y_unit, "scale": scale}, "panels": ["file"]}, rows


def all_figures(paths):
    losses, accuracies, seconds, moved = [], [], [], []
    for path in paths:
        steps, epochs = records(path)
        name = pathlib.Path(path).stem
        for step in steps:
            at = {"file": name, "iteration": step["step"]}
            losses.append(at | (step.get("loss") or {}))
            seconds += [at | {"kind": kind, "seconds": value} for kind, value in step.get("seconds_by_kind", {}).items()]
            moved += [at | {"kind": kind, "kilobytes": sum(found["bytes"].values()) / 1e3}
                      for kind, found in step.get("operations", {}).items()]
        for epoch in epochs:
            accuracies.append({"file": name, "epoch": epoch["epoch"]} |
                              {way: 100 * value for way, value in (epoch.get("accuracy") or {}).items() if value is not None})
    ways = dict(zip(WAYS, WAYS))
    return [figure("loss", "iteration", "mini-batches", "loss", "half the squared error", ways, losses),
            figure("accuracy", "epoch", "passes over the table", "test accuracy", "%", ways, accuracies),
            figure("seconds", "iteration", "mini-batches", "time of a step", "s", {"seconds": "seconds"}, seconds, ["kind"], "log"),
            figure("bytes", "iteration", "mini-batches", "traffic of a step", "kB", {"kilobytes": "kilobytes"}, moved, ["kind"], "log")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE.jsonl")
    parser.add_argument("--out", metavar="PREFIX", help="of the figures' names (FILE of the first)")
    options = parser.parse_args()
    prefix = options.out or os.path.splitext(options.files[0])[0]
    for name, drawn, rows in all_figures(options.files):
        columns = drawn["ys"].values()
        if not any(figures.is_number(row.get(column)) for row in rows for column in columns):
            print(f"{prefix}-{name}.svg is left out: the metrics have no {name} (a training tells none to its servers)", file=sys.stderr)
            continue
        figures.draw(drawn, rows, f"{prefix}-{name}.svg")
        print(f"{prefix}-{name}.svg")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"plot_metrics.py: {error.filename}: {error.strerror}")
