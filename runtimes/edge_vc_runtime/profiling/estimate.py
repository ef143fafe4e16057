"""An estimated time per hop in a report: between which bounds, and what it is made from."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class InstructionShare:
    """Executed instructions of one class."""

    kind: str
    per_hop: float


@dataclass(frozen=True)
class TimeBounds:
    """Between which two times per hop the truth is expected, in ms."""

    low_ms: float
    estimate_ms: float
    """Their geometric mean."""
    high_ms: float

    @property
    def factor(self) -> float:
        """The bounds are the estimate divided and multiplied by this."""
        return math.sqrt(self.high_ms / self.low_ms) if self.low_ms > 0 else math.inf


@dataclass(frozen=True)
class HopEstimate:
    """How the times of a report with ``environment: estimated`` came about."""

    board: str
    core: str
    emulated_core: str
    """QEMU's name of the core whose kernels ran."""
    clock_mhz: int
    hops: int
    """Counted ones."""
    instructions: float
    """Per hop of `Session.step`, counted under emulation; the runtime's Python included."""
    engine_instructions: float
    """Per hop of the engine alone."""
    classes: tuple[InstructionShare, ...]
    tight: TimeBounds
    """Hops back to back, all data in the first cache."""
    paced: TimeBounds | None
    """One hop per hop duration, the model read from memory each time; null without a rate."""
    memory_ms: float | None
    """Part of the upper bound of ``paced``: reading the model from memory."""
    method: str
    not_known: str
    """What the bounds leave out."""
