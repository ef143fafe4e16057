"""The metrics of a live run: names, units and their source in a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Literal

from edge_vc_runtime.live.snapshot import DelayParts, LiveSnapshot

MetricType = Literal["counter", "gauge"]
Sample = tuple[tuple[str, ...], float | None]
"""Label values and the value; None is left out."""

STEP_SECONDS = "edge_vc_step_seconds"
"""The histogram of step times, which covers all steps of the run, not one snapshot."""
STEP_HELP = "Time of one step of the converter"
STEP_EDGES_MS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0, 200.0)


@dataclass(frozen=True)
class LiveMetric:
    """One metric; counters end in ``_total``."""

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...]
    samples: Callable[[LiveSnapshot], Iterable[Sample]]


def _one(value: Callable[[LiveSnapshot], float | None]) -> Callable[[LiveSnapshot], list[Sample]]:
    return lambda now: [((), value(now))]


def _ms(value: float | None) -> float | None:
    return None if value is None else value / 1e3


def _delay_parts(now: LiveSnapshot) -> list[Sample]:
    names = [field.name for field in fields(DelayParts)]
    return [((name.removesuffix("_ms"),), _ms(getattr(now.delay, name))) for name in names]


def _states(now: LiveSnapshot) -> list[Sample]:
    names = ("starting", "running", "waiting", "stopped")
    return [((name,), float(name == now.state)) for name in names]


def _throttled(now: LiveSnapshot) -> float | None:
    try:
        return None if now.throttled is None else float(int(now.throttled, 16))
    except ValueError:
        return None


METRICS: tuple[LiveMetric, ...] = (
    LiveMetric("edge_vc_state", "gauge", "1 for the run's state", ("state",), _states),
    LiveMetric(
        "edge_vc_run_seconds", "gauge", "Time since the start", (), _one(lambda s: s.seconds),
    ),
    LiveMetric("edge_vc_hops_total", "counter", "Hops converted", (), _one(lambda s: s.hops)),
    LiveMetric(
        "edge_vc_late_hops_total", "counter", "Hops whose step took longer than a hop lasts", (),
        _one(lambda s: s.late),
    ),
    LiveMetric(
        "edge_vc_muted_hops_total", "counter",
        "Hops replaced by silence because the output was not finite", (), _one(lambda s: s.muted),
    ),
    LiveMetric(
        "edge_vc_clipped_samples_total", "counter",
        "Input samples beyond full scale, which were clamped", (), _one(lambda s: s.clipped),
    ),
    LiveMetric(
        "edge_vc_dropped_hops_total", "counter",
        "Hops of input left out after a gap, so that the delay did not grow", (),
        _one(lambda s: s.dropped),
    ),
    LiveMetric(
        "edge_vc_xruns_total", "counter",
        "Overflows of the input and underflows of the output", ("direction",),
        lambda s: [(("input",), s.input_overflows), (("output",), s.output_underflows)],
    ),
    LiveMetric(
        "edge_vc_device_reconnects_total", "counter",
        "Times that a device came back after it had vanished", (), _one(lambda s: s.reopened),
    ),
    LiveMetric(
        "edge_vc_level_dbfs", "gauge", "RMS level of the last 100 ms in dB below full scale",
        ("direction",), lambda s: [(("input",), s.input_db), (("output",), s.output_db)],
    ),
    LiveMetric(
        "edge_vc_recent_step_seconds", "gauge", "Step time over the last second, 100 hops at least",
        ("quantile",), lambda s: [(("0.5",), _ms(s.p50_ms)), (("0.99",), _ms(s.tail_ms))],
    ),
    LiveMetric(
        "edge_vc_real_time_factor", "gauge",
        "Mean step time over a hop's duration; below 1 keeps up", (), _one(lambda s: s.load),
    ),
    LiveMetric(
        "edge_vc_delay_seconds", "gauge", "Parts of the delay from microphone to ear", ("part",),
        _delay_parts,
    ),
    LiveMetric(
        "edge_vc_microphone_to_ear_seconds", "gauge",
        "Sum of the parts, absent while one is unknown; without the cards' converters", (),
        _one(lambda s: _ms(s.delay.total_ms)),
    ),
    LiveMetric(
        "edge_vc_tier", "gauge", "1 for the tier that runs", ("tier",),
        lambda s: [((s.tier,), 1.0)],
    ),
    LiveMetric(
        "edge_vc_bypassed", "gauge", "1 while the voice passes unconverted", (),
        _one(lambda s: s.bypassed),
    ),
    LiveMetric(
        "edge_vc_gate_open", "gauge", "1 while the voice gate is open", (),
        _one(lambda s: s.gate_open),
    ),
    LiveMetric(
        "edge_vc_clock_drift_ppm", "gauge",
        "How much faster the output's clock runs than the input's, in parts per million", (),
        _one(lambda s: s.drift_ppm),
    ),
    LiveMetric(
        "edge_vc_temperature_celsius", "gauge", "Temperature of the processor", (),
        _one(lambda s: s.temperature_c),
    ),
    LiveMetric(
        "edge_vc_throttled_bits", "gauge", "The Raspberry Pi firmware's throttling bits", (),
        _one(_throttled),
    ),
    LiveMetric(
        "edge_vc_parameter", "gauge", "Parameters of the chain", ("name",),
        lambda s: [((name,), value) for name, value in s.parameters.items()],
    ),
)  # fmt: skip
"""All metrics in a snapshot."""


def metrics_table() -> str:
    """Return name, type, labels and meaning as a Markdown table."""
    rows = ["| metric | type | labels | meaning |", "| --- | --- | --- | --- |"]
    rows.append(f"| `{STEP_SECONDS}` | histogram | | {STEP_HELP}, over the whole run |")
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |")
    return "\n".join(rows) + "\n"
