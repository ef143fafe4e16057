"""Unstructured magnitude pruning: weights that are set to zero and stay zero.

Dense kernels multiply by zero as fast as by any value, and a zero takes as many bytes: this is an
option for sparse engines and for comparison; it makes a student neither smaller nor faster.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


class Mask(nn.Module):
    """Multiply a weight by a fixed pattern of ones and zeros."""

    pattern: Tensor

    def __init__(self, pattern: Tensor) -> None:
        super().__init__()
        self.register_buffer("pattern", pattern)

    def forward(self, weight: Tensor) -> Tensor:
        """Return the masked weight; masked entries get no gradient."""
        return weight * self.pattern


@torch.no_grad()
def zero_smallest(layer: nn.Module, sparsity: float) -> None:
    """Set the share ``sparsity`` of ``layer``'s convolution weights to zero, smallest first.

    One threshold for all convolutions (Han et al. 2015), relative to the weights of each.
    """
    weights = [conv.weight for conv in _convs(layer)]
    relative = torch.cat([(w.abs() / w.square().mean().sqrt()).flatten() for w in weights])
    count = int(sparsity * relative.numel())
    if not count:
        return
    threshold = relative.kthvalue(count).values
    for weight in weights:
        weight.mul_(weight.abs() / weight.square().mean().sqrt() > threshold)


def hold_zeros(layer: nn.Module) -> None:
    """Keep all zero convolution weights at zero while ``layer`` is trained."""
    for conv in _convs(layer):
        parametrize.register_parametrization(conv, "weight", Mask((conv.weight != 0).float()))


def release_zeros(layer: nn.Module) -> None:
    """Undo `hold_zeros`; the weights keep their values."""
    for conv in _convs(layer):
        if parametrize.is_parametrized(conv, "weight"):
            parametrize.remove_parametrizations(conv, "weight")


def sparsity_of(layer: nn.Module) -> float:
    """Return the share of ``layer``'s convolution weights that are zero."""
    weights = [conv.weight for conv in _convs(layer)]
    zeros = sum(int((weight == 0).sum()) for weight in weights)
    return zeros / sum(weight.numel() for weight in weights)


def _convs(layer: nn.Module) -> list[nn.Conv2d]:
    return [module for module in layer.modules() if isinstance(module, nn.Conv2d)]
