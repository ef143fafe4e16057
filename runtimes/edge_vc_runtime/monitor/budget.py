"""The latency budget of a live run, line by line, each with the source of its figure."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc_runtime.live.snapshot import DelayParts
from edge_vc_runtime.message import one_line
from edge_vc_runtime.monitor.card_converters import typical_converter

MEASURED_BEFORE = "measured just now: longest of 25 steps"
"""Source of the compute time if steps were timed before the streams were opened."""


@dataclass(frozen=True)
class BudgetLine:
    """One part of the delay from microphone to ear."""

    name: str
    low_ms: float | None
    """None if unknown."""
    high_ms: float | None
    source: str
    """Measured, from the stream, from the bundle, or typical for a kind of card."""


def budget_lines(
    parts: DelayParts,
    input_device: str = "",
    output_device: str = "",
    compute_source: str = MEASURED_BEFORE,
) -> list[BudgetLine]:
    """Return the parts in signal order, with the total last."""
    lines = [
        _converter("converter, input", input_device),
        _from_stream("input buffer", parts.input_buffer_ms),
        _exact("resampling", parts.resampling_ms, "from the sample rates of card and model"),
        _exact("algorithmic", parts.algorithmic_ms, "from the bundle: one hop and its look-ahead"),
        _exact("chain", parts.chain_ms, "from the stages that are switched on"),
        _compute(parts.compute_ms, compute_source),
        _exact("reserve", parts.reserve_ms, "kept ready for steps that take long"),
        _from_stream("output buffer", parts.output_buffer_ms),
        _converter("converter, output", output_device),
    ]
    return [*lines, _total(lines)]


def describe_budget(
    parts: DelayParts,
    input_device: str = "",
    output_device: str = "",
    compute_source: str = MEASURED_BEFORE,
) -> list[str]:
    """Return the budget as lines of text for a terminal."""
    lines = budget_lines(parts, input_device, output_device, compute_source)
    rows = [f"  {line.name:<18}{_figure(line):>14}  {one_line(line.source)}" for line in lines]
    return ["latency budget, microphone to ear:", *rows]


def _exact(name: str, ms: float, source: str) -> BudgetLine:
    return BudgetLine(name, ms, ms, source)


def _from_stream(name: str, ms: float | None) -> BudgetLine:
    source = "from the opened stream" if ms is not None else "the stream does not state it"
    return BudgetLine(name, ms, ms, source)


def _compute(ms: float | None, source: str) -> BudgetLine:
    return BudgetLine("compute", ms, ms, source if ms is not None else "not measured yet")


def _converter(name: str, device: str) -> BudgetLine:
    figure = typical_converter(device)
    if figure is None:
        return BudgetLine(name, None, None, "of this card; `measure-latency` includes it")
    return BudgetLine(name, figure.low_ms, figure.high_ms, f"typical for {figure.kind}")


def _total(lines: list[BudgetLine]) -> BudgetLine:
    missing = [line.name for line in lines if line.low_ms is None]
    low = sum(line.low_ms for line in lines if line.low_ms is not None)
    high = sum(line.high_ms for line in lines if line.high_ms is not None)
    source = "and the lines that are unknown" if missing else "sum of the lines"
    return BudgetLine("total", low, high, source)


def _figure(line: BudgetLine) -> str:
    if line.low_ms is None or line.high_ms is None:
        return "unknown"
    if line.high_ms - line.low_ms < 0.05:
        return f"{line.low_ms:.1f} ms"
    return f"{line.low_ms:.1f} - {line.high_ms:.1f} ms"
