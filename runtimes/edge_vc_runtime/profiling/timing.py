"""Statistics of hop durations: percentiles, deadline misses and a histogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.profiling.report import Histogram, Timing

_BINS = 60


def summarise(
    took_ns: NDArray[np.int64], hop_ns: int, late_ns: NDArray[np.int64] | None = None
) -> Timing:
    """Sum up durations ``[N]`` in ns; ``late_ns [N]``, how late each hop began, in paced mode."""
    took = took_ns / 1e6
    p50, p90, p95, p99, p999 = (float(p) for p in np.percentile(took, (50, 90, 95, 99, 99.9)))
    ends = took_ns if late_ns is None else took_ns + late_ns
    return Timing(
        hops=took.size,
        deadline_ms=hop_ns / 1e6,
        mean_ms=float(took.mean()),
        std_ms=float(took.std()),
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        p999_ms=p999,
        max_ms=float(took.max()),
        rtf=float(took_ns.mean() / hop_ns),
        misses=int(np.count_nonzero(ends > hop_ns)),
        jitter_ms=None if late_ns is None else float(late_ns.std() / 1e6),
        wake_p99_ms=None if late_ns is None else float(np.percentile(late_ns, 99) / 1e6),
        histogram=_histogram(took),
    )


def _histogram(took_ms: NDArray[np.float64]) -> Histogram:
    """Count in logarithmic bins, which resolve the tail as well as the bulk."""
    low, high = max(float(took_ms.min()), 1e-4), max(float(took_ms.max()), 1e-4) * 1.001
    edges = np.geomspace(low * 0.999, high, _BINS + 1)
    counts, _ = np.histogram(np.maximum(took_ms, low), edges)
    return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))
