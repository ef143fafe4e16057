"""The teacher's building blocks: ConvNeXt and attention over frames ``[B, T, C]``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

QUERIES = 1000
"""Frames for which attention is computed at once in long recordings."""


class ConvNeXt(nn.Module):
    """Depthwise convolution and a pointwise MLP with a residual; ``[B, T, C]``."""

    def __init__(self, channels: int, expansion: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, expansion * channels)
        self.contract = nn.Linear(expansion * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, T, C]`` to the same shape."""
        y = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        y = self.contract(nn.functional.gelu(self.expand(self.norm(y))))
        total: Tensor = x + self.scale * y
        return total


class Attention(nn.Module):
    """Self-attention within ``reach`` frames, scores falling with distance; ``[B, T, C]``."""

    def __init__(self, channels: int, heads: int, reach: int) -> None:
        super().__init__()
        self.heads, self.reach = heads, reach
        self.norm = nn.LayerNorm(channels)
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.2))

    def _bias(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return ``[heads, queries, keys]`` for positions in frames."""
        distance = (queries[:, None] - keys[None]).abs().float()
        slopes = 0.5 ** torch.arange(2, 2 + 2 * self.heads, 2, device=queries.device)
        bias = -slopes[:, None, None] * distance
        return bias.masked_fill(distance > self.reach, float("-inf"))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, T, C]`` to the same shape; memory grows linearly with ``T``."""
        batch, frames, channels = x.shape
        packed = self.query_key_value(self.norm(x))
        packed = packed.view(batch, frames, 3, self.heads, channels // self.heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        places = torch.arange(frames, device=x.device)
        parts = []
        for start in range(0, frames, QUERIES):
            asked = slice(start, start + QUERIES)
            near = slice(max(0, start - self.reach), start + QUERIES + self.reach)
            bias = self._bias(places[asked], places[near]).to(query.dtype)
            parts.append(
                nn.functional.scaled_dot_product_attention(
                    query[:, :, asked], key[:, :, near], value[:, :, near], attn_mask=bias
                )
            )
        seen = torch.cat(parts, 2)
        total: Tensor = x + self.scale * self.project(seen.transpose(1, 2).reshape(x.shape))
        return total
