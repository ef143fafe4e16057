"""A report as a table: coloured if rich is installed, otherwise plain text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from edge_vc_runtime.engines.registry import engine_kinds
from edge_vc_runtime.message import one_line
from edge_vc_runtime.profiling.estimate import HopEstimate, TimeBounds
from edge_vc_runtime.profiling.live_rows import live_rows
from edge_vc_runtime.profiling.report import Report, Timing

Rows = list[tuple[str, str]]
_SHOWN_OPS = 8


def print_report(report: Report, stream: TextIO) -> None:
    """Write the report to ``stream``, in tables by rich if it is installed."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        stream.write(plain_report(report))
        return
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    for title, rows in sections(report):
        table = Table(title=title, title_justify="left", show_header=False, min_width=60)
        for name, value in rows:
            table.add_row(name, value)
        console.print(table)


def plain_report(report: Report) -> str:
    """Return the report as plain text, one value per line."""
    lines: list[str] = []
    for title, rows in sections(report):
        width = max(len(name) for name, _ in rows)
        lines += [title, *(f"  {name:<{width}}  {value}" for name, value in rows), ""]
    return "\n".join(lines)


def sections(report: Report) -> Iterator[tuple[str, Rows]]:
    """Yield titles with their rows of name and value, escaped to be printable."""
    for title, rows in _sections(report):
        yield one_line(title), [(one_line(name), one_line(value)) for name, value in rows]


def _sections(report: Report) -> Iterator[tuple[str, Rows]]:
    yield _title(report), _subject(report)
    if report.estimate:
        yield "Estimate, not measured", _estimate(report.estimate)
    yield "Latency", _latency(report)
    for name, timing in (("Tight (back to back)", report.tight), ("Paced", report.paced)):
        if timing:
            yield f"{name}, {timing.hops} hops of {timing.deadline_ms:g} ms", _timing(timing)
    if report.live:
        yield "Live run", live_rows(report.live)
    if report.cold_start and report.memory:
        yield "New process", _cold(report)
    kind = engine_kinds().get(report.setup.engine)  # None for an engine that is unknown here
    if report.ops:
        how = [kind.op_method] if kind and kind.op_method else []
        yield (
            ", ".join(["Nodes by kind", "us per hop", *how]),
            [
                (
                    f"{op.op} x{op.nodes}" if op.nodes else op.op,
                    f"{op.us_per_hop:.1f} ({op.share:.0%})",
                )
                for op in report.ops[:_SHOWN_OPS]
            ],
        )
    elif report.ops_missing:
        yield "Nodes by kind", [("unknown", report.ops_missing)]


def _title(report: Report) -> str:
    subject = report.subject
    return (
        f"{subject.bundle} {subject.version}, {subject.precision}, "
        f"{'measured: ' * (report.estimate is None)}{report.environment}"
    )


def _subject(report: Report) -> Rows:
    subject, setup, machine = report.subject, report.setup, report.machine
    before, after = report.before, report.after
    return [
        ("model", f"{subject.model_file}, {subject.model_bytes / 1e6:.2f} MB"),
        ("size", f"{subject.parameters:,} parameters, {subject.macs_per_second / 1e6:.1f} MMAC/s"),
        ("engine", _engine(report)),
        ("chosen", setup.engine_reason or "unknown"),
        ("machine", f"{machine.model or machine.cpu or machine.arch}, {machine.cores} cores"),
        ("system", f"Linux {machine.kernel}, {machine.preemption or 'preemption unknown'}"),
        ("scheduling", f"{machine.policy}, cores {','.join(map(str, machine.affinity))}"),
        ("governor", before.governor or "unknown"),
        ("temperature", f"{_or(before.temperature_c, ' C')} -> {_or(after.temperature_c, ' C')}"),
        ("load", f"{_or(before.load_1m)} -> {_or(after.load_1m)}"),
        ("input", setup.input),
    ]


def _engine(report: Report) -> str:
    setup = report.setup
    library = setup.engine_library or ""
    return f"{setup.engine} ({library} {setup.engine_version}), threads: {setup.threads}".replace(
        "( ", "("
    )


def _estimate(estimate: HopEstimate) -> Rows:
    engine = f"{estimate.engine_instructions:,.0f} of them in the engine"
    return [
        ("board", f"{estimate.board}, {estimate.core} at {estimate.clock_mhz} MHz"),
        ("instructions per hop", f"{estimate.instructions:,.0f} (emulated), {engine}"),
        ("tight", _bounds(estimate.tight)),
        ("paced", _bounds(estimate.paced)),
        ("method", estimate.method),
        ("not known", estimate.not_known),
    ]


def _bounds(bounds: TimeBounds | None) -> str:
    if bounds is None:
        return "unknown"
    return (
        f"{bounds.estimate_ms:.3f} ms, x or / {bounds.factor:.1f} "
        f"({bounds.low_ms:.3f} to {bounds.high_ms:.3f})"
    )


def _latency(report: Report) -> Rows:
    latency = report.latency
    compute = f"{latency.compute_mode}, {latency.compute_percentile}"
    rows = [
        ("algorithmic", f"{latency.algorithmic_ms:.1f} ms"),
        ("buffer", _or(latency.buffer_ms, " ms", "no audio stream was open")),
        ("compute", f"{latency.compute_ms:.3f} ms ({compute})"),
        ("total", _or(latency.total_ms, " ms", "unknown without a buffer")),
    ]
    extra = (("resampling", latency.resampling_ms), ("chain", latency.chain_ms))
    rows[1:1] = [(name, f"{value:.1f} ms") for name, value in extra if value is not None]
    return rows


def _timing(timing: Timing) -> Rows:
    rows = [
        _together(
            ("p50", timing.p50_ms),
            ("p90", timing.p90_ms),
            ("p95", timing.p95_ms),
            ("p99", timing.p99_ms),
            ("p99.9", timing.p999_ms),
            ("max", timing.max_ms),
        ),
        ("mean, deviation", f"{timing.mean_ms:.3f}, {timing.std_ms:.3f} ms"),
        *([] if timing.rtf is None else [("real-time factor", f"{timing.rtf:.4f}")]),
        ("missed deadlines", f"{timing.misses} of {timing.hops}"),
    ]
    if timing.jitter_ms is not None:
        rows.append(("jitter of the start", f"{timing.jitter_ms:.3f} ms"))
    return rows


def _together(*times: tuple[str, float | None]) -> tuple[str, str]:
    """Return one row with the known times."""
    known = [(name, ms) for name, ms in times if ms is not None]
    values = " / ".join(f"{ms:.3f}" for _, ms in known)
    return " / ".join(name for name, _ in known), f"{values} ms"


def _cold(report: Report) -> Rows:
    cold, memory = report.cold_start, report.memory
    if cold is None or memory is None:
        return []
    return [
        ("import", f"{cold.import_ms:.0f} ms"),
        ("open", f"{cold.open_ms:.0f} ms"),
        ("first step", f"{cold.first_step_ms:.1f} ms"),
        ("together", f"{cold.total_ms:.0f} ms"),
        ("resident memory", f"{memory.rss_mb:.0f} MB (peak {memory.peak_rss_mb:.0f})"),
    ]


def _or(value: float | None, unit: str = "", missing: str = "unknown") -> str:
    return missing if value is None else f"{value:.2f}{unit}"
