"""Executed instructions by class, as written by the QEMU plugin `icount.c`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.emulation.error import EmulationError

_MARK = 7_700_000


@dataclass(frozen=True)
class InstructionCounts:
    """Instructions executed between two marks, by class."""

    mark: int
    """Number of the mark at the end."""
    by_class: Mapping[str, int]

    @property
    def total(self) -> int:
        """Instructions of all classes."""
        return sum(self.by_class.values())


def mark_number(number: int) -> int:
    """Return the process ID for which ``os.getpgid``, which fails, sets mark ``number``."""
    return -(_MARK + number)


def read_counts(path: Path) -> list[InstructionCounts]:
    """Read the counter's file; raises `EmulationError` if it is missing or truncated."""
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [InstructionCounts(line.pop("mark"), line) for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmulationError(f"the counter's file cannot be read: {error}") from error
