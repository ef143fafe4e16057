"""A delay line, and the shift operation used by all layers with a context."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, leaf


def shift_in(line: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Push ``x`` ``[B, C, 1, T]`` through a line ``[B, C, 1, D]``; return output and new line.

    A block as long as the line is exchanged with it, so a one-hop graph copies nothing.
    """
    if int(x.shape[-1]) == int(line.shape[-1]):
        return line, x
    joined = torch.cat([line, x], dim=-1)
    frames = int(x.shape[-1])
    return joined[..., :frames], joined[..., frames:]


class Delay(StreamingLayer):
    """Delay ``[B, channels, 1, T]`` by ``frames`` frames, starting with zeros."""

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__()
        if frames < 0 or channels < 1:
            raise ValueError(
                f"Delay needs frames >= 0 and channels >= 1, got {frames} and {channels}"
            )
        self.channels = channels
        self.delay = frames

    def init_state(self, batch: int) -> State:
        """Return the empty line ``{"line": [B, channels, 1, frames]}``; ``{}`` for no delay."""
        if not self.delay:
            return {}
        return {"line": torch.zeros(batch, self.channels, 1, self.delay)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the last ``frames`` frames of the past followed by the beginning of ``x``."""
        if not self.delay:
            return x, {}
        y, line = shift_in(leaf(state, "line"), x)
        return y, {"line": line}
