"""Classifies the tensors of an ONNX graph: audio, states, and inputs declared otherwise."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_vc.teachers.ports import TYPES, Given, Port, declared_ports
from edge_vc.teachers.spec import TeacherError
from edge_vc_runtime.engines.onnx_engine.library import ort

AUDIO = ("float32", "float16", "float64", "int16")
"""Element types that audio may have; 16-bit audio is scaled."""
MAX_STATE = 2**26
"""Largest state, in elements."""
_RATE_WORDS = {"sr", "fs", "rate", "samplerate", "hz"}
_SPEAKER_WORDS = {"sid", "ds", "spk", "speaker", "id", "g"}
"""Names of speaker numbers in exported graphs; each has a speaker 0."""


@dataclass(frozen=True)
class State:
    """One tensor that is carried from run to run; open axes have length 1."""

    name: str
    next_name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class IoSignature:
    """The graph's interface."""

    audio: str
    """Empty if the graph takes only contents and F0."""
    output: str
    shape: tuple[int, ...]
    """Shape of the audio, ``(1, ..., -1)``."""
    dtype: str
    """Element type of the audio."""
    length: int
    """Samples of input per run, 0 for any number."""
    output_length: int
    """Samples of output per run, 0 for any number."""
    states: tuple[State, ...]
    given: tuple[Given, ...] = ()
    """Values of the other inputs."""
    channels: int = 1
    """Channels of the output ``[1, channels, T]``; 1 if the file does not say."""


def read_io_signature(
    path: Path,
    session: ort.InferenceSession,
    states: str,
    inputs: str = "",
    output: str = "",
    rate: int = 16_000,
) -> IoSignature:
    """Distinguish audio from states and from declared ports.

    ``states`` is ``in=next, ...``, or empty for ``state.X=next.X``; ``inputs`` is as in
    `declared_ports`; ``output`` is the name of the output that is audio, or empty for the first
    that may be. ``rate`` in Hz is suggested for an input that takes one. Raises `TeacherError`
    with the port, its type and shape, and how to declare it.
    """
    ins, outs = (
        {node.name: _port(path, node) for node in side}
        for side in (session.get_inputs(), session.get_outputs())
    )
    pairs = _given_pairs(states) if states else _named_pairs(ins, outs)
    for name, following in pairs.items():
        if name not in ins or following not in outs:
            raise TeacherError(
                f"{path}: teacher.states has {name}={following}; inputs are {', '.join(ins)}, "
                f"outputs {', '.join(outs)}"
            )
    try:
        given = declared_ports(inputs, ins)
    except TeacherError as error:
        raise TeacherError(f"{path}: {error}") from error
    declared = {entry.port.name for entry in given}
    free = [port for name, port in ins.items() if name not in pairs and name not in declared]
    audio = _audio(path, free, outs, given, rate)
    carried = tuple(_state(path, ins[name], following) for name, following in pairs.items())
    heard = audio or Port("", "float32", (None,))
    spoken = _output(path, output, outs, set(pairs.values()), heard)
    return IoSignature(
        heard.name,
        spoken.name,
        (1,) * (len(heard.shape) - 1) + (-1,),
        heard.dtype,
        heard.shape[-1] or 0,
        (spoken.shape[-1] or 0) if spoken.shape else 0,
        carried,
        given,
        _channels(spoken.shape),
    )


def _channels(shape: tuple[int | None, ...]) -> int:
    """Return the channels of an output that is declared as ``[1, channels, T]``."""
    if len(shape) < 2 or shape[-1] == 1 or any(size not in (1, None) for size in shape[:-2]):
        return 1
    return shape[-2] or 1


def _port(path: Path, node: ort.NodeArg) -> Port:
    if node.type not in TYPES:
        raise TeacherError(
            f"{path}: port {node.name} is {node.type[:60]}; numbers are needed ({', '.join(TYPES)})"
        )
    sizes = (size if isinstance(size, int) and size >= 0 else None for size in node.shape)
    return Port(node.name, TYPES[node.type], tuple(sizes))


def _given_pairs(states: str) -> dict[str, str]:
    pairs = {}
    for words in states.split(","):
        name, equals, following = (word.strip() for word in words.partition("="))
        if not (name and equals and following):
            raise TeacherError(f'teacher.states = "{states}": write in=next, in2=next2')
        pairs[name] = following
    return pairs


