"""Statistics of hop durations: percentiles, deadline misses and a histogram."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.profiling.report import Histogram, Timing

_BINS = 60
LEAST_AUDIO_NS = 1_000_000_000
"""A real-time factor of less audio than this is meaningless."""


def summarise(
    took_ns: NDArray[np.int64], hop_ns: int, late_ns: NDArray[np.int64] | None = None
) -> Timing:
    """Summarise durations ``[N]`` in ns; ``late_ns [N]`` is each hop's start delay if paced."""
    took = took_ns / 1e6
    p90, p95, p99, p999 = (percentile(took, percent) for percent in (90, 95, 99, 99.9))
    ends = took_ns if late_ns is None else took_ns + late_ns
    return Timing(
        hops=took.size,
        deadline_ms=hop_ns / 1e6,
        mean_ms=float(took.mean()),
        std_ms=float(took.std()),
        p50_ms=float(np.median(took)),
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        p999_ms=p999,
        max_ms=float(took.max()),
        rtf=real_time_factor(int(took_ns.sum()), took.size, hop_ns),
        misses=int(np.count_nonzero(ends > hop_ns)),
        jitter_ms=None if late_ns is None else float(late_ns.std() / 1e6),
        wake_p99_ms=None if late_ns is None else percentile(late_ns / 1e6, 99),
        histogram=_histogram(took),
    )


def least_count(percent: float) -> int:
    """Return the number of values required for one of them to be above a percentile."""
    return math.ceil(round(100 / (100 - percent), 6))


def percentile(values: NDArray[np.float64], percent: float) -> float | None:
    """Return a percentile of ``[N]``; None with fewer values than `least_count`."""
    if values.size < least_count(percent):
        return None
    return float(np.percentile(values, percent))


def real_time_factor(total_ns: int, hops: int, hop_ns: int) -> float | None:
    """Return processing time over audio duration; None for less than `LEAST_AUDIO_NS` of audio."""
    return total_ns / (hops * hop_ns) if hops * hop_ns >= LEAST_AUDIO_NS else None


def _histogram(took_ms: NDArray[np.float64]) -> Histogram:
    """Count in logarithmic bins, which resolve the tail as well as the bulk."""
    low, high = max(float(took_ms.min()), 1e-4), max(float(took_ms.max()), 1e-4) * 1.001
    edges = np.geomspace(low * 0.999, high, _BINS + 1)
    counts, _ = np.histogram(np.maximum(took_ms, low), edges)
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))
