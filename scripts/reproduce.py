#!/usr/bin/env python3
"""Runs the experiments of bench/experiments/ and writes docs/results/ (docs/experiments.md says how to add one).

  scripts/reproduce.py [--quick] [--only NAME].. [--list | --dry-run] [--experiments DIR] [--out DIR] [--store DIR]

Finished points are kept in the build folder: a run that was stopped goes on, and figures are drawn anew without
measuring again, until the program, the options or the table change. SMLP names the program (build/smlp).
"""
import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from laboratory.experiment import TRAINED, BadExperiment, Experiment  # noqa: E402
from laboratory.programs import Failed, NotPlanned, Programs, words  # noqa: E402
from laboratory.store import InUse, Store  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = ["paillier", "protocols", "mlp", "bench", "scripts", "datasets", "Makefile"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def duration(seconds):
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def commit():
    """The commit of the sources, with + where they differ from it."""
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=True).stdout.strip()
    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "--", *SOURCES) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


class Point:
    """One measurement of an experiment, and what it is predicted to take."""

    def __init__(self, experiment, block, labels, options, seed, programs):
        self.experiment, self.block, self.labels, self.options, self.seed = experiment, block, labels, options, seed
        self.programs, self.program = programs, block["program"]
        self.identity = programs.identity(self.program, options, seed)
        self.plan = None

    def text(self):
        labels = " ".join(f"{name}={value}" for name, value in self.labels.items())
        return f"{self.experiment.name}: {self.program} {labels}" + ("" if self.seed is None else f" seed={self.seed}")

    def predict(self):
        """Seconds. Raises BadExperiment where smlp plan refuses the options, NotPlanned where that may be."""
        if self.program == "plan":
            return 3.0
        if self.program not in TRAINED:
            return self.block["expected"]
        try:
            self.plan = self.programs.plan(self.options)
        except Failed as failed:
            if self.block["may-fail"]:
                raise NotPlanned(failed) from None
            raise BadExperiment(f"{self.experiment.path}: {self.text()}: {failed}") from None
        rounds, moved = self.plan["epoch"]["rounds"], sum(self.plan["epoch"]["bytes"].values())
        link = rounds * float(self.options.get("rtt-ms", 0)) / 1e3
        if float(self.options.get("mbit", 0)):
            link += 8e-6 * moved / float(self.options["mbit"])
        return self.programs.planned_seconds(self.plan) + self.plan["epochs"] * link

    def kept(self):
        """What was kept of it, or None. A refusal is none but where the file expects one."""
        found = self.programs.store.find(self.identity)
        return None if found is not None and found["result"].get("refused") and not self.block["may-fail"] else found

    def measure(self):
        started = time.monotonic()
        try:
            result = {"refused": None, **self.programs.measure(self.program, self.options, self.seed)}
        except Failed as failed:
            if not self.block["may-fail"]:
                raise
            result = {"refused": str(failed)}
        special = {"network": "smlp network", "clear": "smlp run --clear"}
        name = special.get(self.program) or shlex.join(
            [self.programs.path(self.program).name] + ([self.program] if self.program in ("run", "plan") else []))
        seed = "" if self.seed is None else f" --seed {self.seed}"
        point = {"result": result, "seconds": time.monotonic() - started, "command": f"{name} {shlex.join(words(self.options))}{seed}",
                 "compiler": self.programs.compiler(self.program), "commit": commit()}
        self.programs.store.keep(self.identity, point)
        return point


def measured(points, store):
    """Measures what is not kept; {experiment: sentence} of those that failed."""
    every = {str(store.path(point.identity)): point for point in reversed(points)}  # blocks may share points
    wanted = {key: every[key] for key in reversed(every) if every[key].kept() is None}
    if len(every) > len(wanted):
        say(f"{len(every) - len(wanted)} of {len(every)} points are there already")
    predicted = {}
    for key, point in wanted.items():
        try:
            predicted[key] = point.predict()
        except NotPlanned as reason:
            predicted[key] = 0.0
            say(f"{point.experiment.path}: no prediction for {point.text()}: {reason}")
    failures, left, factor = {}, sum(predicted.values()), []
    for i, (key, point) in enumerate(wanted.items()):
        left -= predicted[key]
        say(f"[{i + 1}/{len(wanted)}] {point.text()}: {duration(predicted[key])} predicted")
        try:
            took = point.measure()["seconds"]
        except Failed as failed:
            failures.setdefault(point.experiment.name, f"{point.experiment.path}: {point.text()}: {failed}")
            say(f"  failed: {failed}")
            continue
        factor.append((took, predicted[key]))
        speed = sum(a for a, _ in factor) / max(1e-9, sum(b for _, b in factor))
        say(f"  took {duration(took)}; {duration(left * speed)} left")
    return failures


