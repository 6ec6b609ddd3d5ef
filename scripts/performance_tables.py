#!/usr/bin/env python3
"""Turns the JSON of the benchmark programs into Markdown tables.

  scripts/performance_tables.py FILE.json...                     prints them
  scripts/performance_tables.py --update DOCUMENT FILE.json...   puts each between its marks <!-- operations --> .. <!-- /operations -->
"""
import json
import re
import sys


def digits(value):
    """Three significant digits, without exponents."""
    if value == 0:
        return "0"
    if value >= 99.95:
        return f"{value:,.0f}"
    places = 2 if value < 9.995 else 1
    while value * 10**places < 99.95 and places < 6:
        places += 1
    return f"{value:.{places}f}"


def both(samples, factor=1.0):
    return f"{digits(samples['min'] * factor)} ({digits(samples['median'] * factor)})"


def table(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|---" + "|---:" * (len(columns) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def ratio(theirs, ours):
    return f"{digits(theirs['min'] / ours['min'])} ({digits(theirs['median'] / ours['median'])})"


def machine(results):
    m = results["machine"]
    return (f"{m['processor']}, {m['instructions']}, {m['lanes']} lanes; compiler {m['compiler']}, "
            f"GMP {m['gmp']}, {m['openssl']}.")


def operations(results):
    parts = [machine(results)]
    for key in results["keys"]:
        rows = []
        for row in key["rows"]:
            ours = row["ours"]
            cells = [row["operation"], both(ours, 1e6)]
            cells += [both(row[way], 1e6) if way in row else "" for way in ("gmp", "openssl")]
            cells += [ratio(row[way], ours) if way in row else "" for way in ("gmp", "openssl")]
            cells += [digits(row["count"]), both(row["floor"], 1e6), ratio(ours, row["floor"])] if "count" in row else [""] * 3
            rows.append(cells)
        columns = ["operation, us", "SMLP", "GMP", "OpenSSL", "GMP / SMLP", "OpenSSL / SMLP", "products", "floor", "SMLP / floor"]
        parts.append(f"n of {key['bits']} bits, t = {key['subgroup_bits']}: minimum (median).\n\n{table(columns, rows)}")
        ways = {}
        for row in key["rows"]:
            for way in ("gmp", "openssl"):
                if way in row:
                    ways.setdefault(row[way]["way"], None)
    parts.append("Compared with: " + "; ".join(ways) + ".")
    return "\n\n".join(parts)


def shape(sizes):
    return " x ".join(map(str, sizes))


def matmul(results):
    slow = {tuple(row["shape"]): row for row in results["rows"] if row["protocol"] == "blinded" and row["variant"] == "subgroup"}
    rows = []
    for row in results["rows"]:
        ours = row["multiplication"]
        count = row["run"][0] * row["run"][1] * row["run"][2]
        name = row["protocol"] + ("" if row["variant"] == "subgroup" else f", {row['variant']} keys")
        size = shape(row["shape"]) + ("" if row["run"] == row["shape"] else f" (run: {shape(row['run'])})")
        beside = slow.get(tuple(row["shape"])) if row["protocol"] == "packed" else None
        rows.append([size, name, both(ours, 1e6), digits(1 / ours["min"]), digits(ours["median"] * count),
                     f"{digits(ours['min'] / row['openssl']['min'])} ({digits(ours['median'] / row['openssl']['median'])})",
                     ratio(beside["multiplication"], ours) if beside else "", digits(row["bytes"] / count)])
    columns = ["shape", "protocol", "us a multiplication", "a second", "seconds in all", "in OpenSSL products mod n^2",
               "blinded / packed", "bytes a multiplication"]
    parts = [machine(results), f"n of {results['bits']} bits: minimum (median).", table(columns, rows)]
    if "threads" in results:
        rows = [[row["what"], both(row["one"]), both(row["two"]), ratio(row["one"], row["two"])] for row in results["threads"]]
        parts.append(table(["wall-clock seconds", "one thread", "two threads", "one / two"], rows))
    return "\n\n".join(parts)


def training(results):
    rows = []
    for row in results["rows"]:
        step = row["step"]
        steps = f"{row['steps']}" + ("" if row["measured_steps"] == row["steps"] else f" ({row['measured_steps']} run)")
        epoch, once = step["median"] * row["steps"], row["once"]
        rows.append([f"{row['workload']}: {row['text']}, {row['rows']} rows, batch {row['batch']}", row["protocols"],
                     row["matmul"], str(row["sigma"]), steps, both(step), digits(row["by_count"]), digits(step["median"] / row["by_count"]),
                     digits(epoch), digits(once), digits(epoch + once), digits(row["encryption_step"]["median"] * row["steps"]),
                     digits(row["bytes_to_key_holder"] / 1e6), digits(row["bytes_to_evaluator"] / 1e6), str(row["rounds"])])
    columns = ["workload", "protocols", "products", "sigma", "steps an epoch", "s a step", "floor", "step / floor", "s an epoch",
               "s once: tables, base transfers", "s a first epoch",
               "s to encrypt the table", "MB to the key holder a step", "MB back a step", "rounds a step"]
    names = [f"{row['workload']} {row['protocols']} {row['sigma']}" for row in results["rows"]]
    kinds = list(dict.fromkeys(kind for row in results["rows"] for kind in row["wall_by_kind"]))
    split = [[name] + [digits(row["wall_by_kind"].get(kind, 0)) for kind in kinds] for name, row in zip(names, results["rows"])]
    operations = list(results["rows"][0]["operations"])
    counts = [[name] + [f"{row['operations'][each]:,.0f}" for each in operations] for name, row in zip(names, results["rows"])]
    return "\n\n".join([
        machine(results), f"n of {results['bits']} bits: minimum (median).", table(columns, rows),
        "Operations of a step, as the protocols declare them:", table(["step"] + operations, counts),
        "Wall-clock seconds of a step by kind of operation:", table(["step"] + kinds, split)])


def kernels(results):
    rows = []
    for row in results["rows"]:
        count, each = row["multiply_adds"], row["multiply_add"]
        floor = {key: count * each[key] for key in ("min", "median")}
        rows.append([f"{row['what']} mod {row['bits']} bits", str(row["digits"]), both(row["doubles"], 1e6), both(row["integers"], 1e6),
                     ratio(row["integers"], row["doubles"]), f"{count:,.0f}", both(floor, 1e6), ratio(row["integers"], floor)])
    columns = ["us", "digits", "AVX-512", "AVX-512 IFMA", "IFMA / AVX-512", "multiply-adds", "floor", "IFMA / floor"]
    return "\n\n".join([machine(results), "Minimum (median).", table(columns, rows)])


TABLES = {"kernels": kernels, "operations": operations, "matmul": matmul, "training": training}


def main(words):
    document = None
    if words[:1] == ["--update"]:
        document, words = words[1], words[2:]
    if not words:
        sys.exit(__doc__)
    for path in words:
        with open(path, encoding="utf-8") as file:
            results = json.load(file)
        name = results["benchmark"]
        text = TABLES[name](results)
        if document is None:
            print(text, end="\n\n")
            continue
        with open(document, encoding="utf-8") as file:
            content = file.read()
        content, found = re.subn(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: m[1] + "\n" + text + "\n\n" + m[2],
                                 content, flags=re.DOTALL)
        if found != 1:
            sys.exit(f"{document} has {found} places for the tables of {name}, not one")
        with open(document, "w", encoding="utf-8") as file:
            file.write(content)


if __name__ == "__main__":
    main(sys.argv[1:])
