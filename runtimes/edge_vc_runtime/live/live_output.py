"""The loudspeaker side of the loop: samples at the model's rate in, frames of the card out."""

from __future__ import annotations

from math import ceil
from time import perf_counter
from typing import Protocol

import numpy as np

from edge_vc_runtime.audio.block_resampler import streaming_resampler
from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.live.counters import LiveCounters
from edge_vc_runtime.live.ring import Frames, Ring
from edge_vc_runtime.live.sample_types import FULL_SCALE, LARGEST
from edge_vc_runtime.samples import Samples

RING_S = 2.0
"""Capacity of the ring in s: the reserve and the delay added by the governor."""
_VOICE_CHANNELS = 2  # front left and right; a card's other channels stay silent


class LiveResampler(Protocol):
    """Streams blocks from the model's rate to the card's."""

    @property
    def delay_ms(self) -> float:
        """Its delay, in ms."""

    def push(self, samples: Samples) -> Samples:
        """Take ``[T]`` and return what is ready."""


class LiveOutput:
    """Converts hops to frames, in a ring emptied by the callback.

    `play` runs on the back end's thread, everything else on the inference thread.
    """

    def __init__(
        self,
        form: StreamFormat,
        hop: int,
        sample_rate: int,
        counters: LiveCounters,
        resampler: LiveResampler | None = None,
    ) -> None:
        """Set the card's format, the model's hop and rate.

        ``resampler`` replaces the one with fixed ratio if drift has to be corrected. Raises
        `AudioIOError` if the rates have no small integer ratio.
        """
        self.format = form
        self.flowing = False
        """Whether the callback plays from the ring; before that, silence."""
        self.missed = 0
        """Frames of silence played because the ring was empty."""
        self.worst_gap_s = 0.0
        """Longest time between two callbacks since it was last set to 0."""
        self.resampler = resampler or streaming_resampler(sample_rate, form.sample_rate, hop)
        self._counters = counters
        self._ring = Ring(int(form.sample_rate * RING_S), form.channels, form.sample_type)
        most = ceil(2 * hop * form.sample_rate / sample_rate) + 64
        self._scaled = np.zeros(most, np.float32)
        self._frames: Frames = np.zeros((most, form.channels), form.sample_type)
        self._scale = np.float32(FULL_SCALE[form.sample_type])
        self._largest = np.float32(LARGEST[form.sample_type])
        self._whole = form.sample_type != "float32"
        self._moment = perf_counter()

    def play(self, frames: Frames, underflow: bool) -> None:
        """Fill the frames that the card plays next: the output callback."""
        now = perf_counter()
        gap = now - self._moment
        self._moment = now
        if gap > self.worst_gap_s:
            self.worst_gap_s = gap
        if not self.flowing:
            frames.fill(0)
            return
        missing = frames.shape[0] - self._ring.read(frames)
        if missing:
            frames[frames.shape[0] - missing :] = 0
            self.missed += missing
        if missing or underflow:
            self._counters.output_underflows += 1
            if not missing:
                self._counters.starved += 1

    @property
    def delay_ms(self) -> float:
        """Delay of resampling, in ms."""
        return self.resampler.delay_ms

    @property
    def fill(self) -> int:
        """Frames waiting in the ring."""
        return self._ring.available

    def top_up(self, frames: int) -> None:
        """Write silence until ``frames`` frames are waiting."""
        self._ring.write_silence(max(frames - self._ring.available, 0))

    def write(self, samples: Samples) -> None:
        """Append ``[at most two hops]`` at the model's rate, clipped at full scale."""
        ready = self.resampler.push(samples)
        count = ready.shape[0]
        scaled, frames = self._scaled[:count], self._frames[:count]
        np.multiply(ready, self._scale, out=scaled)
        if self._whole:
            np.rint(scaled, out=scaled)
        np.maximum(scaled, -self._scale, out=scaled)  # np.clip takes four times as long to call
        np.minimum(scaled, self._largest, out=scaled)
        np.copyto(frames[:, :_VOICE_CHANNELS], scaled[:, None], casting="unsafe")
        self._ring.write(frames)

    def set_ppm(self, ppm: float) -> None:
        """Output this many more samples per million; does nothing if the resampler cannot."""
        change = getattr(self.resampler, "set_ppm", None)
        if change is not None:
            change(ppm)
