"""Plays a track to an output stream during a measurement."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.latency.capture import FULL_SCALE
from edge_vc_runtime.latency.timeline import Timeline
from edge_vc_runtime.samples import Samples


class Playback:
    """Plays a track on every channel, then silence."""

    def __init__(self, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self.xruns = 0
        self._clock_ns = clock_ns
        self._position = 0

    def prepare(self, format: StreamFormat, track: Samples) -> None:
        """Convert the track to the device's format, before the stream is started."""
        scale = FULL_SCALE[format.sample_type]
        limited = np.clip(track, -0.999, 0.999)
        self.sample_rate = format.sample_rate
        self._track = (limited * np.float64(scale)).astype(format.sample_type)[:, None]
        self._timeline = Timeline(format.sample_rate, track.shape[0] // format.frames + 1)

    @property
    def done(self) -> bool:
        """Whether the whole track was output."""
        return bool(self._position >= self._track.shape[0])

    @property
    def seconds(self) -> float:
        """Duration that was output so far."""
        return self._position / self.sample_rate

    def fill(self, block: NDArray[Any], underflow: bool) -> None:
        """Fill ``[frames, channels]``; the output stream's callback."""
        self._timeline.mark(self._position, self._clock_ns())
        piece = self._track[self._position : self._position + block.shape[0]]
        block[: piece.shape[0]] = piece
        block[piece.shape[0] :] = 0
        self._position += block.shape[0]
        self.xruns += underflow

    def time_of(self, position: float) -> float:
        """Return when a sample was output, in s."""
        return self._timeline.time_of(position)
