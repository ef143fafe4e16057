"""Another sample rate, block by block; whole recordings go through `edge_vc.audio.io.resample`."""

from __future__ import annotations

import numpy as np
import soxr

from edge_vc.audio.io import AudioError, Samples


class StreamResampler:
    """Resamples a mono stream with soxr; what comes out, joined, does not depend on the blocks.

    A block may give more or fewer samples than its share, as the filter's delay wants it;
    `finish` gives the rest, so that the total is ``ceil(T * to_rate / from_rate)``.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        """Take rates in Hz."""
        if from_rate <= 0 or to_rate <= 0:
            raise AudioError(f"cannot resample {from_rate} Hz to {to_rate} Hz; rates are positive")
        self.from_rate = from_rate
        self.to_rate = to_rate
        self._stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")
        self._taken = self._given = 0
        self._finished = False

    def push(self, samples: Samples) -> Samples:
        """Take a block ``[T]`` of any length and return what is ready, possibly nothing."""
        if self._finished:
            raise AudioError("the stream was finished; make a new resampler")
        self._taken += samples.shape[0]
        ready: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples, np.float32))
        self._given += ready.shape[0]
        return ready

    def finish(self) -> Samples:
        """End the stream and return its last samples."""
        if self._finished:
            raise AudioError("the stream was finished; make a new resampler")
        self._finished = True
        rest: Samples = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        due = max(0, -(-self._taken * self.to_rate // self.from_rate) - self._given)
        # soxr rounds the length either way.
        return np.pad(rest[:due], (0, max(0, due - rest.shape[0])))
