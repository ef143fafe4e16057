"""Plot a student's quality over latency and size, from the results of `students.py`.

    python benchmarks/student_curves.py benchmarks/results/students.json \\
        --svg docs/images/students.svg

Per metric, one panel over latency at equal size and one over size with a line for each latency
that has several sizes; bars are the 95 % intervals of the results.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

METRICS = {
    "similarity": "similarity",
    "wer_whisper": "WER, Whisper tiny.en",
    "phone_error_rate": "phone error rate",
    "dnsmos": "DNSMOS",
}
PLAIN = re.compile(r"(\d+)ms-(\d+)k")
"""Rows that differ in latency and size only."""
SIZE = 800
"""Size, in thousands of weights, at which latencies are compared."""
STYLE = {"svg.hashsalt": "students", "svg.fonttype": "none", "font.size": 9}


def curves(rows: Mapping[str, Any]) -> dict[str, list[tuple[float, Mapping[str, Any]]]]:
    """Return sorted points (ms or thousand weights, figures) by line; `PLAIN` rows only."""
    over_latency: list[tuple[float, Mapping[str, Any]]] = []
    over_size: dict[int, list[tuple[float, Mapping[str, Any]]]] = defaultdict(list)
    for name, row in rows.items():
        plain = PLAIN.fullmatch(name)
        if plain is None or "figures" not in row:
            continue
        latency, size = map(int, plain.groups())
        over_size[latency].append((size, row["figures"]))
        if size == SIZE:
            over_latency.append((latency, row["figures"]))
    found = {"latency": sorted(over_latency, key=lambda point: point[0])}
    for latency, points in sorted(over_size.items()):
        if len(points) > 1:
            found[f"{latency} ms"] = sorted(points, key=lambda point: point[0])
    return found


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Write the panels as SVG; the same result gives the same bytes."""
    found = curves(result["rows"])
    with rc_context(STYLE):
        figure = Figure(figsize=(9.5, 4.4), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots(2, len(METRICS))
        for column, (key, title) in enumerate(METRICS.items()):
            _line(axes[0, column], found["latency"], key, f"{SIZE / 1000:g} M weights")
            axes[0, column].set(title=title, xlabel="algorithmic latency, ms")
            for name, points in found.items():
                if name != "latency":
                    _line(axes[1, column], points, key, name)
            axes[1, column].set(xlabel="thousand weights", xscale="log")
            sizes = sorted(
                {size for name, p in found.items() if name != "latency" for size, _ in p}
            )
            axes[1, column].set_xticks(sizes, [f"{size:g}" for size in sizes])
            axes[1, column].minorticks_off()
        axes[1, 0].legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _line(axis: Axes, points: list[tuple[float, Mapping[str, Any]]], key: str, name: str) -> None:
    shown = [(x, figures[key]) for x, figures in points if key in figures]
    values = [figure["value"] for _, figure in shown]
    bars = [
        [figure["value"] - figure["low"] for _, figure in shown],
        [figure["high"] - figure["value"] for _, figure in shown],
    ]
    axis.errorbar([x for x, _ in shown], values, bars, marker="o", capsize=2, label=name)
    axis.grid(alpha=0.3)


def main(argv: list[str] | None = None) -> int:
    """Draw; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="student_curves.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("result", type=Path, metavar="RESULT.json")
    parser.add_argument("--svg", type=Path, required=True, help="where the picture goes")
    arguments = parser.parse_args(argv)
    result = json.loads(arguments.result.read_text())
    if result.get("benchmark") != "students" or not curves(result["rows"])["latency"]:
        print(f"student_curves: {arguments.result}: has no evaluated students", file=sys.stderr)
        return 2
    arguments.svg.parent.mkdir(parents=True, exist_ok=True)
    draw(result, arguments.svg)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
