"""Values of an ONNX graph's inputs besides audio and states, as declared in a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.teachers.spec import TeacherError

TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int16)": "int16",
    "tensor(bool)": "bool",
}
"""Element types that a port may have."""
MOST_NUMBERS = 4096
"""Most numbers in one constant."""
_LOWEST_HZ, _HIGHEST_HZ = 50.0, 1100.0
_COARSE = 255

Array = NDArray[np.generic]


@dataclass(frozen=True)
class Port:
    """One input or output of a graph."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    """None for an axis that the file leaves open."""

    def describe(self) -> str:
        """Return name, type and shape in words."""
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} ({self.dtype} [{sizes}])"


@dataclass(frozen=True)
class Frames:
    """Frame-by-frame features of a recording, for the ports that take them."""

    f0: NDArray[np.float32]
    """Hz, 0 where unvoiced, ``[F]``."""
    contents: NDArray[np.float32] | None
    """Frames of a content encoder, ``[F, C]``."""


def _shaped(port: Port, values: Array, frames: int) -> Array:
    shape = [frames if size is None else size for size in port.shape]
    return values.reshape(shape).astype(port.dtype)


def _f0(port: Port, given: Frames) -> Array:
    return _per_frame(port, given.f0)


def _coarse_f0(port: Port, given: Frames) -> Array:
    """Return F0 in 255 mel steps from 50 to 1,100 Hz, 1 where unvoiced, as in RVC's networks."""
    low, high = (1127 * np.log1p(hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    mel = 1127 * np.log1p(given.f0 / 700)
    steps = (mel - low) * (_COARSE - 2) / (high - low) + 1
    coarse = np.where(given.f0 > 0, np.clip(np.rint(steps), 1, _COARSE), 1)
    return _per_frame(port, coarse)


def _frames(port: Port, given: Frames) -> Array:
    return _shaped(port, np.array(len(given.f0)), 1)


def _noise(port: Port, given: Frames) -> Array:
    shape = [len(given.f0) if size is None else size for size in port.shape]
    return np.random.default_rng(0).standard_normal(shape).astype(port.dtype)


def _contents(port: Port, given: Frames) -> Array:
    if given.contents is None:
        raise TeacherError(
            f'port {port.name} is "contents": set teacher.contents to the ONNX file of the encoder'
        )
    turned = len(port.shape) == 3 and port.shape[1] == given.contents.shape[1]
    values = given.contents.T if turned and port.shape[2] is None else given.contents
    return values[None].astype(port.dtype) if len(port.shape) == 3 else values.astype(port.dtype)


def _per_frame(port: Port, values: Array) -> Array:
    return _shaped(port, np.asarray(values), len(values))


ROLES: dict[str, Callable[[Port, Frames], Array]] = {
    "f0": _f0,
    "coarse-f0": _coarse_f0,
    "frames": _frames,
    "noise": _noise,
    "contents": _contents,
}
"""Words that a port can be given instead of numbers."""


@dataclass(frozen=True)
class Given:
    """One declared port: constant numbers or a role."""

    port: Port
    role: str = ""
    numbers: tuple[float, ...] = ()

    def value(self, frames: Frames | None) -> Array:
        """Return the value for the port; open axes of constants have length 1."""
        if self.role:
            if frames is None:
                raise TeacherError(f"port {self.port.name} = {self.role} needs an offline graph")
            return ROLES[self.role](self.port, frames)
        shape = [1 if size is None else size for size in self.port.shape]
        if len(self.numbers) == 1:
            return np.full(shape, self.numbers[0]).astype(self.port.dtype)
        return np.array(self.numbers).reshape(shape).astype(self.port.dtype)


def declared_ports(text: str, ports: Mapping[str, Port]) -> tuple[Given, ...]:
    """Read ``name = 3, name = f0, ...``; raises `TeacherError` with the port and how to write it.

    A constant is one number, which fills the port, or one per element, separated by spaces.
    """
    found = []
    for words in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (word.strip() for word in words.partition("="))
        if not (name and equals and value):
            raise TeacherError(f'teacher.inputs = "{text}": write "name = 3, other = f0"')
        if name not in ports:
            raise TeacherError(f"teacher.inputs has {name}; inputs are {', '.join(ports)}")
        found.append(_declared(ports[name], value))
    return tuple(found)


def _declared(port: Port, value: str) -> Given:
    if value in ROLES:
        return Given(port, role=value)
    try:
        numbers = tuple(float(word) for word in value.split())
    except ValueError:
        raise TeacherError(
            f'teacher.inputs: {port.name} = "{value[:40]}" is neither numbers nor one of '
            f"{', '.join(ROLES)}"
        ) from None
    size = int(np.prod([1 if size is None else size for size in port.shape], dtype=np.int64))
    if len(numbers) not in (1, size) or len(numbers) > MOST_NUMBERS or size > 2**26:
        raise TeacherError(f"teacher.inputs: {port.describe()} takes 1 or {size} numbers")
    if not np.isfinite(numbers).all():
        raise TeacherError(f"teacher.inputs: {port.name} = {value[:40]} is not finite")
    return Given(port, numbers=numbers)
