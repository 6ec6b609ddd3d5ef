"""Figures: SVG by matplotlib, the same bytes for the same rows. Colours that all eyes tell apart, and line styles, markers
and hatches besides, so that nothing is lost in print without colour."""
import math
import os
import statistics
import sys

try:
    import matplotlib
except ImportError:
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # the distribution's Python has its packages
    sys.exit(f"{sys.argv[0]}: python3-matplotlib is missing: scripts/install_dependencies.sh installs it")
matplotlib.use("svg")
from matplotlib import pyplot, ticker  # noqa: E402

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]  # Okabe and Ito
STYLES = ["-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 1)), (0, (1, 1))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
HATCHES = ["", "///", "...", "xxx", "\\\\\\", "++", "oo"]
WIDTHS = [2.8, 1.6, 1.2]  # curves that coincide show below each other
SETTINGS = {"svg.hashsalt": "smlp", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 9,
            "axes.grid": True, "grid.alpha": 0.35, "grid.linewidth": 0.5, "axes.axisbelow": True, "legend.fontsize": 8,
            "legend.framealpha": 0.85, "figure.dpi": 100, "hatch.linewidth": 0.6, "axes.titlesize": 9}


def distinct(values):
    return list(dict.fromkeys(values))


def label_of(row, columns):
    return ", ".join(str(row.get(column, "")) for column in columns)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def curve(rows, x, y):
    """[(x, mean, least, most)] of the rows that have both, by x: several rows of one x differ in their seeds."""
    found = {}
    for row in rows:
        if is_number(row.get(x)) and is_number(row.get(y)):
            found.setdefault(row[x], []).append(row[y])
    return [(at, statistics.fmean(values), min(values), max(values)) for at, values in sorted(found.items())]


def curves(figure, rows):
    """[(label, colour index, style index, is marks, points)] of one panel."""
    out = []
    groups = distinct(label_of(row, figure["series"]) for row in rows)
    for i, group in enumerate(groups):
        of_group = [row for row in rows if label_of(row, figure["series"]) == group]
        for j, (name, column) in enumerate(figure["ys"].items()):
            points = curve(of_group, figure["x"]["column"], column)
            if not points:
                continue
            several = len(figure["ys"]) > 1
            label = ", ".join(part for part in (group, name if several else "") if part) or name
            out.append((label, i if figure["series"] else j, j if several else i, column in figure.get("marks", []), points))
    return out


def overtakings(figure, rows):
    """[(label, label, x)]: where, from left to right, the second curve falls below the first; on logarithmic axes."""
    out = []
    found = curves(figure, rows)
    for i, (first, _, _, _, a) in enumerate(found):
        for second, _, _, _, b in found[i + 1:]:
            first_at, second_at = ({point[0]: point[1] for point in points} for points in (a, b))
            both = [x for x in first_at if x in second_at and first_at[x] > 0 and second_at[x] > 0 and x > 0]
            gaps = [math.log(first_at[x] / second_at[x]) for x in both]
            for k in range(len(both) - 1):
                if gaps[k] * gaps[k + 1] < 0:
                    part = gaps[k] / (gaps[k] - gaps[k + 1])
                    at = math.exp(math.log(both[k]) * (1 - part) + math.log(both[k + 1]) * part)
                    out.append((second, first, at) if gaps[k] < 0 else (first, second, at))
    return out


def draw_lines(axes, figure, rows):
    for label, colour, style, marks, points in curves(figure, rows):
        x, y, low, high = zip(*points)
        colour = COLOURS[colour % len(COLOURS)]
        marker = MARKERS[style % len(MARKERS)] if len(points) <= 40 else ""
        axes.plot(x, y, color=colour, linestyle="none" if marks else STYLES[style % len(STYLES)], marker=marker or None,
                  markersize=5 if marks else 3.5, linewidth=WIDTHS[min(style, 2)] if len(figure["ys"]) > 1 else 1.5, label=label,
                  alpha=0.85, markerfacecolor="white" if marks else colour)
        if low != high and any(a < b for a, b in zip(low, high)):
            axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    if "failed" in figure:  # on the lower edge, in the colours of their curves
        groups = distinct(label_of(row, figure["series"]) for row in rows)
        for row in rows:
            if row.get(figure["failed"]):
                colour = COLOURS[groups.index(label_of(row, figure["series"])) % len(COLOURS)]
                axes.plot([row[figure["x"]["column"]]], [0.03 + 0.05 * groups.index(label_of(row, figure["series"]))], color=colour,
                          marker="x", markersize=6, linestyle="none", transform=axes.get_xaxis_transform())
    for limit in figure.get("limits", []):
        axes.axhline(limit["y"], color="#555555", linestyle=(0, (6, 3)), linewidth=1)
        axes.annotate(limit["label"], (0.02, limit["y"]), xycoords=("axes fraction", "data"), fontsize=7, va="bottom")
    if figure.get("crossings"):
        for _, _, at in overtakings(figure, rows):
            axes.axvline(at, color="#999999", linestyle=(0, (1, 2)), linewidth=1)


def draw_bars(axes, figure, rows):
    """Horizontal, with a bar for each curve in each category."""
    categories = distinct(str(row[figure["x"]["column"]]) for row in rows if figure["x"]["column"] in row)
    groups = distinct(label_of(row, figure["series"]) for row in rows)
    pairs = [(group, name, column) for group in groups for name, column in figure["ys"].items()]
    width = 0.8 / max(1, len(pairs))
    for i, (group, name, column) in enumerate(pairs):
        at, heights = [], []
        for place, category in enumerate(categories):
            values = [row[column] for row in rows if label_of(row, figure["series"]) == group and is_number(row.get(column))
                      and str(row.get(figure["x"]["column"])) == category]
            if values:
                at.append(place - 0.4 + (i + 0.5) * width)
                heights.append(statistics.fmean(values))
        if not heights:
            continue
        label = ", ".join(part for part in (group, name if len(figure["ys"]) > 1 else "") if part) or name
        axes.barh(at, heights, width, label=label, color=COLOURS[i % len(COLOURS)], hatch=HATCHES[i % len(HATCHES)],
                  edgecolor="white", linewidth=0.3)
    axes.set_yticks(range(len(categories)), categories)
    axes.margins(y=0.01)
    axes.invert_yaxis()


def ticks(axes, values):
    """Few values of x are the ticks themselves."""
    if len(values) <= 6:
        axes.set_xticks(sorted(values), [f"{value:,}" for value in sorted(values)])
        axes.xaxis.set_minor_locator(ticker.NullLocator())
    elif axes.get_xscale() != "log" and all(isinstance(value, int) for value in values):
        axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))


