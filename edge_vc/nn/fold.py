"""Fold batch norm into the preceding convolution: the same function with one operation less."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


@torch.no_grad()
def fold_batch_norms(layer: nn.Module, pairs: Iterable[tuple[str, str]]) -> None:
    """Fold each (convolution, batch norm) of ``pairs``, module paths in ``layer``, in place.

    The batch norm is replaced by `nn.Identity`; running statistics are used, as in ``eval`` mode.
    """
    for conv_path, norm_path in pairs:
        conv, norm = layer.get_submodule(conv_path), layer.get_submodule(norm_path)
        if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
            raise TypeError(
                f"cannot fold {norm_path} ({type(norm).__name__}) into {conv_path} "
                f"({type(conv).__name__}): a BatchNorm2d after a Conv2d is needed"
            )
        if norm.running_mean is None or norm.running_var is None:
            raise TypeError(f"{norm_path} keeps no running statistics to fold")
        conv.weight, bias = fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps,
            norm.weight, norm.bias,
        )  # fmt: skip
        conv.bias = bias
        replace_module(layer, norm_path, nn.Identity())


def replace_module(layer: nn.Module, path: str, module: nn.Module) -> None:
    """Put ``module`` at ``path`` inside ``layer``."""
    parent, _, name = path.rpartition(".")
    layer.get_submodule(parent).add_module(name, module)
