"""A mean that follows a value over its weighted frames."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.scan import last_frame


class FollowingMean(StreamingLayer):
    """A value and its weight within 0..1, ``[B, 2, 1, F]``, to their mean so far ``[B, 1, 1, F]``.

    Exponentially forgetting: a frame of weight one moves the mean by ``1 / memory_frames`` of the
    way. It starts at zero, so give deviations from what is expected.
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
        """Follow the frames of ``x``; each belongs to the mean that is returned for it."""
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
