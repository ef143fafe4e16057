"""Numbers too small to be normal, over which a processor takes much longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_DENORMAL = 1e-39


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Compute with zero in place of float32 numbers below 1.2e-38; also as a decorator.

    The slopes of saturated activations fall there as a training goes on; a trained voice's pass
    takes a tenth longer with them on x86 (``docs/benchmarks.md``). Holds for this thread and for
    those that it starts, so it belongs around the whole of a training. Does nothing where the
    processor cannot.
    """
    before = bool(torch.tensor(_DENORMAL) * 1.0 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
