"""Experiment files: bench/experiments/NAME.toml, as docs/experiments.md describes them, read and checked."""
import itertools
import pathlib
import re
import tomllib

from . import expressions

# What a points block may ask, and whether the program draws from a seed.
PROGRAMS = {"run": True, "clear": True, "network": True, "plan": False, "protocol": False, "operations": False, "matmul": False,
            "training": False, "published": False}
TRAINED = ("run", "network")
RELAYED = {"rtt-ms", "mbit"}  # options of the link between the parties of `network`
TABLES = ("data", "labels")  # options that name files
LEAST_BITS = 2048
FILE_KEYS = {"title": str, "text": str, "points": list, "figures": list}
POINT_KEYS = {"name": str, "like": str, "program": str, "seeds": list, "expected-seconds": (int, float), "may-fail": bool, "needs": list, "each": str,
              "fixed": dict, "sweep": dict, "model": dict, "columns": dict, "rows": list, "quick": dict}
QUICK_KEYS = {"seeds": list, "fixed": dict, "sweep": dict, "model": dict}
FIGURE_KEYS = {"name": str, "title": str, "text": str, "kind": str, "x": dict, "y": dict, "series": (str, list),
               "failed": str, "panels": (str, list), "where": str, "marks": list, "limits": list, "crossings": bool}
X_KEYS = {"column": str, "label": str, "unit": str, "scale": str}
Y_KEYS = {"columns": (str, list, dict), "label": str, "unit": str, "scale": str}
KINDS = ("lines", "bars")
SCALES = ("linear", "log")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class BadExperiment(Exception):
    """One sentence that names file, key and value."""


def spelled(option):
    """The name of an option or column in expressions."""
    return option.replace("-", "_")


