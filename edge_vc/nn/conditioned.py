"""Streaming layers with conditioning inputs besides the signal."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer

Inputs = Mapping[str, Tensor]
"""Conditioning by name: ``[B, size, 1, 1]``, or ``[B, size, 1, F]`` to vary by feature frame;
a batch of one is broadcast."""


class ConditionedLayer(StreamingLayer):
    """A `StreamingLayer` whose step also takes named inputs, which it does not modify."""

    inputs: Mapping[str, tuple[float, ...]]
    """Names and default values of the inputs."""

    @abstractmethod
    def step(self, x: Tensor, state: State, inputs: Inputs | None = None) -> tuple[Tensor, State]:
        """Advance by ``x``; inputs that are not given have their default values."""

    def forward(self, x: Tensor, inputs: Inputs | None = None) -> Tensor:
        """Run the whole signal ``[B, C, 1, T]`` as one step from silence."""
        y, _ = self.step(x, self.init_state(x.shape[0]), inputs)
        return y

    def input(self, inputs: Inputs | None, name: str, like: Tensor) -> Tensor:
        """Return an input, or its default, on the device and with the dtype of ``like``."""
        given = (inputs or {}).get(name)
        if given is not None:
            return given
        default = torch.tensor(self.inputs[name], dtype=like.dtype, device=like.device)
        return default.reshape(1, -1, 1, 1)


def default_inputs(layer: StreamingLayer) -> dict[str, Tensor]:
    """Return a layer's default inputs, ``[1, size, 1, 1]``; empty for a layer without inputs."""
    declared = layer.inputs if isinstance(layer, ConditionedLayer) else {}
    return {name: torch.tensor(v).reshape(1, -1, 1, 1) for name, v in declared.items()}
