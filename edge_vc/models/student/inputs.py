"""A student's conditioning inputs, declared as data that graphs, manifests and options follow.

``pitch``, ``intonation`` and ``breath`` act on the controls of the head and need no training. Every
other input conditions the trunk and the pitch predictor: ``voice``, ``style``, and streams of
anything else that is known about each hop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from edge_vc_runtime.bundle.input_spec import MOST_INPUTS, InputSpec

PITCH = InputSpec(
    "pitch", (1,), -12.0, 12.0, (0.0,), "shift of the pitch, by the frequency of the pulses",
    "semitones",
)  # fmt: skip
INTONATION = InputSpec(
    "intonation", (1,), 0.0, 2.0, (1.0,),
    "range of the pitch around its running mean: 0 monotone, 1 as converted", "times",
)  # fmt: skip
BREATH = InputSpec(
    "breath", (1,), -24.0, 12.0, (0.0,), "gain of the noise in the voice", "dB"
)  # fmt: skip
STYLES = ("pitch_range", "energy_range", "rate")
STYLE = InputSpec(
    "style", (3,), -2.0, 2.0, (0.0, 0.0, 0.0),
    "how the voice speaks, in standard deviations of the target's own sentences", "",
    labels=STYLES,
)  # fmt: skip
HEAD_INPUTS: dict[str, InputSpec] = {spec.name: spec for spec in (PITCH, INTONATION, BREATH)}
"""Inputs that act on the head, by name; they need no weights and work at once."""
STANDARD: dict[str, InputSpec] = HEAD_INPUTS | {"style": STYLE}
"""What a recipe may name; `voice_input` and `stream_input` build inputs with names or sizes."""


def voice_input(voices: Sequence[str]) -> InputSpec:
    """Return the input ``voice``: one of ``voices`` or a blend; the first is the default."""
    first = (1.0,) + (0.0,) * (len(voices) - 1)
    return InputSpec(
        "voice", (len(voices),), 0.0, 1.0, first, "whose voice it is, or shares of several",
        kind="blend", labels=tuple(voices),
    )  # fmt: skip


def stream_input(name: str, size: int, meaning: str, bound: float = 1.0) -> InputSpec:
    """Return an auxiliary stream: ``size`` numbers within ``-bound..bound`` for every hop.

    Zeros, the default, mean that nothing is known.
    """
    return InputSpec(name, (size,), -bound, bound, (0.0,) * size, meaning, kind="stream")


def trunk_inputs(inputs: Sequence[InputSpec]) -> tuple[InputSpec, ...]:
    """Return those of ``inputs`` that condition the trunk, in order."""
    return tuple(spec for spec in inputs if spec.name not in HEAD_INPUTS)


def check_inputs(inputs: Sequence[InputSpec], head: str) -> None:
    """Raise `ValueError` for inputs that a student with this ``head`` cannot have."""
    names = [spec.name for spec in inputs]
    if len(set(names)) != len(names) or len(names) > MOST_INPUTS:
        raise ValueError(f"inputs = {', '.join(names)}: each once, {MOST_INPUTS} at most")
    for spec in inputs:
        if spec.name in HEAD_INPUTS and (head != "source-filter" or spec.size != 1):
            raise ValueError(f"input {spec.name}: is one number for the source-filter head")


def input_from_dict(values: InputSpec | Mapping[str, Any]) -> InputSpec:
    """Build a declaration from plain data, as read from a student's file."""
    if isinstance(values, InputSpec):
        return values
    listed = ("shape", "default", "labels")
    tuples: dict[str, Callable[[Any], Any]] = dict.fromkeys(listed, tuple)
    return InputSpec(**{k: tuples.get(k, lambda v: v)(v) for k, v in values.items()})
