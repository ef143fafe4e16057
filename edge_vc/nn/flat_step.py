"""A streaming layer as a module of plain tensors, for exporters and quantisers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from edge_vc.nn.layer import StreamingLayer, flatten_state, unflatten_state


class TooShortError(ValueError):
    """Recordings that are all too short for what is to be done with them."""


class FlatStep(nn.Module):
    """``(x, *states) -> (y, *next states)``, both in the order of `state_names`."""

    def __init__(self, layer: StreamingLayer) -> None:
        super().__init__()
        self.layer = layer
        self.state_names = tuple(flatten_state(layer.init_state(1)))

    def init_states(self, batch: int = 1) -> tuple[Tensor, ...]:
        """Return the flat states before the first frame."""
        return tuple(flatten_state(self.layer.init_state(batch)).values())

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Advance by ``x`` ``[B, C, 1, T]``."""
        state = unflatten_state(dict(zip(self.state_names, states, strict=True)))
        y, following = self.layer.step(x, state)
        flat = flatten_state(following)
        return (y, *(flat[name] for name in self.state_names))


class StreamedSteps:
    """The inputs of every step while a layer streams through signals, states as they then are.

    Iterating runs the layer, each time from silence at the start of each signal. States full of
    what speech leaves in them are what makes calibration true: with zeros instead, 30 dB of
    signal-to-noise ratio are lost.
    """

    def __init__(self, step: FlatStep, signals: Iterable[Tensor], frames: int) -> None:
        """Cut ``signals`` (each ``[1, C, 1, T]``) into steps of ``frames`` frames."""
        self.step, self.frames = step, frames
        self.signals = [signal for signal in signals if signal.shape[-1] >= frames]

    def __len__(self) -> int:
        """Return the number of steps."""
        return sum(signal.shape[-1] // self.frames for signal in self.signals)

    @torch.no_grad()
    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield ``(x, *states)``."""
        for signal in self.signals:
            states = self.step.init_states()
            for x in torch.split(signal, self.frames, dim=-1):
                if x.shape[-1] == self.frames:
                    yield (x, *states)
                    states = self.step(x, *states)[1:]
