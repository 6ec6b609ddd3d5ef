"""The report: a section for each experiment with its figures, and beside each figure the CSV of its points."""
import csv
import io
import os
import pathlib
import re
import textwrap

from . import expressions, figures
from .experiment import LEAST_BITS, BadExperiment, rows_of, spelled

PROVENANCE = ["options", "machine", "compiler", "commit"]
HEAD = """# Results

Every figure here is drawn by `{command}` from the experiment files in
[{folder}]({folder_link}); beside each figure is the CSV of its points, and each of these has its
seed, options, machine, compiler and commit. [How to add an experiment]({guide_link}).
"""
QUICK_NOTE = "\nThis is the small version (`QUICK=1`): short runs that show that everything works, and measure nothing.\n"


def written(path, text):
    """Whole or not at all."""
    path = pathlib.Path(path)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def wrapped(text):
    """Paragraphs, in lines of at most 100 columns."""
    return "\n\n".join(textwrap.fill(paragraph, 100, break_long_words=False, break_on_hyphens=False)
                       for paragraph in text.strip().split("\n\n"))


def machine_of(result):
    machine = result.get("machine") or {}  # a program that refused tells none
    parts = [machine.get("processor", ""), f"{machine['cores']} cores" if "cores" in machine else "",
             f"{machine['threads']} thread{'s' * (machine['threads'] != 1)}" if "threads" in machine else "", machine.get("arithmetic", machine.get("instructions", "")),
             re.sub(r"(\d+\.\d+)\S*", r"\1", machine.get("system", ""), count=1)]  # of a kernel what others have too
    return ", ".join(part for part in parts if part)


def rows_of_experiment(experiment, measured):
    """Every row of the CSVs. `measured`: (block, labels, options, seed, point) of each point, in order."""
    rows = []
    for block in experiment.blocks:
        if block["program"] == "published":
            for row in block["rows"]:
                told = {"options": f"published: {row['source']}", "machine": f"{row['machine']}; {row['network']}"}
                rows += [found | told for found in rows_of({**block, "each": None}, {}, {}, None, row)]
        refusals = [point["result"].get("refused") for of_block, *_, point in measured if of_block is block]
        if refusals and all(refusals):
            raise BadExperiment(f"{experiment.path}: {block['where']}may-fail is true, but every point was refused: {refusals[0]}")
        for of_block, labels, options, seed, point in measured:
            if of_block is not block:
                continue
            told = {"options": point["command"], "machine": machine_of(point["result"]), "compiler": point["compiler"],
                    "commit": point["commit"]}
            try:
                rows += [row | told for row in rows_of(block, labels, options, seed, point["result"])]
            except expressions.Missing as missing:
                raise BadExperiment(f"{experiment.path}: {block['where']}each is {block['each']!r}, but a result of {block['program']} "
                                    f"has no {missing}") from None
            except expressions.BadExpression as bad:
                raise BadExperiment(f"{experiment.path}: {block['where']}columns: {bad}") from None
    for column in dict.fromkeys(column for block in experiment.blocks for column in block["columns"]):
        used = [block for block in experiment.blocks if column in block["columns"]]
        names = [block["name"] for block in used]
        here = [row for row in rows if row["points"] in names]
        if any(column not in row for row in here) and all(row.get(column) is None for row in here):
            raise BadExperiment(f"{experiment.path}: {used[0]['where']}columns.{column} is {used[0]['columns'][column]!r}, and no point has a value for it")
    return rows


def chosen(experiment, figure, rows):
    """The rows that a figure shows."""
    out = []
    for row in rows:
        names = {spelled(name): value for name, value in row.items() if value is not None}
        try:
            wanted = expressions.evaluate(figure["where"], [names]) if "where" in figure else True
        except expressions.Missing:
            wanted = False
        except expressions.BadExpression as bad:
            raise BadExperiment(f"{experiment.path}: figures[{1 + experiment.figures.index(figure)}].where: {bad}") from None
        if wanted and figure["x"]["column"] in row and any(column in row for column in [*figure["ys"].values(), figure.get("failed")]):
            out.append(row)
    if not out:
        raise BadExperiment(f"{experiment.path}: figures[{1 + experiment.figures.index(figure)}].name is {figure['name']!r}, but no point belongs to this figure")
    return out


