"""Causal self-attention over a finite window."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_vc.nn.layer import State, StreamingLayer, leaf


class WindowedAttention(StreamingLayer):
    """Multi-head attention ``[B, C, 1, T] -> [B, C, 1, T]`` to the last ``window`` frames.

    Vaswani et al. (2017), with one learned bias per head and distance (Raffel et al., 2020)
    for the relative position. Frames before the first have zero keys and values, like the
    padding of a convolution.
    """

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        if heads < 1 or channels % heads or window < 2:
            raise ValueError(
                f"channels {channels} must be a multiple of heads {heads}, and window {window} "
                "at least 2"
            )
        self.channels, self.heads, self.window = channels, heads, window
        self.project = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        self.position = nn.Parameter(torch.zeros(1, heads, window, 1))

    def init_state(self, batch: int) -> State:
        """Return ``{"keys": ..., "values": ...}``, each ``[B, C, 1, window - 1]``."""
        shape = (batch, self.channels, 1, self.window - 1)
        return {"keys": torch.zeros(shape), "values": torch.zeros(shape)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Attend from every frame of ``x`` to itself and the ``window - 1`` frames before it."""
        # split, not chunk: a graph would compute the size of a chunk in every run
        query, key, value = torch.split(self.project(x), self.channels, dim=1)
        keys = torch.cat([leaf(state, "keys"), key], dim=-1)
        values = torch.cat([leaf(state, "values"), value], dim=-1)
        width = self.channels // self.heads
        query = query.reshape(-1, self.heads, width, 1, int(x.shape[-1]))
        scores = (query * self._windows(keys)).sum(dim=2) * width**-0.5 + self.position
        weights = scores.softmax(dim=2).unsqueeze(2)
        mixed = (weights * self._windows(values)).sum(dim=3)
        y: Tensor = self.out(mixed.reshape(-1, self.channels, 1, int(x.shape[-1])))
        return y, {"keys": keys[..., 1 - self.window :], "values": values[..., 1 - self.window :]}

    def _windows(self, line: Tensor) -> Tensor:
        """Cut ``[B, C, 1, window - 1 + T]`` into ``[B, heads, C / heads, window, T]``."""
        width = self.channels // self.heads
        if int(line.shape[-1]) == self.window:
            return line.reshape(-1, self.heads, width, self.window, 1)
        cut = line.unfold(-1, self.window, 1).squeeze(2).transpose(2, 3)
        return cut.reshape(-1, self.heads, width, self.window, int(cut.shape[-1]))
