"""The output's volume."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.ramp import GainRamp, db_to_gain
from edge_vc_runtime.samples import Samples


class Gain:
    """Multiplies by the parameter ``gain``; 0 dB passes unchanged."""

    name = "gain"
    delay = 0

    def __init__(self, sample_rate: int, hop: int, parameters: Parameters) -> None:
        self._parameters = parameters
        self._ramp = GainRamp(hop, sample_rate, 1.0)
        self._out = np.zeros(hop, np.float32)

    def step(self, audio: Samples) -> Samples:
        """Scale ``[hop]``."""
        return self._ramp.apply(audio, db_to_gain(self._parameters["gain"]), self._out)

    def reset(self) -> None:
        """Start from 0 dB."""
        self._ramp.reset()
