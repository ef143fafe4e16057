"""Low, mid and high tone controls."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.chain.block_filter import (
    BlockFilter,
    one_pole_high_pass,
    one_pole_low_pass,
)
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.ramp import GainRamp, db_to_gain
from edge_vc_runtime.samples import Samples

LOW_HZ = 250.0
"""Corner of the low shelf."""
HIGH_HZ = 4000.0
"""Corner of the high shelf, at most 0.3 of the sample rate."""
_BANDS = ("low", "mid", "high")


class Equalizer:
    """Splits the signal into three bands that add up to the input, and changes their gains.

    The filters are first order and fixed; only gains change, so that moving a control causes no
    clicks and needs no new filters. No delay; with flat settings the input passes unchanged.
    """

    name = "equaliser"
    delay = 0

    def __init__(self, sample_rate: int, hop: int, parameters: Parameters) -> None:
        self._parameters = parameters
        high_hz = min(HIGH_HZ, 0.3 * sample_rate)
        self._low = BlockFilter(one_pole_low_pass(LOW_HZ, sample_rate), hop)
        self._high = BlockFilter(one_pole_high_pass(high_hz, sample_rate), hop)
        self._bands = [np.zeros(hop, np.float32) for _ in _BANDS]
        self._ramps = [GainRamp(hop, sample_rate, 1.0) for _ in _BANDS]
        self._scaled = np.zeros(hop, np.float32)
        self._out = np.zeros(hop, np.float32)
        self._flat = True

    def step(self, audio: Samples) -> Samples:
        """Apply the three gains to ``[hop]``."""
        targets = [self._parameters[name] for name in _BANDS]
        if not any(targets) and all(ramp.value == 1.0 for ramp in self._ramps):
            if not self._flat:
                self.reset()
            return audio
        self._flat = False
        low, mid, high = self._bands
        low[:] = self._low.step(audio)
        high[:] = self._high.step(audio)
        np.subtract(audio, low, out=mid)
        mid -= high
        self._out.fill(0.0)
        for band, ramp, target in zip(self._bands, self._ramps, targets, strict=True):
            self._out += ramp.apply(band, db_to_gain(target), self._scaled)
        return self._out

    def reset(self) -> None:
        """Reset to silence; gains start from flat."""
        self._low.reset()
        self._high.reset()
        for ramp in self._ramps:
            ramp.reset()
        self._flat = True
