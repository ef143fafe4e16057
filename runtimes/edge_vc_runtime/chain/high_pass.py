"""Removes DC and rumble below the voice."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.chain.block_filter import BlockFilter, high_pass
from edge_vc_runtime.samples import Samples

CORNER_HZ = 60.0
"""The -3 dB point; 12 dB per octave below it. The deepest voices start at 65 Hz."""


class HighPass:
    """A second-order Butterworth high-pass without delay."""

    name = "high-pass"
    delay = 0

    def __init__(self, sample_rate: int, hop: int) -> None:
        self._filter = BlockFilter(high_pass(CORNER_HZ, sample_rate), hop)
        self._out = np.zeros(hop, np.float32)

    def step(self, audio: Samples) -> Samples:
        """Filter ``[hop]``."""
        self._out[:] = self._filter.step(audio)
        return self._out

    def reset(self) -> None:
        """Reset to silence."""
        self._filter.reset()
