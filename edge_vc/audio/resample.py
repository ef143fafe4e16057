"""Block-by-block resampling; for whole recordings see `edge_vc.audio.io.resample`."""

from __future__ import annotations

import numpy as np
import soxr

from edge_vc.audio.io import AudioError, Samples


class StreamResampler:
    """Resamples a mono stream with soxr; the joined output does not depend on the block sizes.

    A block may return more or fewer samples than its share because of the filter's delay;
    `finish` returns the rest, so that the total is ``ceil(T * to_rate / from_rate)``.
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
        """Take a block ``[T]`` of any length and return the samples ready so far, maybe none."""
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
        # soxr may round the length up or down.
        return np.pad(rest[:due], (0, max(0, due - rest.shape[0])))
