"""Faster or slower speech at the same pitch: waveform-similarity overlap-add (Verhelst 1993)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.samples import Samples

SPEEDS = (0.5, 2.0)
"""Slowest and fastest."""
_FRAME_MS = 30.0
_SEARCH_MS = 8.0  # half a period of 62 Hz on either side


class TimeStretch:
    """Takes blocks of any length and returns what is ready; for recordings, not for live use.

    Frames of 30 ms overlap by half in the output. Each is taken from where the input best continues
    the previous one, within 8 ms of the position given by the speed.
    """

    def __init__(self, sample_rate: int, speed: float) -> None:
        """``speed`` from 0.5 to 2; above 1 is faster."""
        self.speed = speed
        self._stride = round(_FRAME_MS / 2000 * sample_rate)
        self._search = round(_SEARCH_MS / 1000 * sample_rate)
        self._window = np.hanning(2 * self._stride + 1)[:-1].astype(np.float32)
        # Silence in front: the first frame has its full context, and fades in before the input.
        self._input: Samples = np.zeros(self._stride + self._search, np.float32)
        self._start = -(self._stride + self._search)
        self._tail: Samples = np.zeros(self._stride, np.float32)
        self._natural: Samples | None = None
        self._frames = 0
        self._taken = 0
        self._given = 0

    def push(self, audio: Samples) -> Samples:
        """Take ``[T]`` and return ``[0 or more]``."""
        self._taken += audio.shape[0]
        self._input = np.concatenate([self._input, audio])
        return self._count(self._run())

    def finish(self) -> Samples:
        """Return the rest, for a total of ``round(T / speed)`` samples."""
        wanted = round(self._taken / self.speed)
        missing = np.zeros(4 * self._stride + 2 * self._search, np.float32)
        self._input = np.concatenate([self._input, missing])
        rest = self._run()
        short = wanted - self._given - rest.shape[0]
        if short > 0:
            rest = np.pad(rest, (0, short))
        return self._count(rest[: max(0, wanted - self._given)])

    def _run(self) -> Samples:
        """Add frames as long as there is enough input."""
        out = [np.zeros(0, np.float32)]
        while True:
            # Frame k is centred on output sample k * stride.
            place = round(self._frames * self._stride * self.speed) - self._stride
            first = place - self._search - self._start
            last = first + 2 * self._search + 3 * self._stride
            if last > self._input.shape[0]:
                break
            out.append(self._add(first))
        drop = max(0, first)
        self._input = self._input[drop:]
        self._start += drop
        return np.concatenate(out)

    def _add(self, first: int) -> Samples:
        length = 2 * self._stride
        region = self._input[first : first + length + 2 * self._search]
        shift = self._search
        if self._natural is not None:
            shift = _best(region, self._natural)
        frame = region[shift : shift + length] * self._window
        follows = first + shift + self._stride
        self._natural = self._input[follows : follows + length].copy()
        done = self._tail + frame[: self._stride]
        self._tail = frame[self._stride :]
        self._frames += 1
        # The first half of the first frame is before the beginning of the output.
        return done if self._frames > 1 else done[:0]

    def _count(self, ready: Samples) -> Samples:
        self._given += ready.shape[0]
        return ready


def _best(region: Samples, natural: Samples) -> int:
    """Return the offset in the region that best matches the natural continuation."""
    match = np.correlate(region, natural, "valid")
    square: NDArray[np.float64] = np.concatenate(([0.0], np.cumsum(region.astype(np.float64) ** 2)))
    energy = square[natural.shape[0] :] - square[: -natural.shape[0]]
    return int(np.argmax(match / np.sqrt(np.maximum(energy, 1e-9))))
