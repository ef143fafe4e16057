"""What stands for a session in tests: it passes its input on, late and scaled."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.bundle.entries import ModelEntry

HOP = 160


class DelayLine:
    """Stands for a session: its input, ``delay`` samples late, times a gain."""

    sample_rate = 16000

    def __init__(self, tier: str, cost: float, delay: int, gain: float = 1.0, hop: int = HOP):
        self.model = ModelEntry("m.onnx", "onnx", "fp32", tier, 1, cost)
        self.hop, self.delay, self.gain = hop, delay, gain
        self.steps = 0
        self.reset()

    def reset(self) -> None:
        self.line = np.zeros(self.delay + self.hop, np.float32)

    def step(self, audio: np.ndarray) -> np.ndarray:
        self.steps += 1
        self.line = np.concatenate([self.line[self.hop :], audio])
        return np.float32(self.gain) * self.line[: self.hop]
