"""A histogram of hop durations in constant memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SUB = 6  # 2**6 bins per octave: a percentile is at most 1.6 % too high
_OCTAVES = 58  # all durations that fit in 63 bits


class HopTimes:
    """A histogram of durations in ns with logarithmic bins; `record` does not allocate."""

    def __init__(self, deadline_ns: int) -> None:
        self.deadline_ns = deadline_ns
        self.count = 0
        self.late = 0
        """Hops that took longer than the deadline."""
        self.total_ns = 0
        self.max_ns = 0
        self._bins = np.zeros(_OCTAVES << _SUB, np.int64)

    def record(self, duration_ns: int) -> None:
        """Count one hop."""
        self._bins[_bin(duration_ns)] += 1
        self.count += 1
        self.total_ns += duration_ns
        if duration_ns > self.max_ns:
            self.max_ns = duration_ns
        if duration_ns > self.deadline_ns:
            self.late += 1

    def percentile_ms(self, percent: float) -> float | None:
        """Return a percentile in ms, rounded up to the end of its bin.

        None before the first hop, and for percentiles above the median with too few hops to have
        one above it: 10 for the 90th, 100 for the 99th.
        """
        if not self.count or (50 < percent < 100 and self.count * (100 - percent) < 99.999):
            return None
        rank = np.ceil(self.count * percent / 100)
        index = int(np.searchsorted(np.cumsum(self._bins), max(rank, 1)))
        return min(_upper_ns(index), self.max_ns) / 1e6

    @property
    def rtf(self) -> float | None:
        """Processing time over audio duration; None for less than a second of audio."""
        audio_ns = self.count * self.deadline_ns
        return self.total_ns / audio_ns if audio_ns >= 1_000_000_000 else None

    def counts_up_to(self, edges_ms: Sequence[float]) -> list[int]:
        """Return for each edge in ms the number of hops that took at most as long.

        Exact to 1.6 %: an edge inside a bin counts the whole bin.
        """
        cumulative = np.cumsum(self._bins)
        return [int(cumulative[_bin(max(int(edge * 1e6), 0))]) for edge in edges_ms]


def _bin(duration_ns: int) -> int:
    """Return the bin: the octave, then the bits below the leading one."""
    shift = max(duration_ns.bit_length() - 1 - _SUB, 0)
    return min((shift << _SUB) + (duration_ns >> shift), (_OCTAVES << _SUB) - 1)


def _upper_ns(index: int) -> int:
    shift = max((index >> _SUB) - 1, 0)
    return ((index - (shift << _SUB) + 1) << shift) - 1
