"""Curves and tables of a run: losses over its steps, and the figures of each stage."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge_vc.evaluate.report.page.figures import Row, table
from edge_vc.evaluate.report.page.markup import Markup, tag
from edge_vc.evaluate.report.page.run_log import Log, RunFacts

POINTS = 240
"""Curves are reduced to this many points; more would not be visible."""
_WIDTH, _HEIGHT = 1000.0, 400.0


def log_curves(log: Log) -> Markup:
    """Return one small chart for each figure of a training log."""
    charts = [_chart(name, log.steps, values) for name, values in log.figures.items()]
    return tag(
        "div",
        tag("h3", f"{log.name}, {int(log.steps[-1])} steps"),
        tag("div", *charts, class_="curves"),
    )


def stage_table(run: RunFacts) -> Markup:
    """Return one row per metric of each stage of the run."""
    rows: list[Row] = []
    for stage in run.stages:
        rows.append((stage.name, [tag("td", _duration(stage.seconds))], "stage"))
        rows += [(name, [tag("td", _number(v))], "part") for name, v in stage.metrics.items()]
    return table(["stage and figure", ""], rows)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _chart(name: str, steps: Sequence[float], values: Sequence[float | None]) -> Markup:
    known = [(s, v) for s, v in zip(steps, values, strict=True) if v is not None]
    stride = max(1, math.ceil(len(known) / POINTS))
    shown = [*known[:-1:stride], known[-1]]
    low, high = min(v for _, v in known), max(v for _, v in known)
    start, span = known[0][0], (known[-1][0] - known[0][0]) or 1.0
    points = " ".join(
        f"{_WIDTH * (s - start) / span:.1f},{20 + (_HEIGHT - 40) * _depth(v, low, high):.1f}"
        for s, v in shown
    )
    return tag(
        "figure",
        tag("figcaption", tag("b", name), f"{known[-1][1]:.4g}"),
        tag(
            "svg",
            tag("polyline", points=points),
            viewBox="0 0 1000 400",
            preserveAspectRatio="none",
            role="img",
            aria_label=f"{name} over steps, from {known[0][1]:.4g} to {known[-1][1]:.4g}",
        ),
        tag(
            "div",
            tag("span", f"step {known[0][0]:g}"),
            tag("span", f"{low:.4g} to {high:.4g}"),
            tag("span", f"{known[-1][0]:g}"),
            class_="ends",
        ),
    )


def _depth(value: float, low: float, high: float) -> float:
    return 0.5 if high == low else (high - value) / (high - low)
