"""Recurrence and attention against plain references."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from edge_vc.nn import GRU, WindowedAttention


def test_gru_is_torch_s() -> None:
    layer, x = GRU(3, 5), torch.randn(2, 3, 1, 9)
    expected, _ = layer.gru(x[:, :, 0].permute(2, 0, 1))
    torch.testing.assert_close(layer(x)[:, :, 0].permute(2, 0, 1), expected)


@pytest.mark.parametrize(("inputs", "hidden"), [(0, 4), (4, 0)])
def test_a_gru_needs_channels(inputs: int, hidden: int) -> None:
    with pytest.raises(ValueError, match=f"got {inputs} and {hidden}"):
        GRU(inputs, hidden)


def test_attention_equals_masked_attention_over_everything() -> None:
    channels, heads, window, frames = 8, 2, 4, 10
    layer = WindowedAttention(channels, heads, window)
    torch.nn.init.normal_(layer.position)
    x = torch.randn(2, channels, 1, frames)
    silence = torch.zeros(2, 2 * channels, 1, window - 1)  # keys and values before the first
    query, rest = layer.project(x).split([channels, 2 * channels], dim=1)
    key, value = torch.cat([silence, rest], dim=-1).chunk(2, dim=1)
    split = [
        t.reshape(2, heads, channels // heads, -1).transpose(2, 3) for t in (query, key, value)
    ]
    back = torch.arange(frames)[:, None] + window - 1 - torch.arange(frames + window - 1)
    seen = (back >= 0) & (back < window)
    bias = layer.position[:, :, (window - 1 - back).clamp(0, window - 1), 0]
    bias = bias.masked_fill(~seen, float("-inf"))
    mixed = functional.scaled_dot_product_attention(*split, attn_mask=bias)
    expected = layer.out(mixed.transpose(2, 3).reshape(2, channels, 1, frames))
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)


def test_attention_forgets_past_its_window() -> None:
    layer = WindowedAttention(8, 2, 4)
    x = torch.randn(1, 8, 1, 12)
    other = x.clone()
    other[..., :5] = torch.randn(1, 8, 1, 5)
    assert not torch.allclose(layer(x)[..., 7], layer(other)[..., 7])
    torch.testing.assert_close(layer(x)[..., 8:], layer(other)[..., 8:])


@pytest.mark.parametrize(("channels", "heads", "window"), [(8, 3, 4), (8, 2, 1), (8, 0, 4)])
def test_impossible_attention_is_refused(channels: int, heads: int, window: int) -> None:
    with pytest.raises(ValueError, match="must be a multiple of heads"):
        WindowedAttention(channels, heads, window)
