"""Gated recurrent unit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_vc.nn.layer import State, StreamingLayer, leaf


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
        """Run over the frames of ``x`` from the kept hidden vector."""
        hidden = leaf(state, "hidden").permute(2, 0, 1, 3).squeeze(3)
        y, hidden = self.gru(x.squeeze(2).permute(2, 0, 1), hidden)
        return y.permute(1, 2, 0).unsqueeze(2), {"hidden": hidden.permute(1, 2, 0).unsqueeze(2)}
