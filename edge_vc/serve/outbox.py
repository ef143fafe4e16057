"""Converted audio on its way to one page: if the network is too slow, audio is dropped."""

from __future__ import annotations

import asyncio
from collections import deque

from edge_vc.serve.protocol import AudioFrame

WAITING_MS = 150.0
"""Most output that may wait to be sent."""
FLIGHT_MS = 600.0
"""Most output sent but not acknowledged: it is in buffers between the server and the page."""


class Outbox:
    """A bounded queue in the event loop's thread; `take` may wait, `put` never does."""

    def __init__(self, rate: int) -> None:
        self.dropped = 0
        """Number of frames dropped because they were too late."""
        self._waiting: deque[AudioFrame] = deque()
        self._flight: deque[tuple[int, int]] = deque()  # sequence number, samples
        self._most_waiting = WAITING_MS / 1000 * rate
        self._most_flight = FLIGHT_MS / 1000 * rate
        self._change = asyncio.Event()

    def put(self, frame: AudioFrame) -> None:
        """Queue a frame and drop the oldest ones beyond the limit."""
        self._waiting.append(frame)
        while len(self._waiting) > 1 and self._waiting_samples() > self._most_waiting:
            self._waiting.popleft()
            self.dropped += 1
        self._change.set()

    def acknowledge(self, count: int) -> None:
        """Note that the page has received every frame below a sequence number."""
        while self._flight and self._flight[0][0] < count:
            self._flight.popleft()
        self._change.set()

    async def take(self) -> AudioFrame:
        """Wait for a frame that may be sent now."""
        while not self._waiting or self._in_flight() > self._most_flight:
            self._change.clear()
            await self._change.wait()
        frame = self._waiting.popleft()
        self._flight.append((frame.sequence, frame.samples.shape[0]))
        return frame

    def _waiting_samples(self) -> int:
        return sum(frame.samples.shape[0] for frame in self._waiting)

    def _in_flight(self) -> int:
        return sum(samples for _, samples in self._flight)
