"""An exponential moving average with a weight per frame."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.scan import last_frame


class FollowingMean(StreamingLayer):
    """Map a value and its weight within 0..1, ``[B, 2, 1, F]``, to their running mean.

    The mean ``[B, 1, 1, F]`` forgets exponentially: a frame of weight one moves it by
    ``1 / memory_frames`` of its distance to the value. It starts at zero, so the values should be
    deviations from their expectation.
    """

    def __init__(self, memory_frames: float) -> None:
        super().__init__()
        if memory_frames < 1:
            raise ValueError(f"memory_frames {memory_frames:g} must be at least 1")
        self.rate = 1.0 / memory_frames

    def init_state(self, batch: int) -> State:
        """Return ``{"mean": [B, 1, 1, 1]}``."""
        return {"mean": torch.zeros(batch, 1, 1, 1)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Average the frames of ``x``; the mean returned for a frame includes that frame."""
        value, weight = torch.split(x, 1, dim=1)
        rate, mean = weight * self.rate, leaf(state, "mean")
        if int(x.shape[-1]) == 1:
            mean = mean + rate * (value - mean)
            return mean, {"mean": mean}
        means = []
        for frame in range(int(x.shape[-1])):
            here = slice(frame, frame + 1)
            mean = torch.addcmul(mean, rate[..., here], value[..., here] - mean)
            means.append(mean)
        following = torch.cat(means, dim=-1)
        return following, {"mean": last_frame(following)}
