"""Intelligibility of one recording with another as the clean reference (STOI).

Short-time objective intelligibility (Taal, Hendriks, Heusdens, Jensen 2011), by ``pystoi``.
"""

from __future__ import annotations

import warnings

from edge_vc.audio.io import Samples
from edge_vc.evaluate.metrics.metric import IntrusiveMetric
from edge_vc.evaluate.metrics.recording import Recording
from edge_vc.settings.optional import require


def stoi(reference: Samples, other: Samples, sample_rate: int) -> float | None:
    """Return STOI of ``other`` ``[T]`` against ``reference`` ``[T]``, about 0 to 1.

    None if there is too little speech (less than 0.4 s).
    """
    package_stoi = require("pystoi").stoi
    if not reference.any() or not other.any():
        return None
    with warnings.catch_warnings():
        # For too few frames pystoi warns and returns 1e-5; here there is no result then.
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(package_stoi(reference, other, sample_rate))
        except RuntimeWarning:
            return None


def compute(reference: Recording, other: Recording) -> float | None:
    """Return STOI of one output against another."""
    return stoi(reference.samples, other.samples, reference.sample_rate)


STOI = IntrusiveMetric(
    key="stoi",
    title="STOI",
    compute=compute,
    rank=1,
    description="Short-time objective intelligibility of one against the other, about 0 to 1 "
    "(Taal et al. 2011).",
)
