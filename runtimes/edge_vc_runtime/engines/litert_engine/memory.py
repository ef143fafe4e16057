"""Views of the interpreter's tensor memory, valid for as long as the interpreter exists.

`Interpreter.tensor` also gives such views, but the interpreter refuses to run while one exists,
since resizing would move the memory. Here nothing is ever resized: the engine that owns the
interpreter allocates once, and a graph whose sizes could change is rejected when it is read. Every
view keeps the interpreter alive, so none can outlive its memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

ALIGNMENT = 64
"""Tensors start at multiples of this many bytes, so there is only padding between neighbours."""


@dataclass(frozen=True)
class Region:
    """A region of an interpreter's memory."""

    address: int
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Move:
    """A region to be copied."""

    source: int
    """Address."""
    target: int
    size: int
    """Bytes."""


class _Borrowed:
    """Numpy's array interface for a region; it keeps a reference to the interpreter."""

    def __init__(self, interpreter: Any, region: Region) -> None:
        self._interpreter = interpreter
        self.__array_interface__ = {
            "data": (region.address, False),
            "shape": (region.size,),
            "typestr": "|u1",
            "version": 3,
        }


def find_region(interpreter: Any, index: int) -> Region:
    """Return the memory region of a tensor; raises `ValueError` if it has none."""
    view = interpreter.tensor(index)()
    if not view.flags.c_contiguous:
        raise ValueError(f"tensor {index} is not contiguous")
    return Region(int(view.__array_interface__["data"][0]), int(view.nbytes))


def view_bytes(interpreter: Any, region: Region) -> memoryview:
    """Return a region as writeable bytes ``[size]``."""
    return np.asarray(_Borrowed(interpreter, region)).data


def merge_moves(moves: Iterable[Move]) -> list[Move]:
    """Merge moves that are adjacent on both sides, as are most states in a well-ordered file.

    One long copy costs less than many short ones, since each is a separate call.
    """
    merged: list[Move] = []
    for move in sorted(moves, key=lambda move: move.target):
        before = merged[-1] if merged else None
        if (
            before
            and move.target == _after(before.target, before.size)
            and move.source == _after(before.source, before.size)
        ):
            size = move.target - before.target + move.size
            merged[-1] = Move(before.source, before.target, size)
        else:
            merged.append(move)
    return merged


def _after(address: int, size: int) -> int:
    """Return the lowest offset of the next tensor."""
    return -(-(address + size) // ALIGNMENT) * ALIGNMENT
