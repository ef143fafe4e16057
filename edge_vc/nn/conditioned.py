"""A streaming layer with conditioning inputs beside its signal."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer

Inputs = Mapping[str, Tensor]
"""Conditioning by name: ``[B, size, 1, 1]``, or ``[B, size, 1, F]`` to change from frame to frame
(of the layer's features); a batch of one stands for all."""


class ConditionedLayer(StreamingLayer):
    """A `StreamingLayer` whose step also takes named inputs, which it does not change."""

    inputs: Mapping[str, tuple[float, ...]]
    """Names of the inputs, and the values that a step without them takes."""

    @abstractmethod
    def step(self, x: Tensor, state: State, inputs: Inputs | None = None) -> tuple[Tensor, State]:
        """Advance by ``x``; an input that is not given has its default."""

    def forward(self, x: Tensor, inputs: Inputs | None = None) -> Tensor:
        """Run the whole signal ``[B, C, 1, T]`` as one step from silence."""
        y, _ = self.step(x, self.init_state(x.shape[0]), inputs)
        return y

    def input(self, inputs: Inputs | None, name: str, like: Tensor) -> Tensor:
        """Return an input, or its default, where and of the type that ``like`` is."""
        given = (inputs or {}).get(name)
        if given is not None:
            return given
        default = torch.tensor(self.inputs[name], dtype=like.dtype, device=like.device)
        return default.reshape(1, -1, 1, 1)


def default_inputs(layer: StreamingLayer) -> dict[str, Tensor]:
    """Return a layer's default inputs, ``[1, size, 1, 1]``; none for a layer that takes none."""
    declared = layer.inputs if isinstance(layer, ConditionedLayer) else {}
    return {name: torch.tensor(v).reshape(1, -1, 1, 1) for name, v in declared.items()}