def csv_text(rows):
    columns = list(dict.fromkeys(column for row in rows for column in row if column not in PROVENANCE and column != "seed"))
    columns = [column for column in columns if column != "points"] + ["points", "seed", *PROVENANCE]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({column: "" if value is None else value for column, value in row.items()})
    return out.getvalue()


def section(experiment, rows, measured, folder, notes):
    """Draws the figures of an experiment; its part of the report."""
    lines = [f"## {experiment.title}", ""]
    if experiment.text:
        lines += [wrapped(experiment.text), ""]
    for figure in experiment.figures:
        shown = chosen(experiment, figure, rows)
        name = f"{experiment.name}-{figure['name']}"
        part = folder / f".{name}.svg.part"
        figures.draw(figure, shown, part)
        os.replace(part, folder / f"{name}.svg")
        written(folder / f"{name}.csv", csv_text(shown))
        title = figure.get("title", figure["name"])
        lines += [f"### {title}", "", f"![{title}: {figures.axis_title(figure['y'])} by {figures.axis_title(figure['x'])}]"
                  f"({name}.svg)", ""]
        if figure.get("text"):
            lines += [wrapped(figure["text"]), ""]
        lines += overtaking_lines(figure, shown)
        lines += [f"Points: [{name}.csv]({name}.csv)." + (" Lines: mean over the seeds; bands: all of them."
                                                          if len({row["seed"] for row in shown} - {None}) > 1 else ""), ""]
    for name, what in (("machine", "Measured on"), ("compiler", "Compiler"), ("commit", "Commit")):
        found = dict.fromkeys(row[name] for row in rows if row.get(name) and not row["options"].startswith("published"))
        if found:
            lines.append(f"{what}: {'; '.join(found)}.")
    bits = {int(size) for _, _, options, _, _ in measured for size in str(options.get("bits", LEAST_BITS)).split(",")}
    if bits and min(bits) < LEAST_BITS:
        lines.append(f"**Toy keys of {min(bits)} bits: nothing here is a result.**")
    return "\n".join([*lines, *notes]).rstrip() + "\n"


def overtaking_lines(figure, rows):
    if not figure.get("crossings"):
        return []
    out = []
    for panel in figures.distinct(figures.label_of(row, figure["panels"]) for row in rows):
        of_panel = [row for row in rows if figures.label_of(row, figure["panels"]) == panel]
        for falls, rises, at in figures.overtakings(figure, of_panel):
            out.append(f"- {panel + ': ' if panel else ''}{rises} is below {falls} from {at:.3g} {figure['x']['unit']} on")
    return out + [""] if out else ["No curve crosses another.", ""]


def write_report(folder, sections, order, quick, experiments_folder):
    """README.md of the results: the sections given here, and those that it has of other experiments of `order`."""
    path = folder / "README.md"
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = dict(re.findall(r"<!-- experiment ([a-z0-9_-]+) -->\n(.*?)<!-- /experiment -->", old, re.DOTALL))
    found = {name: sections.get(name, kept.get(name)) for name in order}
    root = pathlib.Path(__file__).parents[2]
    link = lambda target: os.path.relpath(target, folder)  # noqa: E731
    head = HEAD.format(command="make reproduce" + (" QUICK=1" if quick else ""), folder=pathlib.Path(experiments_folder).name,
                       folder_link=link(experiments_folder), guide_link=link(root / "docs/experiments.md"))
    parts = [f"<!-- experiment {name} -->\n{text}<!-- /experiment -->\n" for name, text in found.items() if text]
    written(path, "\n".join([head + (QUICK_NOTE if quick else ""), *parts]))
