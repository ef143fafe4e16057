"""An estimated time per hop in a report: its bounds, and the data it is based on."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class InstructionShare:
    """Number of executed instructions of one class."""

    kind: str
    per_hop: float


@dataclass(frozen=True)
class TimeBounds:
    """Bounds between which the actual time per hop is expected, in ms."""

    low_ms: float
    estimate_ms: float
    """Their geometric mean."""
    high_ms: float

    @property
    def factor(self) -> float:
        """The factor by which the estimate is divided and multiplied to give the bounds."""
        return math.sqrt(self.high_ms / self.low_ms) if self.low_ms > 0 else math.inf


@dataclass(frozen=True)
class HopEstimate:
    """Basis of the times in a report with ``environment: estimated``."""

    board: str
    core: str
    emulated_core: str
    """QEMU's name for the core whose kernels ran."""
    clock_mhz: int
    hops: int
    """Number of counted hops."""
    instructions: float
    """Per hop of `Session.step`, counted under emulation, including the runtime's Python."""
    engine_instructions: float
    """Per hop of the engine alone."""
    classes: tuple[InstructionShare, ...]
    tight: TimeBounds
    """Hops back to back, all data in the L1 cache."""
    paced: TimeBounds | None
    """One hop per hop duration, the model read from memory each time; null without memory rate."""
    memory_ms: float | None
    """Part of the upper bound of ``paced``: reading the model from memory."""
    method: str
    not_known: str
    """What the bounds do not include."""
