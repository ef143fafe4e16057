"""Convert between audio in time and audio in channels, with one hop's samples per frame."""

from __future__ import annotations

import torch
from torch import Tensor


def to_audio(frames: Tensor) -> Tensor:
    """Reshape ``[B, size, 1, frames]`` to ``[B, 1, 1, frames * size]``."""
    size, count = int(frames.shape[1]), int(frames.shape[-1])
    if count == 1:  # the transpose would be one more node in a one-hop graph
        return frames.reshape(-1, 1, 1, size)
    return frames.transpose(1, 3).reshape(-1, 1, 1, count * size)


def windows(line: Tensor, size: int, hop: int) -> Tensor:
    """Cut ``[B, 1, 1, size + (F - 1) * hop]`` into overlapping windows ``[B, size, 1, F]``."""
    if int(line.shape[-1]) == size:
        return line.reshape(-1, size, 1, 1)
    # The ONNX exporter misinterprets a negative dimension.
    return line.unfold(3, size, hop).transpose(1, 4).squeeze(4)


def hops(frames: Tensor, count: int) -> tuple[Tensor, ...]:
    """Cut windows ``[B, count * hop, 1, F]`` into ``count`` hops, each ``[B, 1, 1, F * hop]``."""
    size = int(frames.shape[1]) // count
    if int(frames.shape[-1]) == 1:
        return torch.split(frames.reshape(-1, count, 1, size), 1, dim=1)
    return tuple(to_audio(part) for part in torch.split(frames, size, dim=1))
