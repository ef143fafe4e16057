"""Signal-to-noise ratio of one output relative to another."""

from __future__ import annotations

from edge_vc.audio.distance import snr_db
from edge_vc.evaluate.metrics.metric import IntrusiveMetric
from edge_vc.evaluate.metrics.recording import Recording


def compute(reference: Recording, other: Recording) -> float | None:
    """Return the SNR in dB; None for a silent reference."""
    return snr_db(reference.samples, other.samples) if reference.samples.any() else None


SNR = IntrusiveMetric(
    key="snr_db",
    title="SNR",
    unit="dB",
    compute=compute,
    digits=1,
    rank=3,
    description="Power of the reference over that of the difference; two voices of different "
    "phase differ by about 0 dB even when they sound alike.",
)
