"""The metrics of an evaluation, in the order of the tables; more can be registered."""

from __future__ import annotations

from edge_vc.evaluate.metrics.dnsmos import DNSMOS
from edge_vc.evaluate.metrics.error_rates import ERROR_RATES
from edge_vc.evaluate.metrics.lsd import LSD
from edge_vc.evaluate.metrics.mcd import MCD
from edge_vc.evaluate.metrics.metric import AnyMetric, IntrusiveMetric, Metric
from edge_vc.evaluate.metrics.pesq import PESQ
from edge_vc.evaluate.metrics.prosody import PROSODY
from edge_vc.evaluate.metrics.similarity import SIMILARITY
from edge_vc.evaluate.metrics.snr import SNR
from edge_vc.evaluate.metrics.stoi import STOI

METRICS: dict[str, AnyMetric] = {
    metric.key: metric
    for metric in (SIMILARITY, *ERROR_RATES, *DNSMOS, *PROSODY, MCD, STOI, PESQ, SNR, LSD)
}
"""Every known metric by key."""


def register_metric(metric: AnyMetric) -> None:
    """Add a metric to all evaluations, reports, tables and pages from here on.

    Raises `ValueError` for a key that is taken.
    """
    if metric.key in METRICS:
        raise ValueError(
            f"metric {metric.key!r}: the key is taken by {METRICS[metric.key].title}; give another"
        )
    METRICS[metric.key] = metric


def system_metrics() -> tuple[Metric, ...]:
    """Return the metrics of one system's output."""
    return tuple(metric for metric in METRICS.values() if isinstance(metric, Metric))


def intrusive_metrics() -> tuple[IntrusiveMetric, ...]:
    """Return the metrics of one system's output against another's."""
    return tuple(metric for metric in METRICS.values() if isinstance(metric, IntrusiveMetric))


def metric_list() -> list[str]:
    """Return one line per metric: key, title, unit, direction and what it is."""
    arrows = {1: "higher is better", -1: "lower is better", 0: "no direction"}
    return [
        f"{metric.key}: {metric.title}{f' in {metric.unit}' if metric.unit else ''}, "
        f"{arrows[metric.better]}. {metric.description}".rstrip()
        for metric in METRICS.values()
    ]
