"""Denormal floating-point numbers, which a processor handles much more slowly than others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_DENORMAL = 1e-39


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Flush float32 numbers below 1.2e-38 to zero; also usable as a decorator.

    The slopes of saturated activations fall into that range as training goes on; the forward pass
    of a trained voice takes a tenth longer with them on x86 (``docs/benchmarks.md``). The setting
    applies to this thread and to those that it starts, so it belongs around a whole training run.
    Does nothing on processors that do not support it.
    """
    before = bool(torch.tensor(_DENORMAL) * 1.0 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
