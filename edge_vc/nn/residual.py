"""A time-aligned skip connection around a layer."""

from __future__ import annotations

from torch import Tensor

from edge_vc.nn.delay import Delay
from edge_vc.nn.layer import State, StreamingLayer, branch, join_state


class Residual(StreamingLayer):
    """Add a layer's input, delayed by the layer's own delay, to its output."""

    def __init__(self, inner: StreamingLayer, channels: int) -> None:
        super().__init__()
        if inner.ratio != 1:
            raise ValueError(
                f"Residual needs a layer of ratio 1, {type(inner).__name__} has {inner.ratio}"
            )
        self.inner = inner
        self.skip = Delay(channels, inner.delay)
        self.block, self.delay = inner.block, inner.delay

    def init_state(self, batch: int) -> State:
        """Return the states of ``inner`` and, if it has look-ahead, of ``skip``."""
        return join_state(inner=self.inner.init_state(batch), skip=self.skip.init_state(batch))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return ``inner(x)`` plus the aligned ``x``, both ``[B, channels, 1, T]``."""
        y, inner = self.inner.step(x, branch(state, "inner"))
        aligned, skip = self.skip.step(x, branch(state, "skip"))
        return y + aligned, join_state(inner=inner, skip=skip)
