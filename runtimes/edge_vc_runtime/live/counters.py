"""What the audio loop counts: written by one thread each, read by any."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LiveCounters:
    """Plain numbers without a lock: each has one writer, and a reader may be one hop behind."""

    hops: int = 0
    """Hops that went through the converter."""
    late: int = 0
    """Hops whose step took longer than a hop lasts."""
    input_overflows: int = 0
    """Callbacks whose samples found no place in the input ring, or that the card reported."""
    output_underflows: int = 0
    """Callbacks that found too few samples in the output ring, or that the card reported."""
    starved: int = 0
    """Those of them in which the ring held enough: the card's own buffer had run empty before."""
    dropped: int = 0
    """Hops of input that were left out after a gap, so that the delay did not grow."""
    muted: int = 0
    """Hops that were replaced by silence because the model's output was not finite."""
    reopened: int = 0
    """Times that a device came back after it had vanished."""

    @property
    def xruns(self) -> int:
        """Overflows and underflows together."""
        return self.input_overflows + self.output_underflows
