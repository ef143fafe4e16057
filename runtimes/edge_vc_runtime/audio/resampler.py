"""Sample rate conversion of a stream, block by block, to an exact length."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.samples import Samples


def resampled_length(frames: int, from_rate: int, to_rate: int) -> int:
    """Return ``ceil(frames * to_rate / from_rate)``."""
    return -(-frames * to_rate // from_rate)


class Resampler:
    """Streams mono blocks from one rate to another; equal rates pass unchanged.

    Raises `AudioIOError` if the rates differ and soxr is not installed.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self.from_rate = from_rate
        self.to_rate = to_rate
        self._taken = 0
        self._given = 0
        self._stream = None
        if from_rate != to_rate:
            try:
                import soxr
            except ImportError as error:
                raise AudioIOError(
                    f"{from_rate} Hz has to become {to_rate} Hz, which needs soxr: "
                    "pip install 'edge-vc-runtime[audio]'"
                ) from error
            self._stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")

    def push(self, samples: Samples) -> Samples:
        """Take ``[T]`` and return what is ready, ``[0 or more]``."""
        self._taken += samples.shape[0]
        if self._stream is None:
            return samples
        ready: Samples = self._stream.resample_chunk(samples)
        return self._count(ready)

    def finish(self, length: int | None = None) -> Samples:
        """Return the rest, for a total of ``length`` samples (default: rounded up).

        soxr may round the length up or down: an extra sample is cut, a missing one repeated.
        """
        if self._stream is None:
            return np.zeros(0, np.float32)
        if length is None:
            length = resampled_length(self._taken, self.from_rate, self.to_rate)
        rest: Samples = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)
        missing = length - self._given - rest.shape[0]
        if missing > 0:
            rest = np.pad(rest, (0, missing), mode="edge" if rest.size else "constant")
        return self._count(rest[: max(0, length - self._given)])

    def _count(self, ready: Samples) -> Samples:
        self._given += ready.shape[0]
        return ready
