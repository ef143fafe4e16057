"""Makes the converted voice as loud as the speaker.

A model outputs its target's usual level, however softly the user speaks.
"""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.ramp import GainRamp, db_to_gain
from edge_vc_runtime.samples import Samples

_TIME_S = 0.3
"""Levels are averaged over about this duration of speech."""
_QUICK_S = 0.12
"""An output that is too loud for this long is lowered before the long averages react."""
_QUICK_MARGIN_DB = 1.5
_RISE_DB_PER_S = 24.0
_BOUNDS_DB = (-36.0, 12.0)
_QUIET = 1e-9  # power of -90 dBFS: quieter hops are ignored


class LevelFollow:
    """Scales the output so that its speech level equals the input's.

    Both levels are averages over speech only; the input's is delayed by the model's delay. The gain
    is limited to -36 to +12 dB and starts at 0 dB.
    """

    name = "level follow"
    delay = 0

    def __init__(self, sample_rate: int, hop: int, parameters: Parameters, lag: int) -> None:
        """``lag`` is the delay in samples between the hops passed to `listen` and to `step`."""
        self.gain_db = 0.0
        """The target gain."""
        self._parameters = parameters
        self._hop = hop
        self._interval_s = hop / sample_rate
        self._ramp = GainRamp(hop, sample_rate, 1.0, 30.0)
        self._out = np.zeros(hop, np.float32)
        self._waiting = [0.0] * (round(lag / hop) + 1)
        self._slow = _LevelRatio(_TIME_S, self._interval_s)
        self._quick = _LevelRatio(_QUICK_S, self._interval_s)
        self._heard_s = 0.0

    def listen(self, audio: Samples, speech: bool) -> None:
        """Take the model's input hop, and whether it contains speech."""
        self._waiting.append(float(audio.dot(audio)) / self._hop if speech else 0.0)
        del self._waiting[0]

    def step(self, audio: Samples) -> Samples:
        """Scale the model's output ``[hop]``."""
        if not self._parameters["level_follow"]:
            return self._ramp.apply(audio, 1.0, self._out)
        if self._waiting[0] > _QUIET:
            self._learn(self._waiting[0], float(audio.dot(audio)) / self._hop)
        return self._ramp.apply(audio, db_to_gain(self.gain_db), self._out)

    def _learn(self, before: float, after: float) -> None:
        """Lower the gain at once if the output is too loud; raise it at a limited rate."""
        self._heard_s += self._interval_s
        slow = self._slow.update(before, after, self._heard_s)
        quick = self._quick.update(before, after, self._heard_s)
        low, high = _BOUNDS_DB
        wanted = min(max(min(slow, quick + _QUICK_MARGIN_DB), low), high)
        self.gain_db = min(wanted, self.gain_db + _RISE_DB_PER_S * self._interval_s)

    def reset(self) -> None:
        """Clear both levels."""
        self._waiting[:] = [0.0] * len(self._waiting)
        self._slow.reset()
        self._quick.reset()
        self._heard_s = 0.0
        self._ramp.reset()
        self.gain_db = 0.0


class _LevelRatio:
    """The ratio of two powers, averaged over ``time_s``; at first over all speech so far."""

    def __init__(self, time_s: float, interval_s: float) -> None:
        self._time_s, self._interval_s = time_s, interval_s
        self._before = self._after = 0.0

    def update(self, before: float, after: float, heard_s: float) -> float:
        """Take both powers of a hop and return the ratio of their averages in dB."""
        share = self._interval_s / max(min(self._time_s, heard_s), self._interval_s)
        self._before += (before - self._before) * share
        self._after += (after - self._after) * share
        return 10 * math.log10((self._before + _QUIET) / (self._after + _QUIET))

    def reset(self) -> None:
        """Clear both averages."""
        self._before = self._after = 0.0
