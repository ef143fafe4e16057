"""Pruning method and target cost: the recipe's sections ``[prune]`` and ``[target]``."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc.settings.field import choice, number


@dataclass(frozen=True)
class PruneSettings:
    """How a student is pruned; `TargetSettings` define how far."""

    enabled: bool = True
    method: str = choice("structured", "structured", "magnitude")
    """``structured`` removes channels; ``magnitude`` zeroes weights, which makes a student neither
    smaller nor faster."""
    importance: str = choice("taylor", "l2", "taylor")
    """Rank channels by the ``l2`` norm of their weights or by a ``taylor`` estimate of the loss."""
    sparsity: float = number(0.5, 0.0, 0.95)
    """Share of weights that ``magnitude`` zeroes."""
    round_to: int = number(8, 1, 64, "channels")
    """Widths become multiples of this, which vector units process fastest."""
    max_mel_db: float = number(60.0, 0.1, 200.0, "dB", limits="mel_db")
    """The run stops if the mel distance to the teacher is larger after pruning."""


@dataclass(frozen=True)
class TargetSettings:
    """Upper limits of a student's cost on the board."""

    max_mmacs: float = number(150.0, 10.0, 100_000.0, "million MACs per second")
    max_weight_kb: float = number(800.0, 1.0, 100_000.0, "kB of INT8 weights")
    max_latency_ms: float = number(20.0, 5.0, 1_000.0, "ms, algorithmic")
