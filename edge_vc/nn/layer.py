"""The streaming contract: a layer is a pure step function with explicit state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Union

from torch import Tensor, nn

State = dict[str, Union[Tensor, "State"]]
"""Nested dict of tensors; flattened names are module paths (``trunk.3.context``)."""


class StreamingLayer(nn.Module, ABC):
    """A causal layer that can run on a whole signal or on one block at a time.

    Signals are ``[B, C, 1, T]``: both board runtimes are fastest with (1, k) convolutions over
    that layout.
    """

    block: int = 1
    """Input frames must come in multiples of this."""
    ratio: Fraction = Fraction(1)
    """Output frames per input frame."""
    delay: int = 0
    """Delay of the output in output frames: output ``t`` belongs to input ``t - delay`` (at
    ratio 1) and depends on no input after ``t``; the layer is causal."""

    @abstractmethod
    def init_state(self, batch: int) -> State:
        """Return the state before the first frame: all zeros, batch dimension first."""

    @abstractmethod
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance by ``x`` ``[B, C, 1, T]``, ``T`` a multiple of `block`; mutate nothing."""

    def forward(self, x: Tensor) -> Tensor:
        """Run the whole signal ``[B, C, 1, T]`` as one step from silence."""
        y, _ = self.step(x, self.init_state(x.shape[0]))
        return y

    def check_block(self, x: Tensor) -> None:
        """Raise `ValueError` unless the number of frames of ``x`` is a multiple of `block`."""
        if x.shape[-1] % self.block:
            raise ValueError(
                f"{type(self).__name__} takes multiples of {self.block} frames, got "
                f"{x.shape[-1]}: pad the input or feed whole blocks"
            )


def leaf(state: State, name: str) -> Tensor:
    """Return the tensor ``name`` of a layer's own state; a `KeyError` lists the known names."""
    value = state.get(name)
    if not isinstance(value, Tensor):
        raise KeyError(f"state has no tensor {name!r}, only {sorted(state)}")
    return value


def branch(state: State, name: str) -> State:
    """Return the state of the child ``name``; empty for a stateless child."""
    value = state.get(name, {})
    if isinstance(value, Tensor):
        raise KeyError(f"state {name!r} is a tensor, a branch was expected")
    return value


def join_state(**children: State) -> State:
    """Nest the children's states under their names, omitting stateless children."""
    return {name: state for name, state in children.items() if state}


def flatten_state(state: State, prefix: str = "") -> dict[str, Tensor]:
    """Flatten nested state to ``{"trunk.3.context": tensor}``, in insertion order."""
    flat: dict[str, Tensor] = {}
    for name, value in state.items():
        if isinstance(value, Tensor):
            flat[prefix + name] = value
        else:
            flat |= flatten_state(value, f"{prefix}{name}.")
    return flat


def unflatten_state(flat: dict[str, Tensor]) -> State:
    """Nest a flat state; the inverse of `flatten_state` (except for empty branches)."""
    state: State = {}
    for path, value in flat.items():
        *parents, name = path.split(".")
        node = state
        for parent in parents:
            child = node.setdefault(parent, {})
            if isinstance(child, Tensor):
                raise ValueError(f"state name {path!r} runs through the tensor {parent!r}")
            node = child
        node[name] = value
    return state
