"""One live conversion in its own thread: frames in, frames out, with bounded queues."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_vc.serve.pipeline import HopPipeline
from edge_vc.serve.protocol import AudioFrame
from edge_vc_runtime.profiling.timing import percentile

QUEUE_MS = 150.0
"""Longest input queue; older frames are dropped, so that the delay does not grow."""


@dataclass(frozen=True)
class ConversionStatus:
    """Status of a conversion for the page; times in ms, None before the first hop."""

    hops: int
    step_p50_ms: float | None
    step_p99_ms: float | None
    queue_p50_ms: float | None
    """Time that a frame waited for the thread."""
    dropped: int
    """Input frames dropped because they were too late."""
    lost: int
    """Input frames that never arrived, according to the sequence numbers."""
    muted: int
    delay_ms: float
    resampling_ms: float


class LiveConversion(threading.Thread):
    """Converts the frames given to `push` and passes them to ``deliver``, which must not block.

    ``fail`` receives an exception that ended the conversion. Both are called from this thread.
    """

    def __init__(
        self,
        pipeline: HopPipeline,
        deliver: Callable[[AudioFrame], None],
        fail: Callable[[Exception], None],
    ) -> None:
        super().__init__(name="edge-vc-serve", daemon=True)
        self._pipeline = pipeline
        self._deliver, self._fail = deliver, fail
        self._frames: deque[tuple[AudioFrame, float]] = deque()
        self._change = threading.Condition()
        self._stopping = False
        self._limit = max(1, round(QUEUE_MS / 1000 * pipeline.rate))
        self._waits: deque[float] = deque(maxlen=500)
        self._hops = self._dropped = self._lost = self._sent = 0
        self._expected: int | None = None
        # Position of output sample 0 on the browser's clock; a gap in the input shifts it.
        self._origin = 0.0
        self._taken = self._given = 0
        self._current = pipeline

    def push(self, frame: AudioFrame) -> None:
        """Queue a frame; the oldest ones are dropped if the queue is too long."""
        with self._change:
            self._frames.append((frame, time.monotonic()))
            waiting = sum(each.samples.shape[0] for each, _ in self._frames)
            while waiting > self._limit and len(self._frames) > 1:
                waiting -= self._frames.popleft()[0].samples.shape[0]
                self._dropped += 1
            self._change.notify()

    def replace(self, pipeline: HopPipeline) -> None:
        """Use another pipeline from the next frame on."""
        with self._change:
            self._pipeline = pipeline

    def stop(self) -> None:
        """End the thread, after the current frame at the latest."""
        with self._change:
            self._stopping = True
            self._change.notify()

    def status(self) -> ConversionStatus:
        """Return the counters, and the times over the last ten seconds."""
        pipeline = self._pipeline
        steps = _percentiles([each / 1e6 for each in tuple(pipeline.step_ns)])
        waits = _percentiles([each * 1000 for each in tuple(self._waits)])
        return ConversionStatus(
            hops=self._hops,
            step_p50_ms=steps[0],
            step_p99_ms=steps[1],
            queue_p50_ms=waits[0],
            dropped=self._dropped,
            lost=max(0, self._lost - self._dropped),
            muted=pipeline.muted,
            delay_ms=pipeline.delay_ms,
            resampling_ms=pipeline.resampling_ms,
        )

    def run(self) -> None:
        """Convert until `stop`."""
        try:
            while (taken := self._next()) is not None:
                self._convert(*taken)
        except Exception as error:  # the connection must be told, whatever it was
            self._fail(error)

    def _next(self) -> tuple[HopPipeline, AudioFrame] | None:
        with self._change:
            while not self._frames and not self._stopping:
                self._change.wait()
            if self._stopping:
                return None
            frame, arrived = self._frames.popleft()
            self._waits.append(time.monotonic() - arrived)
            return self._pipeline, frame

    def _convert(self, pipeline: HopPipeline, frame: AudioFrame) -> None:
        if self._expected is not None:
            self._lost += (frame.sequence - self._expected) & 0x7FFFFFFF
        self._expected = (frame.sequence + 1) & 0xFFFFFFFF
        if pipeline is not self._current:
            self._current = pipeline
            self._taken = self._given = 0
        self._origin = frame.position - self._taken
        self._taken += frame.samples.shape[0]
        samples = pipeline.push(frame.samples)
        self._hops += 1
        if samples.shape[0]:
            position = max(0.0, self._origin + self._given)
            self._given += samples.shape[0]
            self._deliver(AudioFrame(self._sent, frame.sequence, position, samples))
            self._sent += 1


def _percentiles(values: list[float]) -> tuple[float | None, float | None]:
    """Return the median and the 99th percentile; None if there are too few values."""
    if not values:
        return None, None
    return float(np.median(values)), percentile(np.array(values), 99)
