"""Executed instructions by class, as the counter in `icount.c` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.emulation.error import EmulationError

_MARK = 7_700_000
PRODUCTS = {"dot_product": 16, "matrix": 32, "widening": 8}
"""8-bit products of one instruction on 128-bit registers."""


@dataclass(frozen=True)
class Counts:
    """What was executed between two marks."""

    mark: int
    """Number of the mark at the end."""
    by_class: Mapping[str, int]

    @property
    def total(self) -> int:
        """Instructions of every class."""
        return sum(self.by_class.values())

    @property
    def byte_products(self) -> int:
        """How many 8-bit products the multiplying instructions stand for, at most."""
        return sum(self.by_class[kind] * each for kind, each in PRODUCTS.items())


def mark_number(number: int) -> int:
    """Return the process group to ask for: ``os.getpgid`` of it fails and sets mark ``number``."""
    return -(_MARK + number)


def read_counts(path: Path) -> list[Counts]:
    """Read the counter's file; raises `EmulationError` when it is not there or cut short."""
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [Counts(line.pop("mark"), line) for line in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmulationError(f"the counter's file cannot be read: {error}") from error
