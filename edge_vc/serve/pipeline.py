"""Convert blocks of any length at the browser's rate: resample, convert, resample back."""

from __future__ import annotations

import time
from collections import deque

import numpy as np

from edge_vc_runtime.audio.polyphase import PolyphaseResampler
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.samples import Samples

_KEPT_TIMES = 1000  # steps whose duration is kept: the last ten seconds at 10 ms


class HopPipeline:
    """Resamples, cuts into hops, converts, resamples back; buffers at most one hop.

    Raises `AudioIOError` if the rate has no small integer ratio to the model's.
    """

    def __init__(self, converter: HopConverter, rate: int) -> None:
        self.converter = converter
        self.rate = rate
        """Rate of input and output in Hz."""
        self.step_ns: deque[int] = deque(maxlen=_KEPT_TIMES)
        """Durations of the last steps."""
        self.muted = 0
        """Hops whose output was not finite: they were muted and the converter was reset."""
        self._before = PolyphaseResampler(rate, converter.sample_rate)
        self._after = PolyphaseResampler(converter.sample_rate, rate)
        self._waiting = np.zeros(0, np.float32)

    @property
    def hop_samples(self) -> int:
        """Length of a hop at the outer rate, rounded."""
        return round(self.converter.hop * self.rate / self.converter.sample_rate)

    @property
    def resampling_ms(self) -> float:
        """Delay of both resamplers in ms."""
        return self._before.delay_ms + self._after.delay_ms

    @property
    def delay_ms(self) -> float:
        """Delay of the converter's output in ms, not counting the hop."""
        return self.converter.delay / self.converter.sample_rate * 1000

    def push(self, samples: Samples) -> Samples:
        """Take ``[T]`` and return the samples ready so far, ``[0 or more]``."""
        audio = np.concatenate((self._waiting, self._before.push(samples)))
        hop = self.converter.hop
        whole = audio.shape[0] // hop * hop
        self._waiting = audio[whole:].copy()
        hops = [self._step(audio[start : start + hop]) for start in range(0, whole, hop)]
        converted = np.concatenate(hops) if hops else np.zeros(0, np.float32)
        return self._after.push(converted)

    def _step(self, hop: Samples) -> Samples:
        begin = time.perf_counter_ns()
        out = self.converter.step(hop)
        self.step_ns.append(time.perf_counter_ns() - begin)
        if np.isfinite(out).all():
            return out.copy()
        self.muted += 1
        self.converter.reset()
        return np.zeros(hop.shape[0], np.float32)
