"""Summary of the delays of several test signals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_vc_runtime.latency.detection import Detection

_AGREEMENT_MS = 30.0
"""If repeats differ by more, there is no single constant delay."""


@dataclass(frozen=True)
class RoundTrip:
    """The result of a measurement."""

    repeats: int
    """Number of test signals played."""
    delays_ms: tuple[float, ...]
    """Delays of those that were detected."""
    detections: tuple[Detection, ...]
    peak: float
    """Loudest sample of the recording, full scale at 1."""
    xruns: int
    """Callbacks at which a card reported lost samples."""

    @property
    def found(self) -> bool:
        """Whether more than half of the signals were detected and agree within 30 ms."""
        enough = 2 * len(self.delays_ms) > self.repeats
        return enough and self.spread_ms <= _AGREEMENT_MS

    @property
    def median_ms(self) -> float:
        """The delay; NaN if nothing was detected."""
        return float(np.median(self.delays_ms)) if self.delays_ms else float("nan")

    @property
    def spread_ms(self) -> float:
        """Largest minus smallest delay."""
        return max(self.delays_ms) - min(self.delays_ms) if self.delays_ms else 0.0

    @property
    def confidence(self) -> float:
        """The smallest ratio of a correlation peak to its floor."""
        return min((found.peak_ratio for found in self.detections), default=0.0)

    @property
    def similarity(self) -> float:
        """The smallest correlation with the signal, 0 to 1."""
        return min((found.similarity for found in self.detections), default=0.0)
