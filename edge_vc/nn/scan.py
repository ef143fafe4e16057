"""Prefix scans along time in a logarithmic number of steps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Combine = Callable[[Tensor, Tensor, int], Tensor]
"""``combine(earlier, later, distance)``: associative; ``distance`` in frames."""


def scan(start: Tensor, x: Tensor, combine: Combine) -> Tensor:
    """Combine each frame of ``x`` ``[..., T]`` with all before it, back to ``start`` ``[..., 1]``.

    Hillis and Steele's scan (1986). A single frame takes a single ``combine``, so a one-hop
    graph contains nothing else of it.
    """
    if int(x.shape[-1]) == 1:
        return combine(start, x, 1)
    y, distance = torch.cat([start, x], dim=-1), 1
    while distance < int(y.shape[-1]):
        later = combine(y[..., :-distance], y[..., distance:], distance)
        y = torch.cat([y[..., :distance], later], dim=-1)
        distance *= 2
    return y[..., 1:]


def last_frame(x: Tensor) -> Tensor:
    """Return the last frame ``[..., 1]`` of ``x`` ``[..., T]``, without slicing a single one."""
    return x if int(x.shape[-1]) == 1 else x[..., -1:]
