"""Counters of the audio loop, each written by one thread and read by any."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LiveCounters:
    """Plain numbers without a lock: each has one writer, and readers may be one hop behind."""

    hops: int = 0
    """Hops processed by the converter."""
    late: int = 0
    """Hops whose step took longer than the hop duration."""
    input_overflows: int = 0
    """Callbacks whose samples did not fit into the input ring, or overflows of the card."""
    output_underflows: int = 0
    """Callbacks with too few samples in the output ring, or underflows of the card."""
    starved: int = 0
    """Those for which the ring held enough: the card's own buffer had already run empty."""
    dropped: int = 0
    """Input hops dropped after a gap, so that the delay did not grow."""
    muted: int = 0
    """Hops replaced by silence because the model's output was not finite."""
    reopened: int = 0
    """Number of times that a vanished device came back."""

    @property
    def xruns(self) -> int:
        """Overflows and underflows together."""
        return self.input_overflows + self.output_underflows
