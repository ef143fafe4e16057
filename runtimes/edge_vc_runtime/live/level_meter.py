"""The level of the last 100 ms."""

from __future__ import annotations

import math

SILENCE_DB = -120.0
"""Reading for silence in dBFS."""
_WINDOW_S = 0.1


class LevelMeter:
    """RMS in dBFS over 100 ms, from the power of each hop; one thread writes, any reads."""

    def __init__(self, hop: int, sample_rate: int) -> None:
        self._hop = hop
        self._powers = [0.0] * max(round(_WINDOW_S * sample_rate / hop), 1)
        self._next = 0

    def add(self, energy: float) -> None:
        """Take the sum of the squares of a hop."""
        self._powers[self._next] = energy / self._hop
        self._next = (self._next + 1) % len(self._powers)

    @property
    def db(self) -> float:
        """The current level."""
        power = sum(self._powers) / len(self._powers)
        if not math.isfinite(power) or power <= 10 ** (SILENCE_DB / 10):
            return SILENCE_DB
        return 10 * math.log10(power)
