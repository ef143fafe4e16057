"""Which tensors of an ONNX graph are audio, which are states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from edge_vc.teachers.spec import TeacherError

TYPES = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(int32)": "int32"}
"""Element types that a state may have."""
MAX_STATE = 2**26
"""Largest state, in elements."""


@dataclass(frozen=True)
class State:
    """One tensor that is carried from run to run."""

    name: str
    next_name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class IoSignature:
    """The graph's interface."""

    audio: str
    answer: str
    shape: tuple[int, ...]
    """Of the audio, ``(1, ..., -1)``."""
    length: int
    """Samples that it takes per run, 0 for any."""
    states: tuple[State, ...]


def read_io_signature(path: Path, session: ort.InferenceSession, states: str) -> IoSignature:
    """Tell audio from states; ``states`` is ``in=next, ...``, or empty for ``state.X=next.X``.

    Raises `TeacherError` with the names where that is not possible.
    """
    inputs = {node.name: node for node in session.get_inputs()}
    outputs = {node.name: node for node in session.get_outputs()}
    pairs = _given_pairs(states) if states else _named_pairs(inputs, outputs)
    for name, following in pairs.items():
        if name not in inputs or following not in outputs:
            raise TeacherError(
                f"{path}: teacher.states has {name}={following}; inputs are {', '.join(inputs)}, "
                f"outputs {', '.join(outputs)}"
            )
    audio = [name for name in inputs if name not in pairs]
    answers = [name for name in outputs if name not in pairs.values()]
    if len(audio) != 1 or not answers:
        raise TeacherError(
            f"{path}: one input of audio is needed besides states, there are "
            f'{", ".join(audio) or "none"}; list states as teacher.states = "in=next, ..."'
        )
    shape, length = _audio_shape(path, inputs[audio[0]])
    carried = tuple(_state(path, inputs[name], following) for name, following in pairs.items())
    return IoSignature(audio[0], answers[0], shape, length, carried)


def _given_pairs(states: str) -> dict[str, str]:
    pairs = {}
    for words in states.split(","):
        name, equals, following = (word.strip() for word in words.partition("="))
        if not (name and equals and following):
            raise TeacherError(f'teacher.states = "{states}": write in=next, in2=next2')
        pairs[name] = following
    return pairs


def _named_pairs(inputs: dict[str, object], outputs: dict[str, object]) -> dict[str, str]:
    names = [name for name in inputs if name.startswith("state.")]
    pairs = {name: f"next.{name.removeprefix('state.')}" for name in names}
    return {name: following for name, following in pairs.items() if following in outputs}


def _audio_shape(path: Path, node: ort.NodeArg) -> tuple[tuple[int, ...], int]:
    sizes = list(node.shape)
    leading = [size for size in sizes[:-1] if isinstance(size, int) and size != 1]
    if node.type != "tensor(float)" or not 1 <= len(sizes) <= 4 or leading:
        raise TeacherError(
            f"{path}: input {node.name} is {node.type} {sizes}; float [T], [1, T] or [1, 1, T] "
            "is needed"
        )
    length = sizes[-1] if isinstance(sizes[-1], int) else 0
    return (1,) * (len(sizes) - 1) + (-1,), length


def _state(path: Path, node: ort.NodeArg, following: str) -> State:
    shape = tuple(node.shape)
    fixed = all(isinstance(size, int) and size >= 0 for size in shape)
    if node.type not in TYPES or not fixed or math.prod(shape) > MAX_STATE:
        raise TeacherError(
            f"{path}: state {node.name} is {node.type} {list(shape)}; a number of fixed shape "
            f"and at most {MAX_STATE} elements is needed"
        )
    return State(node.name, following, shape, TYPES[node.type])
