"""Perceived quality of one recording against another (PESQ).

Wide-band perceptual evaluation of speech quality (ITU-T P.862.2; Rix et al. 2001), by ``pesq``.
"""

from __future__ import annotations

import math

from edge_vc.audio.io import Samples, resample
from edge_vc.evaluate.metrics.metric import IntrusiveMetric
from edge_vc.evaluate.metrics.recording import Recording
from edge_vc.settings.optional import require

RATE = 16000
"""Sample rate of the wide-band mode, in Hz."""


def pesq(reference: Samples, other: Samples, sample_rate: int) -> float | None:
    """Return PESQ of ``other`` ``[T]`` against ``reference`` ``[T]``, 1.0 to 4.64.

    None if PESQ finds no speech or less than a quarter of a second.
    """
    package = require("pesq")
    if not reference.any() or not other.any():
        return None
    if sample_rate != RATE:
        reference, other = (resample(x, sample_rate, RATE) for x in (reference, other))
    try:
        score = float(package.pesq(RATE, reference, other, "wb"))
    except package.PesqError:
        return None
    return score if math.isfinite(score) else None


def compute(reference: Recording, other: Recording) -> float | None:
    """Return PESQ of one output against another."""
    return pesq(reference.samples, other.samples, reference.sample_rate)


PESQ = IntrusiveMetric(
    key="pesq",
    title="PESQ",
    unit="MOS-LQO",
    compute=compute,
    digits=2,
    rank=2,
    description="Wide-band perceptual evaluation of speech quality of one against the other, "
    "1 to 4.6 (ITU-T P.862.2).",
)