class Reader:
    """Checks one file; every refusal is made here."""

    def __init__(self, path, options_of, registered):
        self.path, self.options_of, self.registered = path, options_of, registered

    def refuse(self, key, value, why):
        raise BadExperiment(f"{self.path}: {key} is {value!r}, {why}")

    def keys(self, where, table, known, needed):
        if not isinstance(table, dict):
            self.refuse(where, table, "not a table of keys")
        for key, value in table.items():
            if key not in known:
                self.refuse(f"{where}{key}", value, "but there is no such key; there are " + ", ".join(known))
            kinds = known[key] if isinstance(known[key], tuple) else (known[key],)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                names = {str: "a text", list: "a list", dict: "a table", bool: "true or false"}
                self.refuse(f"{where}{key}", value, "not " + " or ".join(names.get(kind, "a number") for kind in kinds))
        for key in needed:
            if key not in table:
                raise BadExperiment(f"{self.path}: {where}{key} is missing")

    def one_of(self, key, value, allowed):
        if value not in allowed:
            self.refuse(key, value, "not one of " + ", ".join(allowed))

    def axis(self, where, program, name, values):
        """{label: options} of a swept option: a list of its values, or a table of labels with options of each."""
        if values in ("registered " + family for family in ("matmul", "truncation", "comparison", "selection", "activation")):
            family = values.split()[1]
            wire = program == "protocol"
            return {found: {name: f"{family}/{found}" if wire else found} for found in self.registered(family)}
        if isinstance(values, list) and values:
            for value in values:
                if isinstance(value, (list, dict)):
                    self.refuse(where, value, "not a value of an option")
            return {value: {name: value} for value in values}
        if isinstance(values, dict) and values and all(isinstance(options, dict) for options in values.values()):
            return values
        self.refuse(where, values, 'neither a list of values, nor a table of labels with options, nor "registered FAMILY"')

    def like(self, where, block, earlier):
        """The block with what it does not say itself taken from the one that it is like."""
        if not isinstance(block, dict) or "like" not in block:
            return block
        for other in earlier:
            if isinstance(other, dict) and other.get("name") == block["like"]:
                return {**other, **block}
        self.refuse(where + "like", block["like"], "which is not the name of an earlier block")

    def block(self, where, block, quick):
        self.keys(where, block, POINT_KEYS, ["program", "columns"])
        self.one_of(where + "program", block["program"], PROGRAMS)
        program = block["program"]
        if program == "published":
            if not block.get("rows"):
                raise BadExperiment(f"{self.path}: {where}rows is missing")
            for i, row in enumerate(block["rows"]):
                for key in ("source", "machine", "network"):
                    if not isinstance(row, dict) or key not in row:
                        raise BadExperiment(f"{self.path}: {where}rows[{i + 1}].{key} is missing")
        else:
            if "rows" in block:
                self.refuse(where + "rows", block["rows"], 'but only the program "published" has rows')
            if "quick" not in block:
                raise BadExperiment(f"{self.path}: {where}quick is missing: what make reproduce QUICK=1 changes")
            self.keys(where + "quick.", block["quick"], QUICK_KEYS, [])
        if program not in (*TRAINED, "plan", "published") and "expected-seconds" not in block:
            raise BadExperiment(f"{self.path}: {where}expected-seconds is missing: of one point, for --dry-run")
        small = block.get("quick", {}) if quick else {}
        out = {"where": where, "name": block.get("name", program), "program": program, "each": block.get("each"),
               "needs": block.get("needs", []), "may-fail": block.get("may-fail", False), "rows": block.get("rows", []), "columns": block["columns"],
               "expected": 1.0 if quick else float(block.get("expected-seconds", 0)),
               "seeds": small.get("seeds", block.get("seeds", [1] if PROGRAMS[program] else [None])),
               "fixed": block.get("fixed", {}) | small.get("fixed", {}),
               "model": block.get("model", {}) | small.get("model", {})}
        if not PROGRAMS[program] and "seeds" in block:
            self.refuse(where + "seeds", block["seeds"], f"but {program} takes no seed")
        for seed in out["seeds"]:
            if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
                self.refuse(where + "seeds", seed, "not a number from 0 on")
        if not out["seeds"]:
            self.refuse(where + "seeds", [], "not a list of numbers")
        sweep = block.get("sweep", {}) | small.get("sweep", {})
        out["axes"] = {name: self.axis(f"{where}sweep.{name}", program, name, values) for name, values in sweep.items()}
        for name, values in out["model"].items():
            if not isinstance(values, list) or not values:
                self.refuse(f"{where}model.{name}", values, "not a list of values")
        self.options(where, out, quick)
        for name, text in [*out["columns"].items(), *([("each", out["each"])] if out["each"] else [])]:
            key = where + ("each" if name == "each" else f"columns.{name}")
            if not isinstance(text, str):
                self.refuse(key, text, "not an expression in quotes")
            self.expression(key, text)
        return out

    def expression(self, key, text):
        try:
            expressions.parse(text)
        except expressions.BadExpression:
            self.refuse(key, text, "not an expression")

    def options(self, where, block, quick):
        """Every option is one of the program, and no toy key stands outside of [quick]."""
        if block["program"] == "published":
            return
        known = set(self.options_of(block["program"]))
        left_out = any(not pathlib.Path(need).exists() for need in block["needs"])
        given = [(f"{where}fixed.{name}", name, value) for name, value in block["fixed"].items()]
        for axis, labels in block["axes"].items():
            for label, options in labels.items():
                key = f"{where}sweep.{axis}" + ("" if options == {axis: label} else f".{label}.")
                given += [(key if key.endswith(axis) else key + name, name, value) for name, value in options.items()]
        for key, name, value in given:
            if name not in known:
                self.refuse(key, value, f"but {block['program']} has no option {name}; it has " + ", ".join(sorted(known)))
            if isinstance(value, (list, dict)):
                self.refuse(key, value, "not a value of an option")
            if name in TABLES and not left_out and not pathlib.Path(str(value)).is_file():
                self.refuse(key, value, "but there is no such file (needs = [FILE] leaves the block out where it is missing)")
            if quick:
                continue
            sizes = str(value).split(",") if name == "bits" else []
            if any(size.isdigit() and int(size) < LEAST_BITS for size in sizes) or (name == "insecure-key" and value):
                self.refuse(key, value, f"but keys below {LEAST_BITS} bits are toys: they stand in quick alone")
        if block["program"] in TRAINED:
            names = {name for _, name, _ in given}
            for name in ("data", "network"):
                if name not in names:
                    raise BadExperiment(f"{self.path}: {where}fixed.{name} is missing")

    def figure(self, where, figure, columns):
        self.keys(where, figure, FIGURE_KEYS, ["name", "kind", "x", "y"])
        if not NAME.fullmatch(figure["name"]):
            self.refuse(where + "name", figure["name"], "not a word of small letters, digits, - and _")
        self.one_of(where + "kind", figure["kind"], KINDS)
        self.keys(where + "x.", figure["x"], X_KEYS, ["column", "label", "unit"])
        self.keys(where + "y.", figure["y"], Y_KEYS, ["columns", "label", "unit"])
        for axis in ("x", "y"):
            self.one_of(f"{where}{axis}.scale", figure[axis].get("scale", "linear"), SCALES)
            for key in ("label", "unit"):
                if not figure[axis][key].strip() and not (figure["kind"] == "bars" and axis == "x" and key == "unit"):
                    self.refuse(f"{where}{axis}.{key}", figure[axis][key], "but an axis says what it shows, and in which unit")
        ys = figure["y"]["columns"]
        out = figure | {"ys": {ys: ys} if isinstance(ys, str) else dict(zip(ys, ys)) if isinstance(ys, list) else ys}
        for key in ("series", "panels"):
            found = figure.get(key, [])
            out[key] = [found] if isinstance(found, str) else found
        used = [(f"{where}x.column", figure["x"]["column"])]
        used += [(f"{where}y.columns", column) for column in out["ys"].values()]
        used += [(where + key, column) for key in ("series", "panels", "marks") for column in out.get(key, [])]
        used += [(where + "failed", figure["failed"])] if "failed" in figure else []
        for key, column in used:
            if column not in columns:
                self.refuse(key, column, "not a column of the points; there are " + ", ".join(sorted(columns)))
        if "where" in figure:
            self.expression(where + "where", figure["where"])
        for i, limit in enumerate(figure.get("limits", [])):
            self.keys(f"{where}limits[{i + 1}].", limit, {"y": (int, float), "label": str}, ["y", "label"])
        return out


