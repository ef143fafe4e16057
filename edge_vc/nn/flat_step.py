"""A streaming layer as a module with flat tensor arguments, for exporters and quantisers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from edge_vc.nn.conditioned import ConditionedLayer, Inputs, default_inputs
from edge_vc.nn.layer import StreamingLayer, flatten_state, unflatten_state


class TooShortError(ValueError):
    """All recordings are too short for the operation."""


class FlatStep(nn.Module):
    """``(x, *inputs, *states) -> (y, *next states)``, in the order of the names below."""

    def __init__(self, layer: StreamingLayer) -> None:
        super().__init__()
        self.layer = layer
        self.state_names = tuple(flatten_state(layer.init_state(1)))
        self.input_names = tuple(default_inputs(layer))
        """Names of the conditioning inputs; empty for most layers."""

    def init_states(self, batch: int = 1) -> tuple[Tensor, ...]:
        """Return the flat states before the first frame."""
        return tuple(flatten_state(self.layer.init_state(batch)).values())

    def default_inputs(self) -> tuple[Tensor, ...]:
        """Return the conditioning inputs' defaults, ``[1, size, 1, 1]``."""
        return tuple(default_inputs(self.layer).values())

    def forward(self, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Advance by ``x`` ``[B, C, 1, T]``; ``rest`` are the inputs, then the states."""
        count = len(self.input_names)
        inputs, states = rest[:count], rest[count:]
        state = unflatten_state(dict(zip(self.state_names, states, strict=True)))
        if isinstance(self.layer, ConditionedLayer):
            given = dict(zip(self.input_names, inputs, strict=True))
            y, following = self.layer.step(x, state, given)
        else:
            y, following = self.layer.step(x, state)
        flat = flatten_state(following)
        return (y, *(flat[name] for name in self.state_names))


class StreamedSteps:
    """The arguments of every step of a layer that streams through signals, with actual states.

    Iterating runs the layer, starting from silence for each signal. Calibration needs the states
    that speech produces: with zero states instead, 30 dB of signal-to-noise ratio are lost.
    """

    def __init__(
        self,
        step: FlatStep,
        signals: Iterable[Tensor],
        frames: int,
        inputs: Sequence[Inputs] = (),
    ) -> None:
        """Cut ``signals`` (each ``[1, C, 1, T]``) into steps of ``frames`` frames.

        ``inputs`` are constant inputs, ``[1, size, 1, 1]``, for each signal; by default, the
        layer's defaults.
        """
        self.step, self.frames = step, frames
        pairs = zip(signals, inputs or _endless(), strict=False)
        self.signals = [(x, given) for x, given in pairs if x.shape[-1] >= frames]

    def __len__(self) -> int:
        """Return the number of steps."""
        return sum(signal.shape[-1] // self.frames for signal, _ in self.signals)

    @torch.no_grad()
    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield ``(x, *inputs, *states)``."""
        defaults = dict(zip(self.step.input_names, self.step.default_inputs(), strict=True))
        for signal, given in self.signals:
            inputs = tuple(given.get(name, default) for name, default in defaults.items())
            states = self.step.init_states()
            for x in torch.split(signal, self.frames, dim=-1):
                if x.shape[-1] == self.frames:
                    yield (x, *inputs, *states)
                    states = self.step(x, *inputs, *states)[1:]


def _endless() -> Iterator[Inputs]:
    while True:
        yield {}
