"""A stretch of a recording."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Span:
    """Samples from ``start`` up to, but excluding, ``stop``."""

    start: int
    stop: int

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.stop - self.start

    def widened(self, samples: int, length: int) -> Span:
        """Return the span extended by ``samples`` on either side, within ``[0, length]``."""
        return Span(max(0, self.start - samples), min(length, self.stop + samples))
