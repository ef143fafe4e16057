"""Layers in sequence, with block, ratio and delay derived from them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import lcm
from typing import cast

from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, branch, join_state


class Serial(StreamingLayer):
    """Run layers in order; module and state paths are their positions (``0``, ``1``, ...)."""

    def __init__(self, *layers: StreamingLayer) -> None:
        super().__init__()
        for position, layer in enumerate(layers):
            self.add_module(str(position), layer)
        self._derive()

    def __iter__(self) -> Iterator[StreamingLayer]:
        """Iterate over the layers in order."""
        return (cast(StreamingLayer, layer) for layer in self.children())

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self._modules)

    def __getitem__(self, position: int) -> StreamingLayer:
        """Return the layer at ``position``; `IndexError` past the end."""
        return list(self)[position]

    def _derive(self) -> None:
        """Derive block, ratio and delay by following one input frame through the layers."""
        block, ratio, delay = 1, Fraction(1), Fraction(0)
        for layer in self:
            block = lcm(block, (layer.block / ratio).numerator)
            ratio *= layer.ratio
            delay = delay * layer.ratio + layer.delay
        if delay.denominator != 1:
            raise ValueError(
                f"these layers look ahead by {delay} output frames: put a Delay in front that "
                "makes the number whole"
            )
        self.block, self.ratio, self.delay = block, ratio, delay.numerator

    def init_state(self, batch: int) -> State:
        """Return the layers' states under their positions."""
        return join_state(**{str(i): layer.init_state(batch) for i, layer in enumerate(self)})

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Feed ``x`` ``[B, C, 1, T]`` through every layer."""
        self.check_block(x)
        following: dict[str, State] = {}
        for position, layer in enumerate(self):
            name = str(position)
            x, following[name] = layer.step(x, branch(state, name))
        return x, join_state(**following)
