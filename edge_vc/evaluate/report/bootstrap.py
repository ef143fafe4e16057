"""Estimates over sentences with 95 % bootstrap intervals (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
"""How often each sentence counts, one row per draw: ``[draws, sentences]``."""

DECIMALS = 6
"""Decimals that estimates are rounded to: the last bits of a sum depend on the machine."""


@dataclass(frozen=True)
class Estimate:
    """A figure over sentences and its 95 % bootstrap interval."""

    value: float
    low: float
    """2.5th percentile of the draws."""
    high: float
    """97.5th percentile of the draws."""
    sentences: int | None
    """Number of sentences with a value; None if an older report does not state it."""

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


@dataclass(frozen=True)
class Quantity:
    """A function of weighted sentences; NaN if all relevant weights are zero."""

    of: Callable[[Weights], NDArray[np.float64]]
    """Maps ``[draws, sentences]`` to ``[draws]``."""
    sentences: int
    """Number of sentences with a value."""

    def minus(self, other: Quantity) -> Quantity:
        """Return the difference on the same sentences."""
        fewer = min(self.sentences, other.sentences)
        return Quantity(lambda weights: self.of(weights) - other.of(weights), fewer)

    def over(self, other: Quantity) -> Quantity:
        """Return the ratio on the same sentences; infinite where ``other`` is 0."""

        def quotient(weights: Weights) -> NDArray[np.float64]:
            bottom = other.of(weights)
            return np.where(bottom == 0, np.inf, _divide(self.of(weights), bottom))

        return Quantity(quotient, min(self.sentences, other.sentences))


def mean(values: Sequence[float | None]) -> Quantity:
    """Return the mean of the values that are not None."""
    known = [value is not None for value in values]
    return rate([value or 0.0 for value in values], [float(there) for there in known])


def rate(tops: Sequence[float], bottoms: Sequence[float]) -> Quantity:
    """Return the sum of ``tops`` over the sum of ``bottoms``."""
    top, bottom = np.asarray(tops, np.float64), np.asarray(bottoms, np.float64)
    if top.shape != bottom.shape:
        raise ValueError(f"a rate needs one weight per value, got {bottom.size} for {top.size}")
    return Quantity(
        lambda weights: _divide(weights @ top, weights @ bottom), int(np.count_nonzero(bottom))
    )


class Resampling:
    """Sentences drawn with replacement; all figures share the draws, so differences are paired."""

    def __init__(self, sentences: int, seed: int = 0, draws: int = 2000) -> None:
        if not sentences:
            raise ValueError("figures need sentences; got none")
        rng = np.random.default_rng(seed)
        picks = rng.integers(0, sentences, size=(draws, sentences))
        counts = np.zeros((draws, sentences))
        np.add.at(counts, (np.arange(draws)[:, None], picks), 1.0)
        self._draws: Weights = counts
        self._once: Weights = np.ones((1, sentences))

    def estimate(self, quantity: Quantity) -> Estimate | None:
        """Return the quantity with its interval; None if either is undefined.

        A ratio whose denominator is 0 in many draws has no estimate.
        """
        with np.errstate(invalid="ignore"):
            value = float(quantity.of(self._once)[0])
            drawn = quantity.of(self._draws)
            known = drawn[~np.isnan(drawn)]
            if not np.isfinite(value) or not known.size:
                return None
            low, high = np.percentile(known, [2.5, 97.5])
        if not np.isfinite(low + high):
            return None
        value, low, high = (round(float(number), DECIMALS) for number in (value, low, high))
        return Estimate(value, low, high, quantity.sentences)


def _divide(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.full(np.broadcast(top, bottom).shape, np.nan)
    np.divide(top, bottom, out=result, where=np.isfinite(bottom) & (bottom != 0))
    return result
