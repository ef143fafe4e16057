"""The microphone side of the loop: frames of the card in, hops at the model's rate out."""

from __future__ import annotations

from math import ceil
from time import perf_counter

import numpy as np

from edge_vc_runtime.audio.block_resampler import streaming_resampler
from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.live.counters import LiveCounters
from edge_vc_runtime.live.ring import Frames, Ring
from edge_vc_runtime.live.sample_types import FULL_SCALE
from edge_vc_runtime.samples import Samples

RING_S = 0.5
"""Capacity of the ring in s: audio that arrives during a longer stall is lost, and counted."""
_POLL_S = 0.0005  # polling interval for a late callback


class LiveInput:
    """A ring filled by the callback, and the conversion of its frames to mono hops.

    `receive` runs on the back end's thread, everything else on the inference thread.
    """

    def __init__(
        self,
        form: StreamFormat,
        hop: int,
        sample_rate: int,
        counters: LiveCounters,
        channel: int | None = None,
    ) -> None:
        """Set the card's format, the model's hop and rate; ``channel`` counts from 0, None: mean.

        Raises `AudioIOError` if the rates have no small integer ratio.
        """
        self.format = form
        self.worst_gap_s = 0.0
        """Longest time between two callbacks since it was last set to 0."""
        self._counters = counters
        self._ring = Ring(
            int(form.sample_rate * RING_S) + form.frames, form.channels, form.sample_type
        )
        self._rates = form.sample_rate, sample_rate
        block = self._frames(hop)
        self._resampler = streaming_resampler(form.sample_rate, sample_rate, block)
        most = block + 1
        self._raw: Frames = np.zeros((most, form.channels), form.sample_type)
        self._float = np.zeros((most, form.channels), np.float32)
        self._mono = np.zeros(most, np.float32)
        self._weights = _weights(form, channel)
        self._hop = np.zeros(hop, np.float32)
        self._rest = np.zeros(most, np.float32)  # samples beyond the hop, for the next one
        self._filled = self._left = 0
        self._moment = perf_counter()

    def receive(self, frames: Frames, overflow: bool) -> None:
        """Take frames recorded by the card: the input callback."""
        now = perf_counter()
        gap = now - self._moment
        self._moment = now
        if gap > self.worst_gap_s:
            self.worst_gap_s = gap
        if self._ring.write(frames) < frames.shape[0] or overflow:
            self._counters.input_overflows += 1

    @property
    def delay_ms(self) -> float:
        """Delay of resampling, in ms."""
        return self._resampler.delay_ms

    @property
    def available(self) -> int:
        """Frames waiting in the ring."""
        return self._ring.available

    def discard(self, keep: int = 0) -> int:
        """Drop all but the newest ``keep`` frames of the ring; return the number dropped."""
        return self._ring.skip(max(self._ring.available - keep, 0))

    def next_hop(self) -> Samples | None:
        """Return ``[hop]``, valid until the next call, or None while it is incomplete."""
        while self._filled < self._hop.shape[0]:
            frames = self._missing_frames()
            if self._ring.available < frames:
                return None
            self._fill(self._resampler.push(self._read(frames)))
        self._filled = 0
        return self._hop

    def wait_s(self) -> float:
        """Return the expected time in s until the next hop is complete.

        It follows from the callbacks' timing: the next one is due one period after the last. Many
        are slightly late, so the check is 0.5 ms after that, and every 0.5 ms from then on. A lock
        or an event would have to be used in the callback.
        """
        missing = self._missing_frames() - self._ring.available
        if missing <= 0:
            return 0.0
        callbacks = ceil(missing / self.format.frames)
        due = self._moment + callbacks * self.format.frames / self.format.sample_rate
        return max(due - perf_counter(), 0.0) + _POLL_S

    def _missing_frames(self) -> int:
        missing = self._hop.shape[0] - self._filled - self._left
        return min(max(self._frames(missing), 1), self._mono.shape[0])

    def _frames(self, samples: int) -> int:
        """Return the minimum number of card frames for a number of samples of the model."""
        card, model = self._rates
        return -(-samples * card // model)

    def _read(self, frames: int) -> Samples:
        """Return ``[frames]`` as mono float32."""
        raw, wide, mono = self._raw[:frames], self._float[:frames], self._mono[:frames]
        self._ring.read(raw)
        np.copyto(wide, raw, casting="unsafe")
        return np.dot(wide, self._weights, out=mono)

    def _fill(self, ready: Samples) -> None:
        """Complete the hop from leftover samples and ``ready``; keep the excess."""
        if self._left:
            self._hop[: self._left] = self._rest[: self._left]
            self._filled, self._left = self._left, 0
        count = min(ready.shape[0], self._hop.shape[0] - self._filled)
        self._hop[self._filled : self._filled + count] = ready[:count]
        self._filled += count
        self._left = ready.shape[0] - count
        self._rest[: self._left] = ready[count:]


def _weights(form: StreamFormat, channel: int | None) -> Samples:
    """Return each channel's weight in the mono signal ``[channels]``, including full scale."""
    scale = 1 / FULL_SCALE[form.sample_type]
    if channel is None:
        return np.full(form.channels, scale / form.channels, np.float32)
    weights = np.zeros(form.channels, np.float32)
    weights[channel] = scale
    return weights