def axis_title(axis):
    return f"{axis['label']} ({axis['unit']})" if axis["unit"] else axis["label"]


def draw(figure, rows, path):
    """The figure of these rows."""
    panels = distinct(label_of(row, figure["panels"]) for row in rows)
    if figure["kind"] == "bars":
        across = 1
        count = len(distinct(str(row.get(figure["x"]["column"])) for row in rows)) * max(1, len(figure["ys"]))
        count *= len(distinct(label_of(row, figure["series"]) for row in rows))
        size = (7.2, max(2.2, 0.9 + 0.15 * count))
    else:
        across = min(len(panels), 2)
        size = (3.6 * across + (0.8 if across == 1 else 0), 3.0)
    down = -(-len(panels) // across)
    with matplotlib.rc_context(SETTINGS):
        sheet, grid = pyplot.subplots(down, across, figsize=(size[0], size[1] * down), squeeze=False, layout="constrained")
        legends = []
        for i, axes in enumerate(grid.flat):
            if i >= len(panels):
                axes.set_visible(False)
                continue
            of_panel = [row for row in rows if label_of(row, figure["panels"]) == panels[i]]
            (draw_bars if figure["kind"] == "bars" else draw_lines)(axes, figure, of_panel)
            titles = {"x": figure["x"], "y": figure["y"]}
            if figure["kind"] == "bars":
                titles = {"x": figure["y"], "y": figure["x"]}
            for letter, axis in titles.items():
                getattr(axes, f"set_{letter}label")(axis_title(axis))
                if axis.get("scale") == "log":
                    getattr(axes, f"set_{letter}scale")("log")
            if figure["kind"] == "lines":
                ticks(axes, {row[figure["x"]["column"]] for row in of_panel if is_number(row.get(figure["x"]["column"]))})
            if figure["panels"]:
                axes.set_title(panels[i])
            handles, labels = axes.get_legend_handles_labels()
            if len(labels) > 1 and labels not in legends:  # once where all panels have the same
                legends.append(labels)
                axes.legend(handles, labels)
        sheet.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(sheet)
