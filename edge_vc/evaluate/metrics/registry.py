"""The metrics of an evaluation. To add one, write a file with its `Metric`, and list it in `_OWN`.

A separate distribution adds one without a change here: it calls `register_metric`, or names its
metric as an entry point of the group `ENTRY_POINTS`. Scripts name a module with ``--plugin``.
"""

from __future__ import annotations

from edge_vc.evaluate.metrics.distill_mos import DISTILL_MOS
from edge_vc.evaluate.metrics.dnsmos import DNSMOS
from edge_vc.evaluate.metrics.error_rates import ERROR_RATES
from edge_vc.evaluate.metrics.lsd import LSD
from edge_vc.evaluate.metrics.mcd import MCD
from edge_vc.evaluate.metrics.metric import AnyMetric, IntrusiveMetric, Metric
from edge_vc.evaluate.metrics.pesq import PESQ
from edge_vc.evaluate.metrics.phones import PHONE_ERROR_RATE
from edge_vc.evaluate.metrics.prosody import PROSODY
from edge_vc.evaluate.metrics.similarity import SIMILARITY
from edge_vc.evaluate.metrics.snr import SNR
from edge_vc.evaluate.metrics.stoi import STOI
from edge_vc.evaluate.metrics.whisper_asr import WER_WHISPER
from edge_vc_runtime.entry_points import register_entry_points

ENTRY_POINTS = "edge_vc.metrics"
"""Entry point group in which other distributions name their metrics."""

_OWN: tuple[AnyMetric, ...] = (
    SIMILARITY, WER_WHISPER, *ERROR_RATES, PHONE_ERROR_RATE, *DNSMOS, DISTILL_MOS, *PROSODY, MCD,
    STOI, PESQ, SNR, LSD,
)  # fmt: skip
METRICS: dict[str, AnyMetric] = {metric.key: metric for metric in _OWN}
"""Registered metrics by key, in the order of the tables. `registered_metrics` adds those named by
entry points."""


def register_metric(metric: AnyMetric) -> None:
    """Add a metric to all later evaluations, reports, tables and pages.

    Raises `ValueError` for a key that is already in use.
    """
    if metric.key in METRICS:
        raise ValueError(
            f"metric {metric.key!r}: the key is taken by {METRICS[metric.key].title}; give another"
        )
    METRICS[metric.key] = metric


def registered_metrics() -> tuple[AnyMetric, ...]:
    """Return every metric in the order of the tables; reads entry points on the first call."""
    register_entry_points(ENTRY_POINTS, register_metric)
    return tuple(METRICS.values())


def system_metrics() -> tuple[Metric, ...]:
    """Return the metrics of one system's output whose packages are installed."""
    return tuple(metric for metric in _of_systems() if not metric.missing)


def left_out_metrics() -> list[str]:
    """Return a line for every metric whose packages are missing, with the install command."""
    return [f"left out: {m.title}: {m.missing}" for m in _of_systems() if m.missing]


def _of_systems() -> tuple[Metric, ...]:
    return tuple(metric for metric in registered_metrics() if isinstance(metric, Metric))


def intrusive_metrics() -> tuple[IntrusiveMetric, ...]:
    """Return the metrics of one system's output against another's."""
    return tuple(metric for metric in registered_metrics() if isinstance(metric, IntrusiveMetric))


def metric_list() -> list[str]:
    """Return one line per metric: key, title, unit, direction and description."""
    arrows = {1: "higher is better", -1: "lower is better", 0: "no direction"}
    return [
        f"{metric.key}: {metric.title}{f' in {metric.unit}' if metric.unit else ''}, "
        f"{arrows[metric.better]}. {metric.description}".rstrip()
        for metric in registered_metrics()
    ]
