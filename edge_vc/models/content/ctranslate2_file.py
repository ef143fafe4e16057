"""Reads the tensors of a CTranslate2 model file without trusting the sizes that it states.

Version 6 of the format: a header, variables (name, shape, type, bytes) and aliases. Strings have a
16-bit length and as many bytes, the last of which is zero; all numbers are little-endian.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc.models.content.encoder import ContentError

VERSION = 6
LONGEST_NAME = 512
MOST_VARIABLES = 4096
HIGHEST_RANK = 4
TYPES: dict[int, np.dtype[Any]] = {
    0: np.dtype("<f4"),
    1: np.dtype("i1"),
    2: np.dtype("<i2"),
    3: np.dtype("<i4"),
    4: np.dtype("<f2"),
}
"""Element types by their number in the file."""


@dataclass
class _Cursor:
    """Takes bytes from the front; raises `ContentError` if fewer are left than requested."""

    data: memoryview
    place: int = 0

    def take(self, count: int) -> memoryview:
        if count > len(self.data) - self.place:
            raise ContentError(
                f"model file: {count} bytes wanted at {self.place} of {len(self.data)}; "
                "it is cut short or no CTranslate2 file"
            )
        self.place += count
        return self.data[self.place - count : self.place]

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def text(self) -> str:
        length = self.number("<H")
        if not 1 <= length <= LONGEST_NAME:
            raise ContentError(
                f"model file: a name of {length} bytes; allowed are 1 to {LONGEST_NAME}"
            )
        raw = bytes(self.take(length))
        try:
            return raw[:-1].decode("ascii")
        except UnicodeDecodeError as error:
            raise ContentError(f"model file: a name that is no ASCII: {raw[:40]!r}") from error


def read_tensors(data: bytes, spec: str, prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return the variables of ``data`` whose names begin with ``prefix``, including aliases.

    They are views of ``data``. Raises `ContentError` for another version, for a model that is not
    a ``spec``, and for any size that does not fit.
    """
    cursor = _Cursor(memoryview(data))
    version = cursor.number("<I")
    if version != VERSION:
        raise ContentError(f"model file: version {version}; this reader knows version {VERSION}")
    found = cursor.text()
    if found != spec:
        raise ContentError(f"model file: holds a {found[:60]!r}; expected a {spec!r}")
    cursor.number("<I")  # the specification's revision
    tensors: dict[str, NDArray[Any]] = {}
    for _ in range(_count(cursor)):
        name, tensor = _variable(cursor)
        if name.startswith(prefix):
            tensors[name] = tensor
    for _ in range(_count(cursor)):
        alias, name = cursor.text(), cursor.text()
        if name in tensors and alias.startswith(prefix):
            tensors[alias] = tensors[name]
    return tensors


def _count(cursor: _Cursor) -> int:
    count = cursor.number("<I")
    if count > MOST_VARIABLES:
        raise ContentError(f"model file: {count} variables; allowed are {MOST_VARIABLES}")
    return count


def _variable(cursor: _Cursor) -> tuple[str, NDArray[Any]]:
    name = cursor.text()
    rank = cursor.number("<B")
    if rank > HIGHEST_RANK:
        raise ContentError(f"model file: {name} has {rank} dimensions; allowed are {HIGHEST_RANK}")
    shape = [cursor.number("<I") for _ in range(rank)]
    code = cursor.number("<B")
    if code not in TYPES:
        raise ContentError(f"model file: {name} is of type {code}; known are {sorted(TYPES)}")
    size = cursor.number("<I")
    if size != math.prod(shape) * TYPES[code].itemsize:
        raise ContentError(f"model file: {name} of shape {shape} cannot be {size} bytes")
    return name, np.frombuffer(cursor.take(size), TYPES[code]).reshape(shape)
