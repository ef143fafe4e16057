"""A block resampler whose ratio can be corrected by some parts per million."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.audio.block_resampler import BlockResampler
from edge_vc_runtime.audio.polyphase import half_length, sinc_filters
from edge_vc_runtime.samples import Samples

MOST_PPM = 2000.0
"""Largest correction; at 24 kHz, 48 blocks of 10 ms per second are then one sample longer."""


class DriftingResampler(BlockResampler):
    """Gives one sample more, or less, for a block whenever the correction adds up to one.

    The samples of such a block are slightly closer together: at 48 kHz and a hop of 10 ms by 0.2 %,
    twice a second for clocks that differ by 42 ppm. Other blocks are as in `BlockResampler`.
    """

    def __init__(self, from_rate: int, to_rate: int, block: int, most_blocks: int = 2) -> None:
        super().__init__(from_rate, to_rate, block, most_blocks)
        half = half_length(from_rate, to_rate)
        bandwidth = min(1.0, to_rate / from_rate)
        self._stretched = {
            extra: _stretched(block, self.given + extra, bandwidth, half) for extra in (-1, 1)
        }
        self._whole = np.zeros(most_blocks * (self.given + 1), np.float32)
        self._ppm = 0.0
        self._owed = 0.0
        """Samples required by the correction but not output yet; negative for too many."""

    def set_ppm(self, ppm: float) -> None:
        """Output this many more samples per million; clamped to `MOST_PPM`."""
        self._ppm = min(max(ppm, -MOST_PPM), MOST_PPM)

    def push(self, samples: Samples) -> Samples:
        """Take ``[k * block]`` and return about ``k * given``, overwritten by the next call."""
        filled = 0
        for start in range(0, samples.shape[0] - self.block + 1, self.block):
            extra = self._next_extra()
            out = self._whole[filled : filled + self.given + extra]
            if extra:
                self._load(samples[start : start + self.block])
                np.dot(self._line, self._stretched[extra], out=out)
                self._shift()
            else:
                out[:] = super().push(samples[start : start + self.block])
            filled += out.shape[0]
        return self._whole[:filled]

    def _next_extra(self) -> int:
        self._owed += self.given * self._ppm * 1e-6
        extra = int(self._owed)  # towards zero; -1, 0 or 1 as long as a block has < 500 samples
        extra = min(max(extra, -1), 1)
        self._owed -= extra
        return extra


def _stretched(block: int, outputs: int, bandwidth: float, half: int) -> Samples:
    """Return ``[history + block, outputs]``: outputs evenly spaced over the whole block."""
    places = np.arange(outputs) * (block / outputs)
    first = places.astype(np.int64)
    filters = sinc_filters(places - first, bandwidth, half)
    matrix = np.zeros((2 * half - 1 + block, outputs), np.float32)
    for output in range(outputs):
        matrix[first[output] : first[output] + 2 * half, output] = filters[output]
    return matrix
