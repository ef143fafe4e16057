"""A report's histograms as a figure."""

from __future__ import annotations

from pathlib import Path

from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.message import one_line
from edge_vc_runtime.profiling.figure_png import figure_png
from edge_vc_runtime.profiling.report import Report


class PictureError(Exception):
    """A figure that cannot be drawn; one line with the remedy."""


def write_png(report: Report, path: Path) -> None:
    """Draw hop times per mode with the deadline, as a PNG.

    Raises `PictureError` if matplotlib is missing, `OutputError` for an unusable path.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PictureError(
            "a picture needs matplotlib: pip install 'edge-vc-runtime[metrics]'"
        ) from error
    timings = [(name, t) for name, t in (("tight", report.tight), ("paced", report.paced)) if t]
    if not timings:
        raise PictureError("the report holds no histogram: only `profile` makes one")
    figure = Figure(figsize=(8, 3 * len(timings)), layout="constrained")
    FigureCanvasAgg(figure)
    for row, (name, timing) in enumerate(timings, 1):
        axes = figure.add_subplot(len(timings), 1, row)
        axes.stairs(timing.histogram.counts, timing.histogram.edges_ms, fill=True)
        axes.axvline(timing.p50_ms, color="black", linestyle=":", label="p50")
        if timing.p99_ms is not None:
            axes.axvline(timing.p99_ms, color="black", linestyle="--", label="p99")
        axes.axvline(timing.deadline_ms, color="red", label="deadline")
        axes.set(xscale="log", yscale="log", ylabel="hops", xlabel="ms per hop")
        title = f"{report.subject.bundle}, {report.subject.precision}, {name}"
        axes.set_title(one_line(title)[:100], parse_math=False)
        axes.legend()
    try:
        drawn = figure_png(figure, dpi=120)
    except (ValueError, OverflowError, ArithmeticError, RuntimeError) as error:
        raise PictureError(f"the report cannot be drawn: {error}") from error
    write_whole(path, drawn)
