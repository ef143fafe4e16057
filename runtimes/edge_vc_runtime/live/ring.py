"""A lock-free ring buffer for samples between two threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.devices.backend import SampleType

Frames = NDArray[Any]
"""Interleaved audio ``[frames, channels]`` in a device's sample type."""


class Ring:
    """A ring of fixed size with one writing and one reading thread.

    Each side owns one monotonic counter: the writer `written`, the reader `taken`. A side copies
    samples first and advances its counter afterwards, so that the other never sees samples that are
    not there yet. Python's interpreter lock preserves that order between threads. Nothing here
    waits or allocates more than views.
    """

    def __init__(self, frames: int, channels: int, sample_type: SampleType) -> None:
        self.written = 0
        """Frames written since the start."""
        self.taken = 0
        """Frames read or skipped since the start."""
        self.capacity = frames
        self._data: Frames = np.zeros((frames, channels), sample_type)

    @property
    def available(self) -> int:
        """Frames that can be read."""
        return self.written - self.taken

    @property
    def free(self) -> int:
        """Frames that can be written."""
        return self.capacity - (self.written - self.taken)

    def write(self, frames: Frames) -> int:
        """Append ``[T, channels]`` as far as it fits; return the number of frames written."""
        count: int = frames.shape[0]
        if count > self.free:
            count = self.free
        start = self.written % self.capacity
        end = start + count
        if end <= self.capacity:
            self._data[start:end] = frames[:count]
        else:
            self._data[start:] = frames[: self.capacity - start]
            self._data[: end - self.capacity] = frames[self.capacity - start : count]
        self.written += count
        return count

    def write_silence(self, frames: int) -> int:
        """Append silence as far as it fits; return the number of frames written."""
        count = min(frames, self.free)
        start = self.written % self.capacity
        first = min(count, self.capacity - start)
        self._data[start : start + first] = 0
        self._data[: count - first] = 0
        self.written += count
        return count

    def read(self, into: Frames) -> int:
        """Fill ``[T, channels]`` from its beginning; return the number of frames read."""
        count: int = into.shape[0]
        if count > self.available:
            count = self.available
        start = self.taken % self.capacity
        end = start + count
        if end <= self.capacity:
            into[:count] = self._data[start:end]
        else:
            into[: self.capacity - start] = self._data[start:]
            into[self.capacity - start : count] = self._data[: end - self.capacity]
        self.taken += count
        return count

    def skip(self, frames: int) -> int:
        """Drop up to this many of the oldest frames; return the number. For the reader."""
        count = min(frames, self.available)
        self.taken += count
        return count
