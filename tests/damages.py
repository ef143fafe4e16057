"""What happens to files between two runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Damage = Callable[[Path, Path], object]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


DAMAGES: dict[str, Damage] = {
    "emptied": lambda path, other: path.write_bytes(b""),
    "truncated": lambda path, other: path.write_bytes(path.read_bytes()[:-50]),
    "half": lambda path, other: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "one bit": lambda path, other: flip(path),
    "zeros": lambda path, other: path.write_bytes(bytes(path.stat().st_size)),
    "another's": lambda path, other: path.write_bytes(other.read_bytes()),
    "gone": lambda path, other: path.unlink(),
}
every = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
