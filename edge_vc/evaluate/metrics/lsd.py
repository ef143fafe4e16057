"""Log-spectral distance between two outputs (Gray and Markel 1976)."""

from __future__ import annotations

from edge_vc.audio.distance import log_spectral_distance
from edge_vc.evaluate.metrics.metric import IntrusiveMetric
from edge_vc.evaluate.metrics.recording import Recording


def compute(reference: Recording, other: Recording) -> float | None:
    """Return the distance in dB; None for a silent reference."""
    if not reference.samples.any():
        return None
    return log_spectral_distance(reference.samples, other.samples, reference.sample_rate)


LSD = IntrusiveMetric(
    key="lsd_db",
    title="LSD",
    unit="dB",
    better=-1,
    compute=compute,
    digits=2,
    rank=4,
    description="Log-spectral distance (Gray and Markel 1976).",
)