def dry_run(experiments, points, store):
    for experiment in experiments:
        of_it = {str(store.path(point.identity)): point for point in points if point.experiment is experiment}
        left = {key: point for key, point in of_it.items() if point.kept() is None}
        seconds = 0.0
        for point in left.values():
            try:
                seconds += point.predict()
            except NotPlanned as reason:
                say(f"{experiment.path}: no prediction for {point.text()}: {reason}")
        print(f"{experiment.name}: {len(of_it)} points, {len(of_it) - len(left)} of them there already, {duration(seconds)}")
        yield seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the small version of every experiment, on toy keys")
    parser.add_argument("--only", action="append", metavar="NAME", help="this experiment; may be repeated")
    parser.add_argument("--list", action="store_true", help="names and titles, and nothing else")
    parser.add_argument("--dry-run", action="store_true", help="points and predicted time, and nothing else")
    parser.add_argument("--experiments", default="bench/experiments", metavar="DIR", help="experiment files (bench/experiments)")
    parser.add_argument("--out", metavar="DIR", help="results (docs/results; build/results-quick with --quick)")
    parser.add_argument("--store", metavar="DIR", help="finished points (build/experiments)")
    options = parser.parse_args()
    smlp = pathlib.Path(os.environ.get("SMLP", "build/smlp")).resolve()
    store = Store(options.store or smlp.parent / "experiments")
    programs = Programs(smlp, store)

    paths = sorted(pathlib.Path(options.experiments).glob("*.toml"))
    names = [path.stem for path in paths]
    if not paths:
        raise BadExperiment(f"{options.experiments} has no experiment files (*.toml)")
    for name in options.only or []:
        if name not in names:
            raise BadExperiment(f"--only is {name}, but {options.experiments} has {', '.join(names)}")
    experiments = [Experiment(path, options.quick, programs.options_of, programs.registered)
                   for path in paths if not options.only or path.stem in options.only]
    if options.list:
        for experiment in experiments:
            print(f"{experiment.name}: {experiment.title}")
        return 0

    notes = {experiment.name: [] for experiment in experiments}
    points = []
    for experiment in experiments:
        without = {block["name"]: experiment.missing(block) for block in experiment.blocks}
        for name, files in without.items():
            if files:
                notes[experiment.name].append(f"Left out: {name}, which needs {', '.join(files)}.")
        points += [Point(experiment, block, labels, settings, seed, programs)
                   for block, labels, settings, seed in experiment.points() if not without[block["name"]]]
    if options.dry_run:
        print(f"in all {duration(sum(dry_run(experiments, points, store)))}")
        return 0

    store.lock()
    from laboratory import report  # with matplotlib, which takes a second, and is missed before hours of measurements
    failures = measured(points, store)
    folder = pathlib.Path(options.out or (smlp.parent / "results-quick" if options.quick else "docs/results"))
    folder.mkdir(parents=True, exist_ok=True)
    sections = {}
    for experiment in experiments:
        if experiment.name in failures:
            continue
        found = []
        for point in points:
            if point.experiment is experiment:
                kept = point.kept()
                if kept is None:  # shared with a block that may fail
                    raise BadExperiment(f"{experiment.path}: {point.text()}: it was refused, and its block has no may-fail")
                if point.program in TRAINED:
                    kept["result"]["plan"] = programs.plan(point.options)
                found.append((point.block, point.labels, point.options, point.seed, kept))
        rows = report.rows_of_experiment(experiment, found)
        sections[experiment.name] = report.section(experiment, rows, found, folder, notes[experiment.name])
    report.write_report(folder, sections, names, options.quick, options.experiments)
    if failures:
        raise BadExperiment(next(iter(failures.values())))
    say(f"written: {folder}/README.md")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BadExperiment, Failed, InUse, OSError) as error:
        sys.exit(f"reproduce.py: {error}")
    except KeyboardInterrupt:
        sys.exit("reproduce.py: stopped; finished points are kept")