def _named_pairs(inputs: Mapping[str, Port], outputs: Mapping[str, Port]) -> dict[str, str]:
    names = [name for name in inputs if name.startswith("state.")]
    pairs = {name: f"next.{name.removeprefix('state.')}" for name in names}
    return {name: following for name, following in pairs.items() if following in outputs}


def _audio(
    path: Path, free: list[Port], outputs: Mapping[str, Port], given: tuple[Given, ...], rate: int
) -> Port | None:
    """Return the one port left for audio; None if contents and F0 take its place."""
    if not free and any(entry.role == "contents" for entry in given):
        return None
    if len(free) != 1:
        heard = next((port for port in free if _may_be_audio(port)), None)
        others = "; ".join(_advice(port, outputs, rate) for port in free if port is not heard)
        names = ", ".join(port.name for port in free) or "none"
        raise TeacherError(
            f"{path}: one input of audio is needed besides states and declared inputs, there are "
            f"{names}. Declare the others: {others or 'leave one out of teacher.inputs'}"
        )
    port = free[0]
    if not _is_mono(port):
        raise TeacherError(
            f"{path}: input {port.describe()} is not audio; float [T], [1, T] or [1, 1, T] is "
            f"needed. If it is something else: {_advice(port, outputs, rate)}"
        )
    return port


def _is_mono(port: Port) -> bool:
    """Whether a port has one axis of samples and an audio element type."""
    leading = [size for size in port.shape[:-1] if size not in (None, 1)]
    return port.dtype in AUDIO and 1 <= len(port.shape) <= 4 and not leading


def _may_be_audio(port: Port) -> bool:
    """Whether a port looks like audio: neither F0, nor vectors, nor a single number."""
    vectors = len(port.shape) > 2 and port.shape[-2] is None
    named = any(word in port.name.lower() for word in ("pitch", "f0"))
    return _is_mono(port) and not vectors and not named and port.shape[-1] != 1


def _constant(port: Port, rate: int) -> str:
    """Return what a single number may be: the audio's rate, a speaker, or something unknown.

    ``NUMBER`` is refused if it is not replaced.
    """
    words = set(re.findall(r"[a-z]+", port.name.lower()))
    if words & _RATE_WORDS:
        return str(rate)
    return "0" if words & _SPEAKER_WORDS and "int" in port.dtype else "NUMBER"


def _advice(port: Port, outputs: Mapping[str, Port], rate: int) -> str:
    """Return how a port that is not audio could be declared, judging by name, type and shape."""
    twin = next(
        (o.name for o in outputs.values() if (o.dtype, o.shape) == (port.dtype, port.shape)), ""
    )
    size = math.prod(1 if size is None else size for size in port.shape)
    role = _constant(port, rate)
    if (port.shape and port.shape[-1] is None) or size > 1:
        name = port.name.lower()
        integers = port.dtype.startswith("int")
        guesses = (
            ("contents", len(port.shape) == 3 and size >= 64 and "rnd" not in name),
            ("noise", len(port.shape) == 3),
            ("coarse-f0", integers),
            ("f0", True),
        )
        role = next(guess for guess, fits in guesses if fits)
    if twin and size > 1 and port.shape[-1] is not None:
        return f'{port.describe()}: teacher.states = "{port.name}={twin}"'
    if "length" in port.name.lower():
        role = "frames"
    return f'{port.describe()}: teacher.inputs = "{port.name} = {role}"'


def _output(
    path: Path, wanted: str, outputs: Mapping[str, Port], following: set[str], audio: Port
) -> Port:
    """Return the output that is audio: the requested one, or the first as long as the input."""
    free = {name: port for name, port in outputs.items() if name not in following}
    if wanted:
        if wanted not in free:
            raise TeacherError(
                f'{path}: teacher.output = "{wanted}"; outputs are {", ".join(free) or "none"}'
            )
        return free[wanted]
    if not free:
        raise TeacherError(f"{path}: no output is left for audio besides states")
    last = audio.shape[-1]
    likely = [port for port in free.values() if port.shape and port.shape[-1] not in (0, 1)]
    same = [port for port in likely if port.shape[-1] == last]
    return (same or likely or list(free.values()))[0]


def _state(path: Path, port: Port, following: str) -> State:
    shape = tuple(1 if size is None else size for size in port.shape)
    if math.prod(shape) > MAX_STATE:
        raise TeacherError(
            f"{path}: state {port.describe()}: a number of at most {MAX_STATE} elements is needed"
        )
    return State(port.name, following, shape, port.dtype)
