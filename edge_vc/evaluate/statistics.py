"""A mean with the interval that resampling the sentences gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """A figure over sentences and its 95 % bootstrap interval (Efron 1979)."""

    value: float
    low: float
    high: float
    sentences: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


def bootstrap_ratio(
    numerators: Sequence[float],
    denominators: Sequence[float] | None = None,
    seed: int = 0,
    draws: int = 2000,
) -> Estimate:
    """Return ``sum(numerators) / sum(denominators)`` over sentences, with its interval.

    Without denominators this is the mean. Sentences are drawn with replacement, ``draws``
    times, from ``seed``: the same input gives the same interval.
    """
    top = np.asarray(numerators, dtype=np.float64)
    bottom = np.ones_like(top) if denominators is None else np.asarray(denominators, np.float64)
    if not top.size or top.shape != bottom.shape or bottom.sum() == 0:
        raise ValueError(f"a ratio needs sentences with weight, got {top.size} of {bottom.size}")
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, top.size, size=(draws, top.size))
    weights = bottom[picks].sum(axis=1)
    kept: NDArray[np.float64] = top[picks].sum(axis=1)[weights > 0] / weights[weights > 0]
    low, high = np.percentile(kept, [2.5, 97.5])
    return Estimate(float(top.sum() / bottom.sum()), float(low), float(high), int(top.size))
