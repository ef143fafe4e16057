"""Records an input stream during a measurement."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.latency.timeline import Timeline
from edge_vc_runtime.samples import Samples

FULL_SCALE = {"float32": 1.0, "int16": 2.0**15, "int32": 2.0**31}


class Capture:
    """Copies blocks from a callback to memory allocated by `prepare`."""

    def __init__(self, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self.xruns = 0
        self._clock_ns = clock_ns
        self._count = 0

    def prepare(self, format: StreamFormat, seconds: float) -> None:
        """Allocate for a stream, before it is started."""
        frames = int(seconds * format.sample_rate)
        self.sample_rate = format.sample_rate
        self._scale = FULL_SCALE[format.sample_type]
        self._frames = np.zeros((frames, format.channels), format.sample_type)
        self._timeline = Timeline(format.sample_rate, frames // format.frames + 1)

    def take(self, block: NDArray[Any], overflow: bool) -> None:
        """Store ``[frames, channels]``; the input stream's callback."""
        count = min(block.shape[0], self._frames.shape[0] - self._count)
        if count <= 0:
            return
        self._timeline.mark(self._count, self._clock_ns())
        self._frames[self._count : self._count + count] = block[:count]
        self._count += count
        self.xruns += overflow

    def audio(self) -> Samples:
        """Return the recording ``[T]``: the loudest channel, full scale at 1."""
        frames = self._frames[: self._count].astype(np.float32) / np.float32(self._scale)
        loudest = int((frames**2).sum(0).argmax())
        return np.ascontiguousarray(frames[:, loudest])

    def time_of(self, position: float) -> float:
        """Return when a sample was received, in s."""
        return self._timeline.time_of(position)

    def position_at(self, time_s: float) -> float:
        """Return the sample that was received at a time in s."""
        return self._timeline.position_at(time_s)
