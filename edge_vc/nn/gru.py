"""Gated recurrent unit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.scan import last_frame


class GRU(StreamingLayer):
    """One recurrent layer ``[B, in, 1, T] -> [B, hidden, 1, T]`` (Cho et al., 2014)."""

    def __init__(self, in_channels: int, hidden: int) -> None:
        super().__init__()
        if in_channels < 1 or hidden < 1:
            raise ValueError(f"GRU needs channels >= 1, got {in_channels} and {hidden}")
        self.gru = nn.GRU(in_channels, hidden)

    def init_state(self, batch: int) -> State:
        """Return ``{"hidden": [B, hidden, 1, 1]}``."""
        return {"hidden": torch.zeros(batch, self.gru.hidden_size, 1, 1)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over the frames of ``x``, starting from the stored hidden vector."""
        kept, size = leaf(state, "hidden"), self.gru.hidden_size
        batch, frames = int(x.shape[0]), int(x.shape[-1])
        hidden = kept.reshape(1, batch, size)
        # A single frame, as in a board's graph, needs no transposition.
        one = frames == 1
        turned = x.reshape(1, batch, -1) if one else x.squeeze(2).permute(2, 0, 1)
        y, _ = self.gru(turned, hidden)
        y = y.reshape(batch, size, 1, 1) if one else y.permute(1, 2, 0).unsqueeze(2)
        return y, {"hidden": last_frame(y)}
