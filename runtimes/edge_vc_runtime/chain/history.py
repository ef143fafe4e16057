"""The last samples of a stream, contiguous in memory."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.samples import Samples

_ROOM = 8  # hops appended before everything is moved to the front


class SampleHistory:
    """Keeps the last ``length`` samples; silence before the first."""

    def __init__(self, length: int, hop: int) -> None:
        self._length = length
        self._data = np.zeros(2 * length + _ROOM * hop, np.float32)
        self._end = length

    def push(self, audio: Samples) -> None:
        """Append ``[n]``, at most a hop."""
        end = self._end + audio.shape[0]
        if end > self._data.shape[0]:
            self._data[: self._length] = self._data[self._end - self._length : self._end]
            self._end = self._length
            end = self._end + audio.shape[0]
        self._data[self._end : end] = audio
        self._end = end

    def last(self, count: int, delay: int = 0) -> Samples:
        """Return a view of ``count`` samples that end ``delay`` samples before the newest.

        ``count + delay`` is at most ``length``; the view is valid until the next `push`.
        """
        return self._data[self._end - delay - count : self._end - delay]

    def clear(self) -> None:
        """Clear the history."""
        self._data.fill(0.0)
        self._end = self._length
