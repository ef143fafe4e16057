"""Reads the tensors of a ``.hama`` file without trusting the sizes that it states.

A magic, a table of tensors (name, type, shape, offset), and their data at the end of the file.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc.models.content.encoder import ContentError

MAGIC = b"HAMAPK"
_HEADER = 8
LONGEST_NAME = 512
MOST_TENSORS = 4096
HIGHEST_RANK = 4
TYPES: dict[int, np.dtype[Any]] = {0: np.dtype("<f4"), 1: np.dtype("<f2")}
"""Element types by their number in the file."""

_Row = tuple[str, int, tuple[int, ...], int, int]
"""Name, type, shape, offset and size of a tensor."""


def read_hama(data: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of ``data`` by name; raises `ContentError` for a broken file."""
    if data[: len(MAGIC)] != MAGIC:
        raise ContentError("model file: not a .hama file; reinstall hama 1.7.0")
    try:
        rows = _table(data)
    except (struct.error, UnicodeDecodeError) as error:
        raise ContentError(f"model file: its table is broken ({error})") from error
    begin = len(data) - max((place + size for *_, place, size in rows), default=0)
    if begin < _HEADER:
        raise ContentError("model file: cut short; reinstall hama 1.7.0")
    return {name: _tensor(data, begin, row) for row in rows for name in row[:1]}


def _table(data: bytes) -> list[_Row]:
    (count,) = struct.unpack_from("<I", data, _HEADER)
    if count > MOST_TENSORS:
        raise ContentError(f"model file: {count} tensors; allowed are {MOST_TENSORS}")
    place = _HEADER + 4
    rows = []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, place)
        name = data[place + 2 : place + 2 + length].decode("ascii")
        kind, rank = struct.unpack_from("<BB", data, place + 2 + length)
        if length > LONGEST_NAME or rank > HIGHEST_RANK or kind not in TYPES:
            raise ContentError(f"model file: {name[:60]!r} has rank {rank} and type {kind}")
        place += 4 + length
        shape = struct.unpack_from(f"<{rank}I", data, place)
        offset, size = struct.unpack_from("<QQ", data, place + 4 * rank)
        place += 4 * rank + 16
        rows.append((name, kind, shape, offset, size))
    return rows


def _tensor(data: bytes, begin: int, row: _Row) -> NDArray[np.float32]:
    name, kind, shape, offset, size = row
    if math.prod(shape) * TYPES[kind].itemsize != size or begin + offset + size > len(data):
        raise ContentError(f"model file: {name[:60]} of shape {list(shape)} cannot be {size} bytes")
    flat = np.frombuffer(data, TYPES[kind], math.prod(shape), begin + offset)
    tensor: NDArray[np.float32] = flat.reshape(shape).astype(np.float32)
    return tensor