class Experiment:
    """`options_of`: program -> names of its options; `registered`: family -> names of its protocols."""

    def __init__(self, path, quick, options_of, registered):
        self.path, self.name = path, pathlib.Path(path).stem
        reader = Reader(path, options_of, registered)
        if not NAME.fullmatch(self.name):
            reader.refuse("its name", self.name, "not a word of small letters, digits, - and _")
        try:
            with open(path, "rb") as file:
                content = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadExperiment(f"{path}: this is not TOML: {error}") from None
        except OSError as error:
            raise BadExperiment(f"{path}: {error.strerror}") from None
        reader.keys("", content, FILE_KEYS, ["title", "points", "figures"])
        self.title, self.text = content["title"], content.get("text", "").strip()
        blocks = []
        for i, block in enumerate(content["points"]):
            blocks.append(reader.like(f"points[{i + 1}].", block, blocks))
        self.blocks = [reader.block(f"points[{i + 1}].", block, quick) for i, block in enumerate(blocks)]
        names = [block["name"] for block in self.blocks]
        for i, name in enumerate(names):
            if name in names[:i]:
                reader.refuse(f"points[{i + 1}].name", name, "which another block has")
        columns = {"points", "seed"}
        for block in self.blocks:
            columns |= set(block["axes"]) | set(block["columns"]) | set(block["model"])
        self.figures = [reader.figure(f"figures[{i + 1}].", figure, columns) for i, figure in enumerate(content["figures"])]
        names = [figure["name"] for figure in self.figures]
        for i, name in enumerate(names):
            if name in names[:i]:
                reader.refuse(f"figures[{i + 1}].name", name, "which another figure has")

    def points(self):
        """Every (block, {axis: label}, options, seed) that is asked for, in the order of the file."""
        for block in self.blocks:
            if block["program"] == "published":
                continue
            for labels in itertools.product(*block["axes"].values()):
                chosen = dict(zip(block["axes"], labels))
                options = dict(block["fixed"])
                for axis, label in chosen.items():
                    options |= block["axes"][axis][label]
                for seed in block["seeds"]:
                    yield block, chosen, options, seed

    def missing(self, block):
        """Files that a block needs and that are not there."""
        return [need for need in block["needs"] if not pathlib.Path(need).exists()]


def rows_of(block, labels, options, seed, result):
    """The rows of one result: {column: value}; a column that this row has no value for is left out. Raises
    BadExpression, and Missing where the result has no list of rows."""
    given = {spelled(name): value for name, value in options.items()}
    items = [{}]
    if block["each"]:
        found = expressions.evaluate(block["each"], [result, given])
        items = [{"key": key, "value": value, **(value if isinstance(value, dict) else {})} for key, value in found.items()] \
            if isinstance(found, dict) else [item if isinstance(item, dict) else {"value": item} for item in found]
    for item in items:
        for model in itertools.product(*block["model"].values()):
            modelled = dict(zip(block["model"], model))
            row = {"points": block["name"], **labels, **modelled, "seed": seed}
            names = {spelled(name): value for name, value in row.items() if value is not None}
            for column, text in block["columns"].items():
                try:
                    row[column] = expressions.evaluate(text, [names, item, result, given])
                    names[spelled(column)] = row[column]
                except expressions.Missing:
                    continue
            yield row
